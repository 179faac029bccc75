/**
 * Reading anew what a running server was started with, without ending it.
 *
 * @module
 */

import type { Log, LogLevel } from "../log/events.ts";
import type { FileSystem } from "../runtime.ts";
import { readSecrets, type Secrets } from "./secrets.ts";
import type { Settings } from "./settings.ts";
import { StartError } from "./start_error.ts";

/** Who has read them, and who uses them. */
export interface Reloadable {
  readonly files: FileSystem;
  readonly settings: Pick<Settings, "tls" | "auth">;
  readonly log: Log;
  /** What is in use. */
  current(): Secrets;
  /** Uses these from now on. Throws when it cannot, and nothing has changed. */
  take(secrets: Secrets): void;
}

/** Makes the function that does it. What cannot be used is logged, and what was there before stays. */
export function reloader({ files, settings, log, current, take }: Reloadable): () => Promise<void> {
  const { auth } = settings;
  const tls = settings.tls === "self-signed" ? null : settings.tls;
  function tell(level: LogLevel, message: string): void {
    log({ type: "message", level, source: "server", message });
  }
  async function attempt(what: string, read: () => Promise<Secrets>): Promise<void> {
    try {
      take(await read());
      tell("info", `${what} read anew`);
    } catch (error) {
      const isExpected = [StartError, TypeError].some((type) => error instanceof type);
      tell(
        "error",
        `${what} not read anew, those from before stay: ${isExpected ? (error as Error).message : error}`,
      );
    }
  }
  return async function reload() {
    if (!auth?.file && tls === null) {
      tell("info", "SIGHUP: there is no file of passwords and no certificate to read anew");
    }
    if (auth?.file) {
      await attempt("passwords", async () => {
        const { users } = await readSecrets(files, { tls: null, auth }, null);
        return { ...current(), users };
      });
    }
    if (tls !== null) {
      await attempt("certificate", async () => {
        const read = await readSecrets(files, { tls, auth: null }, null);
        return { ...current(), tls: read.tls };
      });
    }
  };
}

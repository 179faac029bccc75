/**
 * Reading anew what a running server was started with, without ending it.
 *
 * @module
 */

import type { Log, LogLevel } from "../log/events.ts";
import { type Listener, ListenError, type TlsOptions } from "../runtime.ts";
import { StartError } from "./start_error.ts";
import type { Users } from "./users.ts";

/** What can be read anew; `null` for what there is none of. */
export interface Reloadable {
  readonly users: Pick<Users, "reload"> | null;
  readonly certificate: (() => Promise<TlsOptions | null>) | null;
  readonly server: Pick<Listener, "setTls">;
  readonly log: Log;
}

/** Makes the function that does it. What cannot be used is logged, and what was there before stays. */
export function reloader({ users, certificate, server, log }: Reloadable): () => Promise<void> {
  function tell(level: LogLevel, message: string): void {
    log({ type: "message", level, source: "server", message });
  }
  async function attempt(what: string, read: () => Promise<void>): Promise<void> {
    try {
      await read();
      tell("info", `${what} read anew`);
    } catch (error) {
      const isExpected = [StartError, ListenError, TypeError].some((type) => error instanceof type);
      tell(
        "error",
        `${what} not read anew, those from before stay: ${isExpected ? (error as Error).message : error}`,
      );
    }
  }
  return async function reload() {
    if (users === null && certificate === null) {
      tell("info", "SIGHUP: there is no file of passwords and no certificate to read anew");
    }
    if (users !== null) await attempt("passwords", users.reload);
    if (certificate === null) return;
    await attempt("certificate", async () => {
      const tls = await certificate();
      if (server.setTls === undefined) throw new StartError("this runtime needs a new start for that");
      if (tls !== null) server.setTls(tls);
    });
  };
}

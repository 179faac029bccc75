/**
 * A server that file modes mean something to: root may read everything, so
 * where the tests run as root it is the command line, run as another user.
 *
 * @module
 */

import process from "node:process";
import { type RunningCommand, startCommand } from "../_command.ts";
import { get, type RawResponse, toBytes } from "../_http.ts";
import { ask, askAddress } from "./_ask.ts";
import { siteFixture } from "./_site_fixture.ts";

/** `nobody` on every Linux. */
export const NOBODY = 65534;

let running: Promise<RunningCommand> | undefined;

/** Asks a server on the root with unreadable entries. */
export async function locked(path: string): Promise<RawResponse> {
  const root = siteFixture().locked;
  if (process.getuid?.() !== 0) {
    return await ask({ root, listing: true }, `GET ${path}`);
  }
  running ??= startCommand(["0", "--directory", root], { user: NOBODY });
  const request = toBytes(get(path, "Connection: close"));
  return await askAddress((await running).address, request);
}

/** Stops the server, if one was started. */
export async function stopUnprivileged(): Promise<void> {
  const command = await running;
  running = undefined;
  await command?.stop();
}

/**
 * The command line on the fixture's site.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type CommandOptions, type RunningCommand, startCommand } from "../_command.ts";
import { connect, get, type RawResponse, type Target, toBytes } from "../_http.ts";
import { askAddress } from "./_ask.ts";
import { siteFixture } from "./_site_fixture.ts";

/** Starts it on a free port. */
export function startSite(
  options: CommandOptions = {},
  ...flags: string[]
): Promise<RunningCommand> {
  const args = ["0", "--directory", siteFixture().site, ...flags];
  return startCommand(args, options);
}

/** Starts it, uses it, and stops it. */
export async function withSite(
  use: (command: RunningCommand) => Promise<void>,
  { flags = [], ...options }: CommandOptions & { readonly flags?: readonly string[] } = {},
): Promise<void> {
  const command = await startSite(options, ...flags);
  try {
    await use(command);
  } finally {
    await stop(command);
  }
}

/** Stops it; it must end with 0. */
export async function stop(command: RunningCommand): Promise<void> {
  const { code, signal, stderr } = await command.stop();
  assert.deepEqual([code, signal], [0, null], stderr);
}

/** A GET request on a connection of its own. */
export function fetchPath(target: Target, path: string): Promise<RawResponse> {
  return askAddress(target, toBytes(get(path, "Connection: close")));
}

/** Whether somebody listens there. */
export async function reachable(target: Target): Promise<boolean> {
  try {
    (await connect(target)).close();
    return true;
  } catch {
    return false;
  }
}

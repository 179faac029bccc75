/**
 * Starts programs through a launcher, where there is one and it can; else the runtime's own way.
 *
 * @module
 */

import { now } from "../../../src/clock.ts";
import type { ChildProcess, Command, SpoolFile, UserIdentity } from "../../../src/runtime.ts";
import { os } from "../part.ts";
import { process } from "../process.ts";
import type { processGroup } from "../process_group.ts";
import { demandExpressible } from "../spawn_error.ts";
import { spoolDescriptor } from "../spool_file.ts";
import { type Launcher, startLauncher } from "./launcher.ts";
import { streamOf } from "./outlet.ts";
import { type WriteParts, writeParts } from "./inlet.ts";
import { LONGEST_BODY, type Source } from "./protocol.ts";
import { NotLaunched } from "./slot.ts";

/** Starts a program. */
export type Spawn = (command: Command) => Promise<ChildProcess>;

/** What a runtime brings. */
export interface LaunchingOptions {
  /** The runtime's own way. */
  readonly spawn: Spawn;
  readonly kill: Parameters<typeof processGroup>[1];
  /** How it writes to a pipe. @default {writeParts} */
  readonly write?: WriteParts;
  /** Why a program could not be started. */
  explain(error: Error, command: Command): Promise<Error>;
  /** Whether this process may have a launcher. */
  isAllowed(): boolean;
}

/** So many launchers at most, for each user; no more than there are processors. */
const MOST = 4;

/** A launcher with so many programs running gets another one beside it. */
const BUSY = 3;

/** After a failure there is no new one for this long, in milliseconds. */
const PAUSE = 60_000;

/** The launchers for one user. */
interface Staff {
  readonly launchers: Set<Launcher>;
  /** One is being started. */
  isGrowing: boolean;
  notBefore: number;
}

/** Puts launchers before the runtime's own way to start programs. */
export function createLaunching(
  { spawn, kill, write = writeParts, explain, isAllowed }: LaunchingOptions,
): Spawn {
  const staffs = new Map<string, Staff>();
  let isPossible: boolean | undefined;
  let isRoot: boolean | undefined;
  let most: number | undefined;

  function staffFor(user: UserIdentity | null): Staff | null {
    isPossible ??= process.platform === "linux" && isAllowed();
    // Only root may become somebody else, and say so to a launcher.
    if (!isPossible || (user !== null && !(isRoot ??= process.geteuid?.() === 0))) return null;
    const key = user === null ? "" : `${user.uid}:${user.gid}`;
    let staff = staffs.get(key);
    if (staff === undefined) {
      staff = { launchers: new Set(), isGrowing: false, notBefore: -Infinity };
      staffs.set(key, staff);
    }
    return staff;
  }

  /** In the background: whoever waits now is served in the runtime's own way. */
  async function grow(staff: Staff, user: UserIdentity | null): Promise<void> {
    const { launchers } = staff;
    most ??= Math.min(MOST, os().availableParallelism());
    if (staff.isGrowing || launchers.size >= most || now() < staff.notBefore) return;
    staff.isGrowing = true;
    const launcher = await startLauncher({ user, kill, write });
    staff.isGrowing = false;
    if (launcher === null) {
      staff.notBefore = now() + PAUSE;
      return;
    }
    launchers.add(launcher);
    await launcher.retired;
    launchers.delete(launcher);
  }

  function launch(staff: Staff, command: Command, source: Source): Promise<ChildProcess> | null {
    let best: Launcher | undefined;
    for (const launcher of staff.launchers) {
      if (best === undefined || launcher.free > best.free) best = launcher;
    }
    if (best === undefined) return null;
    if (best.running >= BUSY) void grow(staff, command.user);
    return best.spawn(command, source);
  }

  return async function start(command) {
    // Without input, the order is looked at when it is made, which costs less.
    if (command.stdin !== null) demandExpressible(command);
    const source = sourceOf(command);
    const staff = source === undefined || command.direct === true ? null : staffFor(command.user);
    const launched = source === undefined || staff === null ? null : launch(staff, command, source);
    if (launched === null) {
      demandExpressible(command);
      const child = await spawn(command);
      if (staff?.launchers.size === 0) void grow(staff, command.user);
      return child;
    }
    try {
      const child = await launched;
      if (typeof source === "string") void (command.stdin as SpoolFile).close();
      return child;
    } catch (error) {
      if (!(error instanceof NotLaunched)) throw error;
      // Nothing has run: the launcher is at a limit, or has ended.
      if (error.code === null) return await spawn(command);
      throw await explain(systemError(error.code, command), command);
    }
  };
}

/** `undefined`: not through a launcher. */
function sourceOf({ stdin, user }: Command): Source | undefined {
  if (stdin === null) return null;
  if (stdin instanceof Uint8Array) {
    return stdin.length === 0 ? null : stdin.length > LONGEST_BODY ? streamOf(stdin) : stdin;
  }
  if ("getReader" in stdin) return stdin.locked ? undefined : stdin;
  // A launcher that is another user may not look into this process.
  if (user !== null) return stdin.stream();
  const descriptor = spoolDescriptor(stdin);
  return descriptor === null ? undefined : `/proc/${process.pid}/fd/${descriptor}`;
}

/** As the runtimes make them. */
function systemError(code: string, { program }: Command): Error {
  return Object.assign(new Error(`spawn ${program} ${code}`), { code });
}

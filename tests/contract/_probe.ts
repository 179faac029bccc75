/**
 * A process of this runtime under conditions that the tests' own process is not in: prints what it meets, as JSON.
 *
 * @module
 */

import process from "node:process";
import { runtime } from "../../adapters/auto.ts";
import { FileError, type OpenFile, SpawnError } from "../../src/runtime.ts";

const { files, processes } = runtime;

const probes: Readonly<Record<string, (argument: string) => Promise<unknown>>> = {
  exhausted,
  direct: (user) => childStatus(user, true),
  launched: (user) => childStatus(user, false),
  launcher: launcherOf,
  restricted,
};

/** Uses up all descriptors, then asks for more. */
async function exhausted(path: string): Promise<unknown> {
  const open: OpenFile[] = [];
  const met: Record<string, unknown> = {};
  // Whatever is loaded at the first use is loaded now.
  met.free = await reasonOf(() => spawnTrue());
  met.open = await reasonOf(async () => {
    for (;;) {
      const file = await files.open(path);
      if (file !== null) open.push(file);
    }
  });
  met.spawn = await reasonOf(() => spawnTrue());
  met.spool = await reasonOf(() => processes.spool());
  met.list = await reasonOf(() => files.list("/"));
  met.stat = await reasonOf(() => files.stat(path));
  for (const file of open) await file.close();
  met.again = await reasonOf(() => spawnTrue());
  return met;
}

async function spawnTrue(): Promise<void> {
  const child = await processes.spawn({
    program: "/bin/sh",
    args: ["-c", "exit 0"],
    env: {},
    cwd: "/",
    stdin: null,
    user: null,
  });
  await Promise.all([child.stdout.cancel(), child.stderr.cancel(), child.exited]);
}

/** What the system says of a child that runs as the user `uid:gid`, or as this process. */
async function childStatus(user: string, direct: boolean): Promise<string> {
  const [uid, gid] = user.split(":").map(Number);
  const child = await processes.spawn({
    program: "/bin/cat",
    args: ["/proc/self/status"],
    env: {},
    cwd: "/",
    stdin: null,
    user: uid === undefined || gid === undefined ? null : { uid, gid },
    direct,
  });
  // Output that nobody reads keeps its reader alive.
  await child.stderr.cancel();
  const status = await new Response(child.stdout).text();
  const isLaunched = !status.includes(`PPid:\t${process.pid}\n`);
  if (direct || isLaunched) return status;
  await new Promise((resolve) => setTimeout(resolve, 10));
  return await childStatus(user, direct);
}

/** Which process starts programs; with an argument, this one and a program stay. */
async function launcherOf(stay: string): Promise<unknown> {
  const [, parent] = /^PPid:\t(\d+)$/m.exec(await childStatus("", false)) ?? [];
  const met = { launcher: Number(parent) };
  if (stay === "") return met;
  const child = await processes.spawn({
    program: "/bin/sh",
    args: ["-c", "exec sleep 60"],
    env: {},
    cwd: "/",
    stdin: null,
    user: null,
  });
  process.stdout.write(JSON.stringify({ ...met, sleeper: child.pid }));
  return await child.exited;
}

/** With few of Deno's permissions: `allowed` may be read, and `/bin/true` may be run. */
async function restricted(allowed: string): Promise<unknown> {
  return {
    stat: await reasonOf(() => files.stat(allowed)),
    statElse: await reasonOf(() => files.stat("/etc/passwd")),
    openElse: await reasonOf(() => files.open("/etc/passwd")),
    realPathElse: await reasonOf(() => files.realPath("/etc/passwd")),
    listElse: await reasonOf(() => files.list("/etc")),
    spawnElse: await reasonOf(() => spawnTrue()),
    spool: await reasonOf(() => processes.spool()),
    environment: processes.environment("PATH") ?? null,
    user: processes.user === undefined ? "not told" : processes.user,
    nobody: await reasonOf(() => processes.findUser("nobody")),
    message: await files.stat("/etc/passwd").catch((error) => error.message),
  };
}

async function reasonOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
    return "done";
  } catch (error) {
    if (error instanceof FileError || error instanceof SpawnError) {
      return error.reason;
    }
    return String(error);
  }
}

const [name = "", argument = ""] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await probes[name]?.(argument)));

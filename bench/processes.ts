/**
 * What a server and all that it has started use: CPU time and memory. A control group of its own counts them where one
 * can be made, so that no script is lost that has ended; else they are found through their parents.
 *
 * @module
 */

import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { SCRIPTS } from "./work.ts";

/** The processes of one server. */
export interface Group {
  /** Shell commands by which a process joins it, with all that it will start. */
  readonly enter: string;
  /** The server's own process, once it is known. */
  root: number;
  processes(): readonly number[];
  /** Seconds of CPU time so far, of those that have ended too. */
  cpu(): number;
  /** Memory in bytes, shared pages in proportion: of the server, without the scripts that it runs. */
  memory(): number;
  remove(): void;
}

/** Clock ticks a second in `/proc`: the kernel has told all programs 100 for twenty years. */
const TICKS = 100;

const parent = writableGroup();

/** Makes a group. */
export function groupOf(name: string | number): Group {
  const folder = parent === null ? null : join(parent, `htbin-bench-${process.pid}-${name}`);
  if (folder !== null) mkdirSync(folder);
  const group: Group = {
    enter: folder === null ? "" : `echo $$ >'${folder}/cgroup.procs';`,
    root: 0,
    processes() {
      if (folder === null) return [...below(group.root).keys()];
      return readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    },
    cpu() {
      if (folder === null) return [...below(group.root).values()].reduce((sum, one) => sum + one, 0);
      return Number(/usage_usec (\d+)/.exec(readFileSync(join(folder, "cpu.stat"), "utf8"))![1]) / 1e6;
    },
    memory() {
      return group.processes().reduce((sum, pid) => sum + residentBytes(pid), 0);
    },
    remove() {
      // A group lasts as long as its processes: one that would not end keeps it, and nothing is lost by that.
      if (folder !== null && group.processes().length === 0) rmdirSync(folder);
    },
  };
  return group;
}

/** The folder of version 2 of control groups that this process is in, if groups can be made there. */
function writableGroup(): string | null {
  try {
    const mount = /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(readFileSync("/proc/self/mountinfo", "utf8"));
    const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"));
    const folder = join(mount![1]!, own![1]!);
    // Whether one can be made there is not to be told from its permissions.
    const trial = join(folder, `htbin-bench-${process.pid}`);
    mkdirSync(trial);
    rmdirSync(trial);
    return folder;
  } catch {
    return null;
  }
}

/** A process and all below it, with their CPU time and that of the children that they have waited for. */
function below(root: number): ReadonlyMap<number, number> {
  const children = new Map<number, number[]>();
  const times = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    if (stat === "") continue;
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    times.set(Number(name), (fields[11]! + fields[12]! + fields[13]! + fields[14]!) / TICKS);
    children.set(fields[1]!, [...children.get(fields[1]!) ?? [], Number(name)]);
  }
  const found = new Map<number, number>();
  const queue = [root];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    if (!times.has(pid)) continue;
    found.set(pid, times.get(pid)!);
    queue.push(...children.get(pid) ?? []);
  }
  return found;
}

function residentBytes(pid: number): number {
  try {
    if (dirname(readlinkSync(`/proc/${pid}/exe`)) === SCRIPTS) return 0;
  } catch {
    return 0;
  }
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

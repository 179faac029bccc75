/**
 * Many requests of every unpleasant kind against scripts, in any order and at
 * the same time; and then a look at what is left of them.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { cgi } from "../src/cgi/mod.ts";
import type { CgiOptions } from "../src/cgi/options.ts";
import { route } from "../src/router.ts";
import { serve } from "../src/serve.ts";
import { chunk, connect, get, type RawConnection, requestHead, type Target } from "./_http.ts";
import "./_runtime.ts";

/** How much. */
export interface SoakOptions {
  readonly requests: number;
  /** At the same time. @default {24} */
  readonly concurrency?: number;
  /** The same seed gives the same requests in the same order. @default {1} */
  readonly seed?: number;
  /** Only these kinds of requests. @default {all} */
  readonly kinds?: readonly string[];
  /** Called now and then. */
  readonly onProgress?: (done: number) => void;
}

/** What was left, and how long it took. */
export interface SoakReport {
  /** Requests by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Answers that were not the expected ones. */
  readonly wrong: readonly string[];
  /** Processes that are still there, zombies included. */
  readonly processes: readonly string[];
  /** Open descriptors that were not open before. */
  readonly descriptors: readonly string[];
  /** Files in the folder for temporary files that were not there before. */
  readonly files: readonly string[];
  /** Resident memory in megabytes, when half was done and at the end. */
  readonly memory: { readonly half: number; readonly end: number };
  readonly seconds: number;
}

/** The scripts, by the path that is asked for. */
const SCRIPT = `
head() { printf 'Content-Type: text/plain\\n\\n'; }
case "$PATH_INFO" in
  /hello) head; echo hello;;
  /echo) head; cat;;
  /unread) head; echo done;;
  /large) head; exec head -c 3000000 /dev/zero;;
  /slow) head; for i in 1 2 3; do sleep 0.01; echo $i; done;;
  /fails) head; echo begun; sleep 0.02; exit 3;;
  /killed) head; echo begun; sleep 0.02; kill -KILL $$;;
  /no-head) echo hello;;
  /nothing) exit 1;;
  /short) printf 'Content-Type: a/b\\nContent-Length: 10\\n\\nabc';;
  /silent) exec sleep 30;;
  /silent-after) head; echo begun; exec sleep 30;;
  /stubborn) trap '' TERM; while :; do sleep 0.05; done;;
  /background) head; sleep 30 & sleep 30 >/dev/null 2>&1 & echo done;;
  /noisy) head -c 200000 /dev/zero | tr '\\0' x >&2; head; echo done;;
  /redirect) printf 'Location: /hello\\n\\n';;
esac`;

type Play = (connection: RawConnection, random: () => number) => Promise<string | null>;

const MANY = "x".repeat(150_000);

/** Kinds of requests. Each says what was wrong with its answer, or `null`. */
const KINDS: Readonly<Record<string, Play>> = {
  hello: (connection) => expect(connection, get("/hello"), 200, "hello\n"),
  keepAlive: async (connection) =>
    await expect(connection, get("/hello"), 200, "hello\n") ??
      await expect(connection, get("/slow"), 200, "1\n2\n3\n"),
  head: (connection) => expect(connection, requestHead("HEAD", "/hello"), 200),
  slow: (connection) => expect(connection, get("/slow"), 200, "1\n2\n3\n"),
  redirect: (connection) => expect(connection, get("/redirect"), 200, "hello\n"),
  noisy: (connection) => expect(connection, get("/noisy"), 200, "done\n"),
  background: (connection) => expect(connection, get("/background"), 200, "done\n"),
  noHead: (connection) => expect(connection, get("/no-head"), 502),
  nothing: (connection) => expect(connection, get("/nothing"), 502),
  timeout: (connection) => expect(connection, get("/silent"), 504),
  stubborn: (connection) => expect(connection, get("/stubborn"), 504),
  fails: (connection) => expectBroken(connection, "/fails"),
  killed: (connection) => expectBroken(connection, "/killed"),
  short: (connection) => expectBroken(connection, "/short"),
  idle: (connection) => expectBroken(connection, "/silent-after"),
  upload(connection, random) {
    const body = MANY.slice(0, random() * MANY.length);
    return expect(
      connection,
      requestHead("POST", "/echo", `Content-Length: ${body.length}`) + body,
      200,
      body,
    );
  },
  unread: (connection) =>
    expect(
      connection,
      requestHead("POST", "/unread", `Content-Length: ${MANY.length}`) + MANY,
      200,
      "done\n",
    ),
  async chunks(connection, random) {
    const body = MANY.slice(0, 1 + random() * MANY.length);
    await connection.send(requestHead("POST", "/echo", "Transfer-Encoding: chunked"));
    await connection.send(chunk(body));
    return await expect(connection, chunk(), 200, body);
  },
  async leavesBeforeHead(connection, random) {
    await connection.send(get("/silent"));
    await pause(random() * 60);
    return null;
  },
  async leavesAfterHead(connection, random) {
    await connection.send(get("/silent-after"));
    await connection.head().catch(() => {});
    await pause(random() * 30);
    return null;
  },
  async leavesDuringBody(connection) {
    await connection.send(get("/large"));
    await connection.received(1000).catch(() => {});
    connection.reset();
    return null;
  },
  async leavesDuringUpload(connection, random) {
    const length = random() < 0.5 ? "Content-Length: 300000" : "Transfer-Encoding: chunked";
    await connection.send(requestHead("POST", "/echo", length));
    await connection.send(length.startsWith("C") ? MANY : chunk(MANY));
    await pause(random() * 20);
    return null;
  },
  async leavesAtOnce(connection) {
    await connection.send(get("/slow"));
    return null;
  },
};

/** Plays all kinds of requests, and looks around. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { requests, concurrency = 24, seed = 1, onProgress = () => {} } = options;
  const mark = `soak-${process.pid}-${seed}-${Date.now()}`;
  const common: CgiOptions = {
    script: "/bin/sh",
    args: ["-c", SCRIPT],
    user: null,
    env: { SOAK: mark },
    limits: { concurrent: 16, spoolMemory: 20_000, stderr: 1000 },
    log() {},
  };
  // A busy machine must not make a script too slow that is none.
  const patient = cgi({ ...common, timeouts: { firstByte: 20, idle: 20, grace: 0.1 } });
  const impatient = cgi({ ...common, timeouts: { firstByte: 0.4, idle: 0.4, grace: 0.1 } });
  const server = await serve({
    port: 0,
    handler: route([["/silent", impatient], ["/silent-after", impatient], ["/stubborn", impatient], [
      "/*",
      patient,
    ]]),
    log() {},
  });
  const random = createRandom(seed);
  const kinds: Record<string, number> = {};
  const wrong: string[] = [];
  let started = 0;
  let half = 0;

  async function playOne(): Promise<void> {
    const name = pick(options.kinds ?? Object.keys(KINDS), random);
    kinds[name] = (kinds[name] ?? 0) + 1;
    const fault = await play(server.address, KINDS[name]!, random);
    if (fault !== null) wrong.push(`${name}: ${fault}`);
  }
  async function playOn(): Promise<void> {
    while (started < requests) {
      started += 1;
      if (started === Math.ceil(requests / 2)) half = residentMegabytes();
      if (started % 500 === 0) onProgress(started);
      await playOne();
    }
  }
  // What a runtime opens and loads with its first requests is no leak.
  for (const name of Object.keys(KINDS)) await play(server.address, KINDS[name]!, random);
  await settle(mark);
  const before = look();
  const begun = performance.now();
  await Promise.all(Array.from({ length: concurrency }, playOn));
  const processes = await settle(mark);
  const after = await settled(before);
  const seconds = (performance.now() - begun) / 1000;
  const last = await play(server.address, KINDS.hello!, random);
  if (last !== null) wrong.push(`the last one: ${last}`);
  const end = residentMegabytes();
  await Promise.all([patient.close(), impatient.close()]);
  await server.close(0);
  return {
    kinds,
    wrong,
    processes,
    descriptors: beyond(after.descriptors, before.descriptors),
    files: beyond(after.files, before.files),
    memory: { half, end },
    seconds,
  };
}

async function play(target: Target, kind: Play, random: () => number): Promise<string | null> {
  const connection = await connect(target);
  try {
    return await kind(connection, random);
  } catch (error) {
    return String(error);
  } finally {
    connection.close();
  }
}

async function expect(
  connection: RawConnection,
  request: string | Uint8Array,
  status: number,
  text?: string,
): Promise<string | null> {
  const method = typeof request === "string" ? request.split(" ", 1)[0]! : "POST";
  const [response] = await Promise.all([
    connection.response({ method, timeout: 30_000 }),
    connection.send(request).catch(() => {}),
  ]);
  if (response.status !== status) return `status ${response.status} in place of ${status}`;
  if (!response.complete) return "an incomplete response";
  return text === undefined || response.text === text ? null : `a body of ${response.body.length} bytes`;
}

async function expectBroken(connection: RawConnection, path: string): Promise<string | null> {
  await connection.send(get(path));
  const response = await connection.response({ timeout: 30_000 }).catch((error: Error) => {
    if (/ended \(.*\) before a response/.test(error.message)) return null;
    throw error;
  });
  // On a busy machine its end is known before anything was sent.
  return response?.complete && response.status !== 502 ? "a response that looks complete" : null;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}

/** Numbers from 0 to 1 (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Waits for the scripts to be gone, and returns those that are not. */
async function settle(mark: string): Promise<readonly string[]> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const left = scriptsLeft(mark);
    if (left.length === 0 || performance.now() > deadline) return left;
    await pause(50);
  }
}

interface Surroundings {
  readonly descriptors: readonly string[];
  readonly files: readonly string[];
}

function look(): Surroundings {
  return { descriptors: openDescriptors(), files: temporaryFiles() };
}

/** Connections take a moment to be closed on both sides. */
async function settled(before: Surroundings): Promise<Surroundings> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const now = look();
    const more = beyond(now.descriptors, before.descriptors).length + beyond(now.files, before.files).length;
    if (more === 0 || performance.now() > deadline) return now;
    await pause(50);
  }
}

/** The kinds of which there are more now: sockets and pipes have names of their own. */
function beyond(now: readonly string[], before: readonly string[]): readonly string[] {
  const rest = [...before];
  return now.filter((name) => {
    const at = rest.indexOf(name);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function openDescriptors(): readonly string[] {
  if (!existsSync("/proc/self/fd")) return [];
  const names = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).replace(/:\[\d+\]$/, "");
    } catch {
      // The descriptor of the listing itself.
      return null;
    }
  });
  return names.filter((name) => name !== null);
}

/** Those that a request's body is collected in, where the system cannot make them without a name. */
function temporaryFiles(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) =>
    /^htbin-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(name)
  );
}

/** Processes with the mark in their environment, wherever they have gone, and zombies of this process. */
function scriptsLeft(mark: string): readonly string[] {
  if (!existsSync("/proc")) return [];
  const left: string[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z") {
        if (Number(parent) === process.pid) left.push(`${name} (zombie)`);
        continue;
      }
      const marked = readFileSync(`/proc/${name}/environ`, "latin1").includes(`SOAK=${mark}\0`);
      if (marked) {
        left.push(
          `${name} ${readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ").slice(0, 60)}`,
        );
      }
    } catch {
      // It has ended meanwhile, or is not ours to look at.
    }
  }
  return left;
}

function residentMegabytes(): number {
  return Math.round(process.memoryUsage().rss / 1_048_576);
}

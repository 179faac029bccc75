/** `--workers`, when workers are killed: whatever a client was about to be told, it does not wait for ever. */

import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { type RunningCommand, startCommand } from "../_command.ts";
import { connect, get, type RawConnection } from "../_http.ts";
import { childrenOf, needsProc, runtime, until } from "../_runtime.ts";
import { makeFolder } from "./_folder.ts";

const skip = runtime.name === "deno" ? "a thread cannot be killed from outside" : needsProc;

/** Where workers accept connections themselves (Bun, Node from 22.12 on), what waits for one is broken by its end. */
const areHandedOver = runtime.name === "node" && Number.parseInt(process.versions.node) < 22;

const folder = makeFolder({ "index.html": "HOME" });
after(folder.remove);

const ANSWERED = "200 HOME";

/** Asks once on a connection of its own. Resolves with the answer, or with "broken" once the connection is. */
async function ask(server: RunningCommand): Promise<string> {
  let connection: RawConnection | undefined;
  try {
    connection = await connect(server.address);
    await connection.send(get("/", "Connection: close"));
    const { status, body } = await connection.response({ timeout: 60_000 });
    return `${status} ${new TextDecoder().decode(body)}`;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("No sign of")) throw error;
    return "broken";
  } finally {
    connection?.close();
  }
}

function askOften(server: RunningCommand, times: number): Promise<string>[] {
  return Array.from({ length: times }, () => ask(server));
}

/** What all of them are told, if that does not take long. */
async function settled(asked: readonly Promise<string>[]): Promise<readonly string[]> {
  let late: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error("Clients still wait")), 5_000);
  });
  try {
    return await Promise.race([Promise.all(asked), tooLate]);
  } finally {
    clearTimeout(late);
  }
}

const stopped = new Set<number>();

function signal(pid: number, name: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
  process.kill(pid, name);
  if (name === "SIGSTOP") stopped.add(pid);
  else stopped.delete(pid);
}

async function withWorkers(count: number, use: (server: RunningCommand) => Promise<void>): Promise<void> {
  const server = await startCommand(["0", "--directory", folder.path, "--workers", String(count)]);
  try {
    await use(server);
  } finally {
    // If a test has failed before it killed them.
    for (const pid of stopped) signal(pid, "SIGCONT");
    await server.stop();
  }
}

test(
  "a connection that a worker had not taken when it died gets its answer from another",
  { skip },
  () =>
    withWorkers(2, async (server) => {
      const [worker] = childrenOf(server.pid);
      signal(worker!, "SIGSTOP");
      let left = 8;
      const asked = askOften(server, left).map(async (answer) => {
        await answer;
        left--;
        return answer;
      });
      await until(() => left < 8, "the other one answers");
      signal(worker!, "SIGKILL");
      const answers = await settled(asked);
      assert.equal(answers.includes(ANSWERED), true);
      if (areHandedOver) assert.deepEqual(new Set(answers), new Set([ANSWERED]));
      else assert.deepEqual(new Set([...answers, "broken"]), new Set([ANSWERED, "broken"]));
    }),
);

test(
  "when all workers die at once, connections break, and the next ones are served",
  { skip },
  () =>
    withWorkers(2, async (server) => {
      const workers = childrenOf(server.pid);
      for (const pid of workers) signal(pid, "SIGSTOP");
      const connections = await Promise.all(Array.from({ length: 8 }, () => connect(server.address)));
      const ends = connections.map(async (connection) => {
        await connection.send(get("/"));
        return connection.ended(60_000);
      });
      for (const pid of workers) signal(pid, "SIGKILL");
      await settled(ends);
      for (const connection of connections) connection.close();
      await until(async () => await ask(server) === ANSWERED, "another one serves");
    }),
);

test(
  "workers are killed again and again, and nobody waits for ever",
  { skip },
  () =>
    withWorkers(4, async (server) => {
      for (const [round, worker] of childrenOf(server.pid).entries()) {
        const before = askOften(server, 20);
        await Promise.any(before.slice(round));
        signal(worker, "SIGKILL");
        const answers = await settled([...before, ...askOften(server, 20)]);
        if (round < 3) assert.equal(answers.includes(ANSWERED), true);
      }
      await until(async () => await ask(server) === ANSWERED, "another one serves");
    }),
);

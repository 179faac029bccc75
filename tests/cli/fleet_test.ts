/**
 * Workers that come and go: what starts them, and what happens when one dies. They are made up here.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createQueue } from "../../src/cgi/queue.ts";
import { startFleet } from "../../src/cli/workers/fleet.ts";
import type { FromWorker, Orders, ToWorker } from "../../src/cli/workers/messages.ts";
import { askOrders } from "../../src/cli/workers/work.ts";
import type { ExitStatus, Worker } from "../../src/runtime.ts";
import type { LogEvent } from "../../src/log/events.ts";

/** A worker whose every word is the test's. */
interface Puppet extends Worker {
  readonly heard: ToWorker[];
  say(message: FromWorker): void;
  die(status?: ExitStatus): void;
}

function makePuppet(id: number): Puppet {
  const listeners: ((message: unknown) => void)[] = [];
  const heard: ToWorker[] = [];
  let die = (_status: ExitStatus): void => {};
  const exited = new Promise<ExitStatus>((resolve) => die = resolve);
  return {
    id,
    exited,
    heard,
    send: (message) => void heard.push(message as ToWorker),
    onMessage: (callback) => void listeners.push(callback),
    kill: () => die({ code: null, signal: "SIGKILL" }),
    say: (message) => listeners.forEach((listen) => listen(message)),
    die: (status = { code: null, signal: "SIGSEGV" }) => die(status),
  };
}

const ORDERS: Orders = { port: 8080, file: null, hide: [], secrets: { tls: null, users: null } };

function stage(onStart: (worker: Puppet) => unknown) {
  const started: Puppet[] = [];
  const messages: string[] = [];
  const orders = { current: ORDERS };
  const queue = createQueue({ concurrent: 1, queue: 1, perClient: 1, waitMs: Infinity });
  const fleet = startFleet({
    workers: {
      start() {
        const worker = makePuppet(started.length + 1);
        started.push(worker);
        queueMicrotask(() => onStart(worker));
        return worker;
      },
    },
    count: 2,
    orders: () => orders.current,
    queue,
    log: (event: LogEvent) => void (event.type === "message" && messages.push(event.message)),
  });
  return { started, messages, fleet, orders };
}

/** Says what a worker says that can answer. */
function answersRequests(worker: Puppet): void {
  worker.say({ type: "hello" });
  worker.say({ type: "listening" });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test("each worker is told what to serve as it starts, and all of them when to stop", async () => {
  const { started, fleet } = stage(answersRequests);
  const { stop, ended } = await fleet;
  for (const { heard } of started) assert.deepEqual(heard, [{ type: "listen", orders: ORDERS }]);
  stop(500);
  stop(0);
  for (const { heard } of started) {
    assert.deepEqual(heard.slice(1), [{ type: "stop", graceMs: 500 }, { type: "stop", graceMs: 0 }]);
  }
  for (const worker of started) worker.die({ code: 0, signal: null });
  await ended;
  assert.equal(started.length, 2, "none is replaced at the end");
});

test("one that starts later is told what holds by then, and that the end is near", async () => {
  const { started, fleet, orders } = stage(answersRequests);
  const { share, drain, kill, ended } = await fleet;
  const secrets = { tls: null, users: { ada: "1815" } };
  orders.current = { ...ORDERS, secrets };
  share(secrets);
  drain();
  assert.deepEqual(started[1]!.heard.slice(1), [{ type: "secrets", secrets }, { type: "drain" }]);
  started[0]!.die();
  await until(() => started[2]?.heard.length === 2);
  assert.deepEqual(started[2]!.heard, [
    { type: "listen", orders: { ...ORDERS, secrets } },
    { type: "drain" },
  ]);
  kill();
  await ended;
});

test("one that is starting is told it as soon as it hears", async () => {
  const { started, fleet, orders } = stage((worker) => worker.id < 3 && answersRequests(worker));
  const { share, drain, kill, ended } = await fleet;
  started[0]!.die();
  await until(() => started.length === 3);
  const late = started[2]!;
  drain();
  assert.deepEqual(late.heard, []);
  late.say({ type: "hello" });
  assert.deepEqual(late.heard, [{ type: "listen", orders: ORDERS }, { type: "drain" }]);
  const secrets = { tls: null, users: { bob: "1815" } };
  orders.current = { ...ORDERS, secrets };
  share(secrets);
  assert.deepEqual(late.heard.slice(2), [{ type: "secrets", secrets }]);
  kill();
  await ended;
});

test("a worker that is starting keeps what it is told until somebody asks", async () => {
  const told: ToWorker[] = [];
  let say = (_message: ToWorker): void => {};
  const line = {
    send: () =>
      queueMicrotask(() => {
        say({ type: "listen", orders: ORDERS });
        say({ type: "secrets", secrets: { tls: null, users: null } });
      }),
    onMessage: (callback: (message: unknown) => void) => void (say = callback),
  };
  const { orders, onTold } = await askOrders(line);
  assert.equal(orders, ORDERS);
  say({ type: "drain" });
  onTold((message) => told.push(message));
  say({ type: "stop" });
  assert.deepEqual(told.map(({ type }) => type), ["secrets", "drain", "stop"]);
});

test("one that does not listen yet does not keep the others from stopping", async () => {
  const { started, fleet } = stage((worker) => worker.id < 3 && answersRequests(worker));
  const { stop, ended } = await fleet;
  started[0]!.die();
  await until(() => started.length === 3);
  stop(60_000);
  started[1]!.die({ code: 0, signal: null });
  await ended;
  assert.deepEqual(await started[2]!.exited, { code: null, signal: "SIGKILL" });
});

test("a worker that cannot start is an error, and the others go", async () => {
  const { started, fleet } = stage((worker) => {
    worker.say({ type: "hello" });
    if (worker.id === 2) worker.say({ type: "failed", message: "Port 8080 is in use" });
  });
  await assert.rejects(fleet, { name: "StartError", message: "Port 8080 is in use" });
  assert.deepEqual(await started[0]!.exited, { code: null, signal: "SIGKILL" });
});

test("a worker that ends without a word at the start is an error", async () => {
  const { fleet } = stage((worker) => worker.die({ code: 3, signal: null }));
  await assert.rejects(fleet, {
    name: "StartError",
    message: "--workers: a worker ended before it answered requests (exit status 3)",
  });
});

test("a worker that dies is replaced, each time after a longer pause", async () => {
  const { started, messages, fleet } = stage(answersRequests);
  const { kill, ended } = await fleet;
  started[0]!.die();
  await until(() => started.length === 3);
  // The one in its place dies as well, before it has said anything.
  started[2]!.die({ code: 1, signal: null });
  await until(() => started.length === 4);
  assert.deepEqual(messages.filter((message) => message.startsWith("worker")), [
    "worker 1 ended (SIGSEGV): another starts in 0.1 s",
    "worker 3 ended (exit status 1): another starts in 0.2 s",
  ]);
  kill();
  await ended;
});

test("no worker starts after the stop", async () => {
  const { started, fleet } = stage(answersRequests);
  const { stop, ended } = await fleet;
  started[0]!.die();
  await started[0]!.exited;
  stop(0);
  started[1]!.die({ code: 0, signal: null });
  await ended;
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(started.length, 2);
});

/**
 * The starter's side: several workers on one port, each replaced when it dies, all ended together.
 *
 * @module
 */

import type { Queue } from "../../cgi/queue.ts";
import { now } from "../../clock.ts";
import type { Log, LogLevel } from "../../log/events.ts";
import type { ExitStatus, Workers } from "../../runtime.ts";
import type { Secrets } from "../secrets.ts";
import { StartError } from "../start_error.ts";
import type { FromWorker, Orders, ToWorker } from "./messages.ts";
import { serveQueue } from "./shared_queue.ts";

/** What the workers are started with. */
export interface FleetOptions {
  readonly workers: Pick<Workers, "start">;
  readonly count: number;
  /** What a worker is told that starts now. */
  orders(): Orders;
  /** For the scripts of all of them. */
  readonly queue: Queue;
  readonly log: Log;
}

/** Workers that answer requests. */
export interface Fleet {
  /** Lets them tell probes that the end is near. */
  drain(): void;
  /** Ends them; what runs may go on for so long. Again, with less time, for those that are still there. */
  stop(graceMs?: number): void;
  /** Lets them use another certificate and other passwords. */
  share(secrets: Secrets): void;
  /** Ends them without a word. */
  kill(): void;
  /** Settles when the last has ended after `stop` or `kill`. */
  readonly ended: Promise<void>;
}

/** Pauses before a worker is replaced, in milliseconds: doubled each time it does not live as long as the longest. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;

/**
 * Starts the workers. Resolves once each of them answers requests.
 *
 * @throws {StartError} When one of them cannot.
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { log, count } = options;
  const running = new Set<Member>();
  const pauses = new Set<ReturnType<typeof setTimeout>>();
  let draining = false;
  let stopping = false;
  let finish = (): void => {};
  const ended = new Promise<void>((resolve) => finish = resolve);

  function launch(pause: number): Promise<void> {
    const member = startMember(options);
    running.add(member);
    const since = now();
    member.exited.then((status) => {
      running.delete(member);
      if (stopping) return endIfLast();
      if (!started) return;
      const next = now() - since > LONGEST_PAUSE ? FIRST_PAUSE : pause;
      tell("error", `worker ${member.id} ended (${describe(status)}): another starts in ${next / 1000} s`);
      const timer = setTimeout(() => {
        pauses.delete(timer);
        // What it could not do, the log says; its end brings the next.
        launch(Math.min(2 * next, LONGEST_PAUSE)).catch((error) => tell("error", String(error.message)));
      }, next);
      pauses.add(timer);
    });
    if (draining) member.send({ type: "drain" });
    return member.ready;
  }
  function tell(level: LogLevel, message: string): void {
    log({ type: "message", level, source: "server", message });
  }
  function endIfLast(): void {
    if (running.size === 0) finish();
  }
  function sendAll(message: ToWorker): void {
    for (const member of running) member.send(message);
  }
  function endAll(end: (member: Member) => void): void {
    stopping = true;
    for (const timer of pauses) clearTimeout(timer);
    for (const member of running) end(member);
    endIfLast();
  }

  let started = false;
  try {
    await Promise.all(Array.from({ length: count }, () => launch(FIRST_PAUSE)));
    started = true;
  } catch (error) {
    endAll((member) => member.kill());
    throw error;
  }
  return {
    drain() {
      draining = true;
      sendAll({ type: "drain" });
    },
    stop(graceMs) {
      // One that does not listen yet would not hear of it, and serves nobody.
      const message: ToWorker = { type: "stop", ...(graceMs !== undefined && { graceMs }) };
      endAll((member) => member.isReady() ? member.send(message) : member.kill());
    },
    share: (secrets) => sendAll({ type: "secrets", secrets }),
    kill: () => endAll((member) => member.kill()),
    ended,
  };
}

/** One worker. */
interface Member {
  readonly id: number;
  /** Resolves once it answers requests; rejects with a {@linkcode StartError}. */
  readonly ready: Promise<void>;
  isReady(): boolean;
  readonly exited: Promise<ExitStatus>;
  /** As long as it has not said hello it hears nothing: it is told then. */
  send(message: ToWorker): void;
  kill(): void;
}

function startMember({ workers, orders, queue }: FleetOptions): Member {
  const worker = workers.start();
  const early: ToWorker[] = [];
  let hears = false;
  let isReady = false;
  const ready = new Promise<void>((resolve, reject) => {
    worker.onMessage((message) => {
      const said = message as FromWorker;
      if (said.type === "hello") {
        hears = true;
        send({ type: "listen", orders: orders() });
        early.forEach(send);
      }
      if (said.type === "listening") {
        isReady = true;
        resolve();
      }
      if (said.type === "failed") reject(new StartError(said.message));
    });
    worker.exited.then((status) => {
      reject(new StartError(`--workers: a worker ended before it answered requests (${describe(status)})`));
    });
  });
  serveQueue(queue, worker, worker.exited);
  function send(message: ToWorker): void {
    if (hears) worker.send(message);
    else early.push(message);
  }
  const { id, exited, kill } = worker;
  return { id, ready, isReady: () => isReady, exited, send, kill };
}

function describe({ code, signal }: ExitStatus): string {
  return signal ?? `exit status ${code}`;
}

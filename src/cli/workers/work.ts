/**
 * A worker's side: what the one that started it decides, says and is told in its place.
 *
 * @module
 */

import { SPOOL_DISK } from "../../cgi/settings.ts";
import type { Log } from "../../log/events.ts";
import type { Line, Runtime } from "../../runtime.ts";
import { runsScripts, type SiteCgiOptions, type SiteOptions } from "../../site_options.ts";
import type { Settings } from "../settings.ts";
import { type LoggedSite, type OpenSite, openSite } from "../open.ts";
import type { FromWorker, Orders, ToWorker } from "./messages.ts";
import { queueOver } from "./shared_queue.ts";

/** The one that started this worker. */
export interface Starter {
  readonly line: Line;
  /** What it has found out. */
  readonly orders: Orders;
  /** Calls back with what it says after its orders: first with what it has said meanwhile. */
  onTold(callback: (message: ToWorker) => void): void;
}

/** Resolves once the starter has given its orders. */
export function askOrders(line: Line): Promise<Starter> {
  const meanwhile: ToWorker[] = [];
  let tell = (message: ToWorker): void => void meanwhile.push(message);
  function onTold(callback: (message: ToWorker) => void): void {
    meanwhile.splice(0).forEach(callback);
    tell = callback;
  }
  return new Promise((resolve) => {
    line.onMessage((message) => {
      const said = message as ToWorker;
      if (said.type === "listen") resolve({ line, orders: said.orders, onTold });
      else tell(said);
    });
    say(line, { type: "hello" });
  });
}

/** The whole life of a worker. Resolves with its exit status. */
export async function work(
  { line, orders: { port, secrets }, onTold }: Starter,
  runtime: Runtime,
  settings: Settings,
  { log, ...options }: LoggedSite,
): Promise<number> {
  const own = { ...options, cgi: shareScripts(options, settings.workers, line), log: workerLog(log) };
  try {
    const started = await openSite(runtime, { ...settings, port }, own, secrets);
    // Before its first request: nobody comes in with a password that is one no longer.
    const stopped = untilTold(onTold, started);
    say(line, { type: "listening" });
    return await stopped;
  } catch (error) {
    say(line, { type: "failed", message: error instanceof Error ? error.message : String(error) });
    return 1;
  }
}

/** Does what the starter says, until that is to end. What there is to say about it the starter says. */
function untilTold(
  onTold: Starter["onTold"],
  { server, site, drain, take }: OpenSite,
): Promise<number> {
  return new Promise((resolve, reject) => {
    onTold((message) => {
      if (message.type === "drain") drain();
      if (message.type === "secrets") take(message.secrets);
      if (message.type === "stop") {
        const { graceMs } = message;
        const closed = server.close(graceMs);
        // The end of the process breaks whatever is still open then. On Bun, connections of TLS take seconds to break.
        const rest = graceMs === 0 ? null : closed;
        Promise.all([rest, site.close(graceMs)]).then(() => resolve(0), reject);
      }
    });
  });
}

function say(line: Line, message: FromWorker): void {
  line.send(message);
}

/** The log of a worker: what is worth knowing is said once, by the starter. */
function workerLog(log: Log): Log {
  return (event) => {
    if (event.type !== "message" || event.level !== "info") log(event);
  };
}

/** The scripts of a worker: what limits them holds for all workers together. */
function shareScripts(options: SiteOptions, count: number, line: Line): boolean | SiteCgiOptions {
  if (!runsScripts(options)) return options.cgi ?? false;
  const cgi = typeof options.cgi === "object" ? options.cgi : {};
  const { spoolDisk = SPOOL_DISK } = cgi.limits ?? {};
  return { ...cgi, limits: { ...cgi.limits, spoolDisk: spoolDisk / count }, queue: queueOver(line) };
}

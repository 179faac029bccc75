/**
 * The end of a server: gracefully at the first signal, at once at the second.
 *
 * @module
 */

import type { Log } from "../log/events.ts";
import type { Terminal } from "../runtime.ts";
import type { Started } from "./open.ts";
import type { Settings } from "./settings.ts";

/** What is ended. */
export interface Stoppable extends Pick<Started, "site" | "drain" | "reload"> {
  readonly server: Pick<Started["server"], "close">;
}

/** A stop that takes longer than this is explained, in milliseconds. */
const PATIENCE = 500;

/**
 * Closes the server and ends the scripts once a signal has come. Resolves with the exit status when the process may end.
 *
 * - The first signal: probes are told; after `drainMs` no new connections, and what runs may go on for `graceMs`.
 * - The second: connections break. Scripts are told to end and are forced to a moment later, so that none outlives us.
 * - The third waits for nothing.
 *
 * A closed terminal is the first of these signals; any other SIGHUP lets files be read anew.
 */
export function untilStopped(
  terminal: Pick<Terminal, "onStop" | "onHangup" | "stderr" | "isTerminal">,
  { drainMs, graceMs }: Pick<Settings, "drainMs" | "graceMs">,
  { server, site, drain, reload }: Stoppable,
  log: Log,
): Promise<number> {
  let signals = 0;
  return new Promise((resolve, reject) => {
    const end = () => resolve(0);
    function stop(): void {
      signals++;
      if (signals === 1) closeGracefully().then(end, reject);
      else if (signals === 2) breakOff().then(end, reject);
      else end();
    }
    terminal.onStop((signal) => {
      // The terminal has shown ^C: what comes next is not to stand behind it.
      if (signal === "SIGINT" && terminal.isTerminal.stderr) terminal.stderr("\n");
      stop();
    });
    terminal.onHangup((isGone) => {
      if (!isGone) void reload();
      // Whoever has closed the terminal cannot press Ctrl-C: what runs may end, but nothing is broken off.
      else if (signals === 0) stop();
    });
  });

  function tell(message: string): void {
    log({ type: "message", level: "info", source: "server", message });
  }
  async function closeGracefully(): Promise<void> {
    drain();
    if (drainMs > 0) {
      tell(`stopping in ${drainMs / 1000} s, as probes are told; a second signal (Ctrl-C) stops at once`);
      await new Promise((resolve) => setTimeout(resolve, drainMs));
      if (signals > 1) return;
    }
    const timer = setTimeout(() => {
      const limit = `at most ${graceMs / 1000} s; a second signal (Ctrl-C) breaks them off`;
      tell(`waiting for open responses and scripts, ${limit}`);
    }, PATIENCE);
    await Promise.all([server.close(graceMs), site.close(graceMs)]);
    clearTimeout(timer);
  }
  async function breakOff(): Promise<void> {
    // The end of the process breaks whatever this leaves open.
    server.close(0).catch(() => {});
    await site.close(0);
  }
}

/**
 * The end of a server: gracefully at the first signal, at once at the second.
 *
 * @module
 */

import type { Listener, Terminal } from "../runtime.ts";
import type { SiteHandler } from "../site.ts";

/** A stop that takes longer than this is explained, in milliseconds. */
const PATIENCE = 500;

/**
 * Closes the server and ends the scripts once a signal has come. Resolves with the exit status when the process may end.
 *
 * - The first signal: no new connections; what runs may go on for `graceMs`.
 * - The second: connections break. Scripts are told to end and are forced to a moment later, so that none outlives us.
 * - The third waits for nothing.
 */
export function untilStopped(
  terminal: Pick<Terminal, "onStop" | "stderr">,
  graceMs: number,
  server: Pick<Listener, "close">,
  site: Pick<SiteHandler, "close">,
): Promise<number> {
  let signals = 0;
  return new Promise((resolve, reject) => {
    const end = () => resolve(0);
    terminal.onStop(() => {
      signals++;
      if (signals === 1) closeGracefully().then(end, reject);
      else if (signals === 2) breakOff().then(end, reject);
      else end();
    });
  });

  async function closeGracefully(): Promise<void> {
    const timer = setTimeout(() => {
      const limit = `at most ${graceMs / 1000} s; once more breaks them off`;
      terminal.stderr(`htbin: waiting for open responses and scripts, ${limit}\n`);
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

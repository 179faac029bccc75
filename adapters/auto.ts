/**
 * Chooses the adapter of the runtime that is running, and makes it the one that is used where none is given.
 *
 * @module
 */

import { useClock } from "../src/clock.ts";
import { provideRuntime, type Runtime } from "../src/runtime.ts";

/**
 * The runtime that is running.
 *
 * @example
 * ```ts
 * import { runtime } from "htbin/auto";
 *
 * console.assert(["deno", "bun", "node"].includes(runtime.name));
 * ```
 */
export const runtime: Runtime = await load();

provideRuntime(runtime);
if (runtime.now !== undefined) useClock(runtime.now);

// Literal specifiers, so that bundlers and publishing can follow them.
async function load(): Promise<Runtime> {
  if ("Deno" in globalThis) return (await import("./deno.ts")).deno;
  if ("Bun" in globalThis) return (await import("./bun.ts")).bun;
  return (await import("./node.ts")).node;
}

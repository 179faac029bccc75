/**
 * How V8 collects garbage in a program that is a server and nothing else.
 *
 * @module
 */

import { afterFirstConnection } from "./first_connection.ts";

/** How long it is left as it is, in milliseconds: the first client has its answer, and code_cache.ts what it keeps. */
const PAUSE = 1000;

/**
 * Lets the heap grow to five times of what is alive, 50 MB here, before all of it is looked at.
 *
 * Each piece of a body that comes or goes is a buffer outside of the heap, and counts. Small collections free them, but
 * come after 32 MB; with its usual limit V8 looks at the whole heap every 10 to 20 MB instead, in threads that take the
 * processor from the server and its scripts: such bodies take twice the time.
 *
 * Not at once: V8 takes code that was compiled before, as all of Node's own is, only under the flags that were set then.
 * What Node loads after this is compiled anew, which takes 3 ms for what comes with `listen()`, and more for what comes
 * with the first request.
 */
export function letHeapGrow(): void {
  afterFirstConnection(PAUSE, async () => {
    const { setFlagsFromString } = await import("node:v8");
    setFlagsFromString("--heap-growing-percent=400");
  });
}

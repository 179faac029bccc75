/**
 * This process as a CGI script, on the runtime that is running. Apart from `auto.ts`, since a script starts for every
 * request: nothing of a server is loaded.
 *
 * @module
 */

import { provideScript, type ScriptProcess } from "../../src/runtime.ts";

provideScript(await load());

// Literal specifiers, so that bundlers and publishing can follow them.
async function load(): Promise<ScriptProcess> {
  if ("Deno" in globalThis) return (await import("../deno/script.ts")).script;
  if ("Bun" in globalThis) return (await import("../bun/script.ts")).script;
  return (await import("../node/script.ts")).script;
}

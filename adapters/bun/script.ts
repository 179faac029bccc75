/**
 * This process as a CGI script, on Bun.
 *
 * @module
 */

import type { ScriptProcess } from "../../src/runtime.ts";
import { divertibleConsole } from "../shared/divert_console.ts";
import { fileInput, nodeScript } from "../shared/node_script.ts";
import { completeTextResponses } from "./text_responses.ts";

const { process } = globalThis;
const divertConsole = divertibleConsole();

/** The process on Bun. */
export const script: ScriptProcess = nodeScript({
  stdin: fileInput,
  prepare() {
    divertConsole();
    divertStandardOutput();
    completeTextResponses();
  },
  exit: (code) => process.exit(code),
});

/**
 * Puts standard error in the place of `process.stdout`. Both are streams that are made when they are first used, which
 * takes longer than all else that a script does: so it is not asked for, neither here nor by `Object.defineProperty()`.
 */
function divertStandardOutput(): void {
  const stand = new Proxy({}, {
    get(_target, name) {
      const value: unknown = Reflect.get(process.stderr, name);
      return typeof value === "function" ? value.bind(process.stderr) : value;
    },
    set: (_target, name, value) => Reflect.set(process.stderr, name, value),
    has: (_target, name) => Reflect.has(process.stderr, name),
    getPrototypeOf: () => Reflect.getPrototypeOf(process.stderr),
  });
  (process as { stdout: unknown }).stdout = stand;
}

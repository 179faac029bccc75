/**
 * Parts of the runtime that most starts do without, asked for when they are first used: `import` would load them with
 * whatever imports it. That takes Bun 1 ms for `node:tty` and half of one for `node:os`, and Node a quarter for each.
 *
 * @module
 */

import type * as Os from "node:os";
import type * as Tty from "node:tty";
import { createRequire } from "node:module";
import { process } from "./process.ts";

/** The runtime has it in itself, so no descriptor is needed. Before 20.16, Node could not be asked. */
function part<T>(name: string): T {
  return (process.getBuiltinModule?.(name) ?? createRequire(import.meta.url)(name)) as T;
}

/** `node:os` */
export const os = (): typeof Os => part("node:os");

/** `node:tty` */
export const tty = (): typeof Tty => part("node:tty");

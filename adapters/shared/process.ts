/**
 * The process, on Node, Bun and Deno.
 *
 * `import … from "node:process"` would have Node make the three standard streams first, used or not: 4 ms of its start.
 *
 * @module
 */

/** The global object of the same name. */
export const process: NodeJS.Process = globalThis.process;

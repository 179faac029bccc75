/**
 * What a command-line program needs of its process, on Node.
 *
 * @module
 */

export { terminal } from "../shared/node_terminal.ts";

/**
 * What a command-line program needs of its process, on Bun.
 *
 * @module
 */

import type { Terminal } from "../../src/runtime.ts";
import { nodeTerminal } from "../shared/node_terminal.ts";

/** The process. A thread that waits in a write does not keep Bun from ending. */
export const terminal: Terminal = nodeTerminal(() => false);

/**
 * This process as a CGI script, on Bun.
 *
 * @module
 */

import process from "node:process";
import type { ScriptProcess } from "../../src/runtime.ts";
import { divertibleConsole } from "../shared/divert_console.ts";
import { fileInput, nodeScript } from "../shared/node_script.ts";
import { completeTextResponses } from "./text_responses.ts";

const divertConsole = divertibleConsole();
const shared = nodeScript(fileInput, (code) => process.exit(code));

/** The process on Bun. */
export const script: ScriptProcess = {
  ...shared,
  prepare() {
    divertConsole();
    shared.prepare();
    completeTextResponses();
  },
};

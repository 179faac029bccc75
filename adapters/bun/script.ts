/**
 * This process as a CGI script, on Bun.
 *
 * @module
 */

import process from "node:process";
import type { ScriptProcess } from "../../src/runtime.ts";
import { fileInput, nodeScript } from "../shared/node_script.ts";
import { completeTextResponses } from "./text_responses.ts";

const shared = nodeScript(fileInput, (code) => process.exit(code));

/** The process on Bun. */
export const script: ScriptProcess = {
  ...shared,
  prepare() {
    shared.prepare();
    completeTextResponses();
  },
};

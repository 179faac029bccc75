/**
 * One request from a CGI environment to a handler, and its response back.
 *
 * @module
 */

import { ClosedOutputError, type ScriptProcess } from "../runtime.ts";
import type { Body } from "./body.ts";
import { errorLine } from "./error_line.ts";
import { createExchange, sendOptions } from "./exchange.ts";
import type { RunOptions, ScriptContext, ScriptHandler } from "./options.ts";
import { ScriptRequestError } from "./request_error.ts";
import { sendResponse } from "./response.ts";
import { variable, type Variables } from "./variables.ts";

/** The exit status of a script that a server has ended (SIGTERM), as shells have it. */
const STOPPED = 128 + 15;

/** How long a handler may go on that the server has ended, in milliseconds. Servers kill after some seconds. */
const GRACE = 1000;

/** How long a server may take nothing of the response before more of the request is read, in milliseconds. */
const STUCK = 100;

/** Answers the request that the variables make; resolves with the exit status. */
export async function runScript(
  handler: ScriptHandler,
  options: RunOptions,
  script: ScriptProcess,
  variables: Variables,
): Promise<number> {
  const gone = new AbortController();
  let isStopped = false;
  const graceOver = new Promise<number>((resolve) => {
    script.onStop(() => {
      isStopped = true;
      gone.abort(new ClosedOutputError("The server has ended the script"));
      setTimeout(resolve, GRACE, STOPPED);
    });
  });
  // Some runtimes end a process in which nothing is under way but a promise, as if all had been said.
  const alive = setInterval(() => {}, 2 ** 30);
  const code = await Promise.race([answer(handler, options, script, variables, gone), graceOver]);
  clearInterval(alive);
  return isStopped ? STOPPED : code;
}

async function answer(
  handler: ScriptHandler,
  options: RunOptions,
  script: ScriptProcess,
  variables: Variables,
  gone: AbortController,
): Promise<number> {
  const background = new Set<Promise<void>>();
  let request: Request | null = null;
  let body: Body | null = null;
  let send = sendOptions(variables, options, gone.signal);
  let hasBegun = false;

  function report(error: unknown): void {
    if (error instanceof ClosedOutputError) return;
    if (options.onError === undefined) script.stderr(`${errorLine(error, request)}\n`);
    else options.onError(error, request);
  }
  const context: ScriptContext = {
    waitUntil(promise) {
      const work = Promise.resolve(promise).then(() => {}, report).finally(() => background.delete(work));
      background.add(work);
    },
    passThroughOnException() {},
    props: {},
  };
  async function write(bytes: Uint8Array): Promise<void> {
    hasBegun = true;
    const stuck = setTimeout(() => body?.readAhead(), STUCK);
    await script.stdout(bytes).finally(() => clearTimeout(stuck));
  }
  async function respond(): Promise<Response> {
    const exchange = createExchange(variables, options, script.stdin, gone.signal);
    ({ request, send, body } = exchange);
    const response = await handler(exchange.request, exchange.connection, context);
    return response ?? await errorResponse(404, request, variables, options);
  }
  /** Returns the exit status that says what has become of it. */
  async function fail(error: unknown): Promise<number> {
    if (error instanceof ClosedOutputError) gone.abort(error);
    if (gone.signal.aborted) return 0;
    report(error);
    // What is missing of a response that has begun cannot be had any more.
    if (hasBegun) return 1;
    const status = error instanceof ScriptRequestError ? error.status : 500;
    const response = await errorResponse(status, request, variables, options).catch((error) => {
      report(error);
      return errorResponse(status, request, variables, {});
    });
    await sendResponse(response, write, send);
    return status === 500 ? 1 : 0;
  }

  let code: number;
  try {
    code = await respond().then((response) => sendResponse(response, write, send)).then(() => 0, fail);
  } catch (error) {
    report(error);
    code = 1;
  }
  while (background.size > 0) await Promise.all(background);
  return code;
}

/** The page is loaded when it is needed: a script starts for every request. */
async function errorResponse(
  status: number,
  request: Request | null,
  variables: Variables,
  options: RunOptions,
): Promise<Response> {
  const { errorRenderer } = await import("../error_page.ts");
  const accept = variable(variables, "HTTP_ACCEPT") ?? "*/*";
  return await errorRenderer(options.renderError)({
    status,
    request: request ?? new Request("http://localhost/", { headers: { accept } }),
  });
}

/**
 * The other side of CGI: runs a fetch handler, such as a Hono app, as a script of any CGI server.
 *
 * ```js
 * #!/usr/bin/env -S node
 * import { Hono } from "hono";
 * import { runAsCgi } from "htbin/cgi-script";
 *
 * const app = new Hono();
 * app.get("/", (c) => c.text("Hello"));
 * await runAsCgi(app.fetch);
 * ```
 *
 * A script starts for every request, so nothing of a server is loaded here.
 *
 * @module
 */

import "../../adapters/shared/auto_script.ts";
import { currentScript, type ScriptProcess } from "../runtime.ts";
import { errorLine } from "./error_line.ts";
import type { RunOptions, ScriptHandler } from "./options.ts";
import { runScript } from "./run.ts";
import { isCgi, type Variables } from "./variables.ts";

export type { ErrorPage, RenderError } from "../error_page.ts";
export type { Connection, Handler } from "../handler.ts";
export type { NetworkAddress } from "../runtime.ts";
export type { ScriptConnection } from "./connection.ts";
export type { RunOptions, ScriptContext, ScriptHandler } from "./options.ts";
export { requestFromEnv, type RequestOptions } from "./request.ts";
export { ScriptRequestError } from "./request_error.ts";
export { type WriteOptions, writeResponse } from "./response.ts";
export type { Variables } from "./variables.ts";

/**
 * Answers the request that this process was started for (RFC 3875), and ends the process: with status 0, or with 1 when
 * the handler or its body has failed, so that the server knows. Never returns.
 *
 * The handler sees the path after the script's own, unless `stripScriptName` is `false`. What it prints with `console`
 * goes to standard error. When its client leaves, the response's body is cancelled and `request.signal` aborted.
 *
 * Started by hand, the process says so and ends with status 2; with a path as its only argument, it answers a GET
 * request for that.
 *
 * @throws {TypeError} When an option makes no sense.
 *
 * @example
 * ```ts
 * #!/usr/bin/env -S deno run -A
 * import { type RunOptions, runAsCgi, type ScriptConnection, type ScriptContext, type ScriptHandler } from "htbin/cgi-script";
 *
 * const handler: ScriptHandler = (request, connection: ScriptConnection, context: ScriptContext) => {
 *   context.waitUntil(Promise.resolve());
 *   return new Response(`${connection.remote?.hostname} asks for ${new URL(request.url).pathname}\n`);
 * };
 * const options: RunOptions = { trustedProxies: ["127.0.0.1"] };
 * await runAsCgi(handler, options);
 * ```
 */
export async function runAsCgi(handler: ScriptHandler, options: RunOptions = {}): Promise<never> {
  if (typeof handler !== "function") {
    throw new TypeError("Cannot run a handler that is not a function: of a Hono app it is `app.fetch`");
  }
  if (Object.keys(options).length > 0) (await import("./option_shape.ts")).checkRunOptions(options);
  const script = currentScript();
  return script.exit(await run(handler, options, script));
}

async function run(handler: ScriptHandler, options: RunOptions, script: ScriptProcess): Promise<number> {
  let variables: Variables | null;
  try {
    // The client's word (httpoxy, CVE-2016-5386): it would lead the handler's own requests to a proxy of the client's.
    const { HTTP_PROXY: _, ...rest } = script.environment();
    variables = rest;
  } catch (error) {
    script.stderr(`${errorLine(error, null)}\n`);
    return 1;
  }
  if (!isCgi(variables)) {
    const { HOW_TO_RUN, requestFromArguments } = await import("./command_line.ts");
    variables = requestFromArguments(script.args, variables);
    if (variables === null) {
      script.stderr(`${HOW_TO_RUN}\n`);
      return 2;
    }
  }
  script.prepare();
  script.unset("HTTP_PROXY");
  return await runScript(handler, options, script, variables);
}

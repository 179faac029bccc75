/**
 * `cgi()`: scripts as a request handler.
 *
 * @module
 */

import { checkOptions } from "../check_options.ts";
import { errorPage, errorRenderer } from "../error_page.ts";
import type { Connection } from "../handler.ts";
import { consoleLog } from "../log/console.ts";
import type { AtOnce } from "../at_once.ts";
import { isRefusal, requestPath, requestUrl, targetPath } from "../request_path.ts";
import { currentRuntime } from "../runtime.ts";
import { createDiagnosis } from "./diagnosis.ts";
import { createFailures } from "./failure.ts";
import { createLookup, passesByName } from "./lookup.ts";
import { CGI_OPTIONS, type CgiHandler, type CgiOptions, type ScriptCall } from "./options.ts";
import { createQueue } from "./queue.ts";
import { MOST_REDIRECTS } from "./redirect.ts";
import { createRunner } from "./runner.ts";
import type { Script } from "./script.ts";
import { resolveSettings } from "./settings.ts";

/**
 * Makes a handler that runs CGI scripts (RFC 3875).
 *
 * What lies outside of its directories and extensions is passed on (`undefined`). Inside, every request is answered: a
 * script that is not there with 404, one that may not run with 403, one whose output is no response with 502, one that
 * is too slow with 504, and 503 when too many run already. A file in a CGI directory is never sent as content.
 *
 * A script runs in its own process group with a clean environment; it is ended when the client leaves, when a time limit
 * is reached, and on `close()`. Its output reaches the client as it is written. When it fails after its head was sent,
 * the transfer is broken off and never looks complete.
 *
 * @throws {TypeError} For options that contradict each other or name something impossible.
 * @throws {RangeError} For a limit that is out of range.
 * @see https://www.rfc-editor.org/rfc/rfc3875
 *
 * @example
 * ```ts
 * import { cgi } from "htbin";
 *
 * const handler = cgi({ root: "examples/site/cgi-bin", timeouts: { total: 10 } });
 * const response = await handler(new Request("http://localhost/hello.sh"));
 * console.assert((await response?.text())?.startsWith("Hello"));
 * console.assert((await handler(new Request("http://localhost/nowhere")))?.status === 404);
 * await handler.close();
 * ```
 */
export function cgi(options: CgiOptions): CgiHandler {
  checkOptions("cgi()", options, CGI_OPTIONS);
  const files = options.fileSystem ?? currentRuntime().files;
  const processes = options.processes ?? currentRuntime().processes;
  const { log = consoleLog(), authorize } = options;
  const renderError = errorRenderer(options.renderError);
  const settings = resolveSettings(options, processes.processors);
  const find = createLookup(options, files, processes);
  const diagnose = createDiagnosis(options, files, processes);
  const failures = createFailures({ log, renderError, development: settings.development, diagnose });
  const queue = options.queue ?? createQueue(settings.limits);
  const runner = createRunner({ options, settings, files, processes, queue, failures, diagnose, log });

  async function handle(request: Request, connection: Connection = {}): Promise<Response | undefined> {
    const underway = connection.begun && runner.headStart.take(connection.begun);
    if (underway !== undefined) {
      const { script } = underway;
      return await runner.run({ call: callOf(request, connection, script), script }, underway);
    }
    const url = requestUrl(request);
    const path = requestPath(url);
    const mount = connection.mount ?? options.mount ?? "";
    if (isRefusal(path)) return await renderError({ status: path.refused, request });
    const found = await find(path, mount);
    if (found.kind === "pass") return undefined;
    if (found.kind === "refused") {
      const { status, reason, told } = found;
      if (status !== 404 || told) warnAbout(url, `answered ${status}: ${reason}`, connection);
      return await renderError({ status, request });
    }
    return await runFound(request, connection, found.script);
  }

  function warnAbout(url: URL, reason: string, { requestId }: Connection): void {
    log({
      type: "message",
      level: "warning",
      source: "cgi",
      message: `${url.pathname}: ${reason}`,
      ...(requestId === undefined ? {} : { requestId }),
    });
  }

  async function runFound(request: Request, connection: Connection, script: Script): Promise<Response> {
    const call = callOf(request, connection, script);
    const attempt = { call, script };
    if (request.method === "TRACE" || request.method === "CONNECT") {
      return await renderError({
        status: 405,
        request,
        headers: { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
      });
    }
    if ((connection.redirects ?? 0) > MOST_REDIRECTS) {
      return await failures.answer(attempt, {
        status: 500,
        reason: `more than ${MOST_REDIRECTS} local redirects, one after another`,
      });
    }
    const refused = await checkAuthorization(call);
    if (refused !== null) return refused;
    return await runner.run(attempt);
  }

  async function checkAuthorization(call: ScriptCall): Promise<Response | null> {
    if (authorize === undefined) return null;
    const verdict = await authorize(call);
    if (verdict instanceof Response) return verdict;
    // Anything but a plain yes is a no.
    return verdict === true ? null : await renderError({ status: 403, request: call.request });
  }

  async function answer(request: Request, connection: Connection = {}): Promise<Response | undefined> {
    try {
      return await handle(request, connection);
    } catch (error) {
      log({
        type: "message",
        level: "error",
        source: "cgi",
        message: `answered 500: ${describe(error)}`,
        ...(connection.requestId === undefined ? {} : { requestId: connection.requestId }),
      });
      // Not the option's: it may be what has failed.
      return errorPage({ status: 500, request });
    }
  }

  const passes = passesByName(options);
  const atOnce: AtOnce = (head, connection) => {
    const { mount = options.mount ?? "" } = connection;
    const path = targetPath(head.target);
    if (isRefusal(path)) return "later";
    if (passes(path, mount)) return undefined;
    const script = find.atOnce(path, mount);
    return script && runner.headStart.begin(head, connection, script) || "later";
  };

  return Object.assign(answer, {
    atOnce,
    async close(graceMs = 0): Promise<void> {
      queue.close();
      await runner.close(graceMs);
    },
  });
}

function callOf(
  request: Request,
  connection: Connection,
  { filename, scriptName, pathInfo }: Script,
): ScriptCall {
  return { request, connection, scriptFilename: filename, scriptName, pathInfo };
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/**
 * What would happen to a request for a script, without running it.
 *
 * @module
 */

import { checkOptions } from "../check_options.ts";
import type { Connection } from "../handler.ts";
import { isRefusal, requestPath, requestUrl } from "../request_path.ts";
import { currentRuntime, type FileSystem, type ProcessHost } from "../runtime.ts";
import { queryArguments } from "./arguments.ts";
import { createDiagnosis } from "./diagnosis.ts";
import { createEnvironment } from "./environment.ts";
import { createLookup } from "./lookup.ts";
import { CGI_OPTIONS, type CgiOptions } from "./options.ts";
import type { Script } from "./script.ts";
import { describeUser, resolveUser } from "./user.ts";

/** What was found out. */
export interface Explanation {
  /** Whether a script would run. */
  readonly found: boolean;
  /** For people, in lines. */
  readonly text: string;
}

/**
 * Tells which script a request leads to, how it would be started (arguments, working directory, user) and with which
 * environment, and ends with a command line that runs it by hand. Nothing is started; hooks other than `env` are not
 * asked.
 *
 * `target` is a path with a query, as in a request, or a whole URL. The request comes from this machine, with the method
 * and headers of `init`.
 *
 * @throws {TypeError} When the options make no sense, or the target is no URL.
 *
 * @example
 * ```ts
 * import { explainCgi, type Explanation } from "htbin";
 *
 * const options = { root: "examples/site", directories: ["cgi-bin"] };
 * const { found, text }: Explanation = await explainCgi(options, "/cgi-bin/hello.sh?name=x");
 * console.assert(found && text.includes("QUERY_STRING=name=x"));
 * ```
 */
export async function explainCgi(
  options: CgiOptions,
  target: string,
  init: Pick<RequestInit, "method" | "headers"> = {},
): Promise<Explanation> {
  checkOptions("explainCgi()", options, CGI_OPTIONS);
  const files = options.fileSystem ?? currentRuntime().files;
  const processes = options.processes ?? currentRuntime().processes;
  const request = makeRequest(target, init);
  const path = requestPath(requestUrl(request));
  if (isRefusal(path)) return { found: false, text: `${path.refused}: ${path.reason}\n` };
  const lookup = await createLookup(options, files, processes)(path, options.mount ?? "");
  if (lookup.kind === "pass") {
    return {
      found: false,
      text: `no script: ${path.encoded} is outside of the folders and endings of scripts\n`,
    };
  }
  if (lookup.kind === "refused") return { found: false, text: `${lookup.status}: ${lookup.reason}\n` };
  const text = await describe(options, request, lookup.script, files, processes);
  return { found: true, text };
}

async function describe(
  options: CgiOptions,
  request: Request,
  script: Script,
  files: FileSystem,
  processes: ProcessHost,
): Promise<string> {
  const url = requestUrl(request);
  const words = queryArguments(request, url.search.slice(1), options.indexedQueries ?? false);
  const argv = [script.program, ...script.args, ...words];
  const user = await resolveUser(options.user, processes);
  const variables = createEnvironment(options, processes)({
    request,
    url,
    connection: makeConnection(url),
    script,
    contentLength: contentLength(request),
    deadlineMs: options.timeouts?.total ? options.timeouts.total * 1000 : null,
  });
  const names = Object.keys(variables).sort();
  const problem = await createDiagnosis(options, files, processes)(script);
  const lines = [
    `script     ${script.filename}`,
    `arguments  ${argv.map(quote).join(" ")}`,
    `directory  ${script.cwd}`,
    `user       ${describeUser(options.user, user, processes) ?? "the server's own"}`,
    ...problem === null ? [] : [`problem    ${problem}`],
    "environment",
    ...names.map((name) => `  ${name}=${escapeControls(variables[name] as string)}`),
    "by hand",
    `  cd ${quote(script.cwd)} && env -i \\`,
    ...names.map((name) => `    ${quote(`${name}=${variables[name]}`)} \\`),
    `    ${argv.map(quote).join(" ")}`,
  ];
  return lines.join("\n") + "\n";
}

function makeRequest(target: string, init: Pick<RequestInit, "method" | "headers">): Request {
  // A path stays one, also when it begins with two slashes.
  const url = new URL(target.startsWith("/") ? `http://127.0.0.1:8000${target}` : target);
  const request = new Request(url, init);
  if (!request.headers.has("host")) request.headers.set("host", url.host);
  return request;
}

function makeConnection(url: URL): Connection {
  const secure = url.protocol === "https:";
  return {
    remote: { hostname: "127.0.0.1", port: 0 },
    local: { hostname: "127.0.0.1", port: Number(url.port) || (secure ? 443 : 80) },
    secure,
    requestId: "explain",
  };
}

function contentLength(request: Request): number | null {
  const length = request.headers.get("content-length") ?? "";
  return /^\d+$/.test(length) ? Number(length) : null;
}

const CONTROLS = /[\x00-\x1f\x7f]/g;

/** As a shell takes it for one word, and without anything that a terminal would obey. */
function quote(word: string): string {
  if (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word)) return word;
  if (word.search(CONTROLS) < 0) return singleQuote(word);
  const escaped = word.replaceAll("\\", "\\\\").replace(
    CONTROLS,
    (control) => `\\0${control.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return `"$(printf %b ${singleQuote(escaped)})"`;
}

function singleQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** One line, and nothing that a terminal would obey. */
function escapeControls(text: string): string {
  return text.replace(
    CONTROLS,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/**
 * X-Sendfile: a file that is sent in the place of a script's body, with conditions and ranges, from the folders that the
 * operator names.
 *
 * @module
 */

import type { Fields } from "../fields.ts";
import { FileError, type FileSystem, type OpenFile } from "../runtime.ts";
import { fileResponse, toResponse } from "../static/file_response.ts";
import { mediaTypes } from "../static/media_type.ts";
import { fileValidators } from "../static/validators.ts";
import type { Failure } from "./failure.ts";
import { absolutePath, baseName, isAbsolutePath, namesBelow } from "./file_path.ts";
import type { Answer } from "./response.ts";

/** What sending a file needs of the request it answers. */
export interface SendFileExchange {
  readonly request: Request;
  fail(failure: Failure): Promise<Response>;
}

/** Sends the file with this path. */
export type SendFile = (path: string, answer: Answer, exchange: SendFileExchange) => Promise<Response>;

/** Headers of the script that the file answers for. */
const OF_THE_FILE: readonly string[] = [
  "accept-ranges",
  "content-encoding",
  "content-range",
  "etag",
  "last-modified",
];

const DEFAULT_TYPE = "application/octet-stream";

/**
 * Makes it for an allow-list of folders.
 *
 * @throws {TypeError} For a folder without an absolute path.
 */
export function createSendFile(folders: readonly string[], files: FileSystem): SendFile {
  for (const folder of folders) {
    if (!isAbsolutePath(folder)) {
      throw new TypeError(`Cannot use "${folder}" in the option sendfile: it must be an absolute path`);
    }
  }
  // Without a folder, nothing is sent.
  const typeOf = folders.length === 0 ? null : mediaTypes({}, DEFAULT_TYPE);

  async function isAllowed(realPath: string): Promise<boolean> {
    for (const folder of folders) {
      const real = await files.realPath(folder);
      if (real !== null && namesBelow(real, realPath) !== null) return true;
    }
    return false;
  }
  /** The file, or the reason why it is not sent. */
  async function open(path: string): Promise<OpenFile | Failure> {
    if (folders.length === 0) {
      return refuse(502, `wants ${path} sent, but the option sendfile names no folder`);
    }
    if (!isAbsolutePath(path)) return refuse(502, `wants ${path} sent, which is not an absolute path`);
    // By its name first: what is there outside of the folders is nobody's business.
    const real = await files.realPath(absolutePath(path, "/"));
    if (real === null) return refuse(404, `wants ${path} sent, which is not there`);
    if (!await isAllowed(real)) {
      return refuse(403, `wants ${path} sent, which is in none of the folders of sendfile`);
    }
    return await files.open(real) ?? refuse(404, `wants ${path} sent, which is not a regular file`);
  }

  return async function sendFile(path, answer, { request, fail }) {
    let file: OpenFile | Failure;
    try {
      file = await open(decodePath(path));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      file = refuse(error.reason === "exhausted" ? 503 : 403, `wants ${path} sent: ${error.message}`);
    }
    if ("reason" in file) return await fail(file);
    const type = answer.headers.get("content-type") ?? typeOf?.(baseName(path)) ?? DEFAULT_TYPE;
    return await send(file, type, answer, request, fail);
  };
}

async function send(
  file: OpenFile,
  type: string,
  answer: Answer,
  request: Request,
  fail: SendFileExchange["fail"],
): Promise<Response> {
  const representation = {
    file,
    type,
    validators: fileValidators(file.info),
    coding: null,
    onTheFly: false,
    varies: false,
  };
  // Conditions and ranges are of a document that is read (RFC 9110 sections 13.1, 14.2).
  const reading = request.method === "GET" || request.method === "HEAD" ? request : new Request(request.url);
  const sent = await fileResponse(representation, reading, (headers) => addScriptHeaders(headers, answer));
  if ("problem" in sent) {
    return await fail({
      status: sent.problem,
      reason: "a condition or range of the request that the file does not meet",
      headers: sent.headers,
    });
  }
  return toResponse(sent);
}

/** The script's own headers win, but for those that the file's bytes decide. */
function addScriptHeaders(headers: Fields, answer: Answer): void {
  for (const [name, value] of answer.headers.toHeaders()) {
    if (OF_THE_FILE.includes(name)) continue;
    if (name === "set-cookie") headers.append(name, value);
    else headers.set(name, value);
  }
}

/** A header's characters are bytes (see `latin1()`), and file names are UTF-8. */
function decodePath(path: string): string {
  if (!/[\x80-\xff]/.test(path)) return path;
  const bytes = Uint8Array.from(path, (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

function refuse(status: number, reason: string): Failure {
  return { status, reason };
}

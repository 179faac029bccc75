/**
 * A request as the handler sees it, and how its response is written.
 *
 * @module
 */

import { type Body, createBody } from "./body.ts";
import { type ScriptConnection, scriptConnection } from "./connection.ts";
import type { RunOptions } from "./options.ts";
import { createPublish } from "./public_path.ts";
import { hasBody, makeRequest, readRequest } from "./request.ts";
import type { SendOptions } from "./response.ts";
import { isServer, variable, type Variables } from "./variables.ts";

/** One request and the way back. */
export interface Exchange {
  readonly request: Request;
  readonly connection: ScriptConnection;
  readonly send: SendOptions;
  /** The request's body, when it has one. */
  readonly body: Body | null;
}

/**
 * Makes the request. `open` is called when it has a body.
 *
 * @throws {ScriptRequestError} When the variables make none.
 */
export function createExchange(
  variables: Variables,
  options: RunOptions,
  open: (limit: number | null) => ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Exchange {
  const call = readRequest(variables, options);
  const { origin, scriptPath, mount, pathInfo, search } = call.url;
  const isStripped = options.stripScriptName ?? true;
  const url = origin + (isStripped ? pathInfo || "/" : scriptPath + pathInfo) + search;
  const body = hasBody(call) ? createBody(open(call.length), call.length) : null;
  const isMoved = isStripped && scriptPath !== "";
  return {
    request: makeRequest(call, url, body?.stream ?? null, signal),
    connection: scriptConnection(variables, call, isStripped ? "" : mount),
    body,
    send: {
      ...sendOptions(variables, options, signal),
      ...(isMoved && { publish: createPublish(url, scriptPath) }),
    },
  };
}

/** How any response is written, also one to a request that could not be made. */
export function sendOptions(variables: Variables, options: RunOptions, signal: AbortSignal): SendOptions {
  const method = variable(variables, "REQUEST_METHOD") ?? "GET";
  const nph = options.nph ?? isNph(variables);
  // busybox closes without saying so, and a client may send its next request into that.
  return { method, nph, closes: nph || isServer(variables, "busybox httpd"), signal };
}

/** Whether the server takes this script for one that writes HTTP. One that is included in a page never does. */
function isNph(variables: Variables): boolean {
  if (variable(variables, "SERVER_PROTOCOL") === "INCLUDED") return false;
  const path = variable(variables, "SCRIPT_FILENAME") ?? variable(variables, "SCRIPT_NAME") ?? "";
  return /(?:^|[/\\])nph-[^/\\]*$/.test(path);
}

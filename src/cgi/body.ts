/**
 * From a request's body to a script's standard input (RFC 3875 section 4.2).
 *
 * Nothing here touches `request.body` before the script is accepted to run: reading it is what makes a server answer
 * `Expect: 100-continue`.
 *
 * @module
 */

import { type ByteFlow, flowOf } from "../byte_flow.ts";
import type { Command, ProcessHost } from "../runtime.ts";
import {
  type BodyEvents,
  type BodyReader,
  type BodyRefusal,
  cancelBody,
  type Collected,
  collectSoon,
  concat,
  meteredStream,
  readInTime,
  refuseBody,
  refuseLargeBody,
} from "./body_reading.ts";
import type { RunSettings } from "./settings.ts";
import { createSpooler } from "./spool_body.ts";

/** What a request's head says of its body. */
export type DeclaredBody =
  /** A length of 0. */
  | { readonly kind: "none" }
  | { readonly kind: "known"; readonly length: number }
  /** Chunked, HTTP/2 without a length, or nothing said. */
  | { readonly kind: "unknown" }
  | BodyRefusal;

/** A body on its way to a script. */
export interface ScriptInput {
  readonly kind: "input";
  readonly stdin: Command["stdin"];
  /** For CONTENT_LENGTH; `null` when it is not known. */
  readonly length: number | null;
  /** Drops what the script has not taken and frees what the body took. Harmless the second time. */
  release(): void;
}

/** Reads what the request's head says, and no more. */
export function declaredBody(request: Request, settings: RunSettings, protocol?: string): DeclaredBody {
  const { limits, chunked } = settings;
  const declared = request.headers.get("content-length");
  const coding = request.headers.get("transfer-encoding");
  const encoded = coding !== null;
  if (declared !== null && (encoded || !/^\d+$/.test(declared))) {
    // RFC 9112 section 6.3: two framings are how a request is smuggled.
    return refuseBody(400, `a Content-Length that cannot be relied on: ${declared}`);
  }
  // Section 6.1: HTTP/1.0 has no codings, and a proxy of that age in front of us would not see where this body ends.
  if (encoded && protocol === "HTTP/1.0") return refuseBody(400, "a Transfer-Encoding over HTTP/1.0");
  // The script would get the bytes of a coding that nothing tells it of (RFC 3875 section 4.2).
  if (encoded && coding.trim().toLowerCase() !== "chunked") {
    return refuseBody(501, "a Transfer-Encoding other than chunked");
  }
  if (declared !== null) {
    const length = Number(declared);
    if (length > limits.body) return refuseLargeBody(limits.body);
    return length === 0 ? { kind: "none" } : { kind: "known", length };
  }
  if (chunked === "refuse" && encoded) return refuseBody(411, "a request body without a Content-Length");
  return { kind: "unknown" };
}

/** Bodies up to this size are taken whole before the script starts, if they are there already. */
const SMALL_BODY = 65_536;

/** Hands request bodies over. One per `cgi()`: all its requests share the room on disk. */
export interface BodyHost {
  prepare(request: Request, declared: DeclaredBody, events: BodyEvents): Promise<ScriptInput | BodyRefusal>;
}

/** Makes a {@linkcode BodyHost}. */
export function createBodyHost(
  settings: RunSettings,
  processes: Pick<ProcessHost, "spool">,
): BodyHost {
  const { limits, times } = settings;
  const spool = createSpooler(settings, processes);

  async function prepare(
    request: Request,
    declared: DeclaredBody,
    events: BodyEvents,
  ): Promise<ScriptInput | BodyRefusal> {
    if (declared.kind === "refused") return declared;
    if (declared.kind === "none") return input(null, 0);
    const { body } = request;
    // Not announced, or (GET on Deno) kept by the runtime.
    if (body === null) return input(null, null);
    const reader = body.getReader() as BodyReader;
    if (declared.kind === "known") return await prepareKnown(reader, declared.length, events, flowOf(body));
    const empty = request.headers.has("transfer-encoding") ? 0 : null;
    if (settings.chunked === "spool") {
      const spooled = await spool(reader);
      if ("kind" in spooled) return spooled;
      const { stdin, size, release } = spooled;
      return input(stdin, size === 0 ? empty : size, release);
    }
    return await prepareStreamed(reader, events);
  }

  async function prepareKnown(
    reader: BodyReader,
    length: number,
    events: BodyEvents,
    flow: ByteFlow | undefined,
  ): Promise<ScriptInput | BodyRefusal> {
    const drop = (): void => cancelBody(reader);
    if (length > SMALL_BODY) {
      return input(meteredStream(reader, { length, limit: Infinity, events }, flow), length, drop);
    }
    const collected: Collected = { bytes: [], size: 0 };
    const waiting = await collectSoon(reader, collected, length);
    if (waiting !== null) {
      const { pending } = waiting;
      return input(
        meteredStream(reader, { length, limit: Infinity, events, collected, pending }),
        length,
        drop,
      );
    }
    if (collected.size === length) {
      // Deno keeps a connection, even one to be closed, for as long as the end of the body has not been read.
      reader.read().catch(() => {});
      return input(concat(collected.bytes), length);
    }
    return refuseBody(400, `a request body of ${collected.size} bytes, which said ${length}`);
  }

  /** Without a length only the first byte tells a body from none. */
  async function prepareStreamed(
    reader: BodyReader,
    events: BodyEvents,
  ): Promise<ScriptInput | BodyRefusal> {
    let first = await readInTime(reader, times.idleMs);
    // Deno gives one empty piece where there is no body.
    while (!("kind" in first) && !first.done && first.value.length === 0) {
      first = await readInTime(reader, times.idleMs);
    }
    if ("kind" in first) return first;
    if (first.done) return input(null, null);
    if (settings.chunked === "refuse") {
      cancelBody(reader);
      return refuseBody(411, "a request body without a Content-Length");
    }
    const collected = { bytes: [first.value], size: first.value.length };
    const stream = meteredStream(reader, { length: null, limit: limits.body, events, collected });
    return input(stream, null, () => cancelBody(reader));
  }

  return { prepare };
}

function input(
  stdin: Command["stdin"],
  length: number | null,
  release: () => void = () => {},
): ScriptInput {
  return { kind: "input", stdin, length, release };
}

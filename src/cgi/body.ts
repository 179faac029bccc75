/**
 * From a request's body to a script's standard input (RFC 3875 section 4.2).
 *
 * Nothing here touches `request.body` before the script is accepted to run: reading it is what makes a server answer
 * `Expect: 100-continue`.
 *
 * @module
 */

import type { Bytes, Command, ProcessHost, SpoolFile } from "../runtime.ts";
import type { RunSettings } from "./settings.ts";

/** What a request's head says of its body. */
export type DeclaredBody =
  /** A length of 0. */
  | { readonly kind: "none" }
  | { readonly kind: "known"; readonly length: number }
  /** Chunked, HTTP/2 without a length, or nothing said. */
  | { readonly kind: "unknown" }
  | BodyRefusal;

/** A body that is not taken. */
export interface BodyRefusal {
  readonly kind: "refused";
  readonly status: 400 | 408 | 411 | 413 | 503;
  /** For the log. */
  readonly reason: string;
}

/** A body on its way to a script. */
export interface ScriptInput {
  readonly kind: "input";
  readonly stdin: Command["stdin"];
  /** For CONTENT_LENGTH; `null` when it is not known. */
  readonly length: number | null;
  /** Drops what the script has not taken and frees what the body took. Harmless the second time. */
  release(): void;
}

/** What happens while a body is handed over. */
export interface BodyEvents {
  /** Bytes have moved. */
  progress(): void;
  /** The body broke off, or ended before its length: the client has left. The script must not take it for whole. */
  broken(reason: string): void;
  /** It is larger than allowed. */
  tooLarge(): void;
}

/** Reads what the request's head says, and no more. */
export function declaredBody(request: Request, settings: RunSettings): DeclaredBody {
  const { limits, chunked } = settings;
  const declared = request.headers.get("content-length");
  const encoded = request.headers.has("transfer-encoding");
  if (declared !== null && (encoded || !/^\d+$/.test(declared))) {
    // RFC 9112 section 6.3: two framings are how a request is smuggled.
    return refuse(400, `a Content-Length that cannot be relied on: ${declared}`);
  }
  if (declared !== null) {
    const length = Number(declared);
    if (length > limits.body) return tooLarge(limits.body);
    return length === 0 ? { kind: "none" } : { kind: "known", length };
  }
  if (chunked === "refuse" && encoded) return refuse(411, "a request body without a Content-Length");
  return { kind: "unknown" };
}

/** Bodies up to this size are taken whole before the script starts, if they are there already. */
const SMALL_BODY = 65_536;

/** How long a small body is waited for, in milliseconds. */
const SMALL_BODY_WAIT = 10;

/** What of a request's body has been read. */
interface Collected {
  readonly bytes: Bytes[];
  size: number;
}

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
  let onDisk = 0;

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
    const reader = body.getReader() as ReadableStreamDefaultReader<Bytes>;
    if (declared.kind === "known") return await prepareKnown(reader, declared.length, events);
    const empty = request.headers.has("transfer-encoding") ? 0 : null;
    if (settings.chunked === "spool") return await spool(reader, empty);
    return await prepareStreamed(reader, events);
  }

  async function prepareKnown(
    reader: ReadableStreamDefaultReader<Bytes>,
    length: number,
    events: BodyEvents,
  ): Promise<ScriptInput | BodyRefusal> {
    const drop = (): void => cancel(reader);
    if (length > SMALL_BODY) return input(meteredStream(reader, { length, limit: Infinity, events }), length, drop);
    const collected: Collected = { bytes: [], size: 0 };
    const waiting = await collectSoon(reader, collected, length);
    if (waiting !== null) {
      const { pending } = waiting;
      return input(meteredStream(reader, { length, limit: Infinity, events, collected, pending }), length, drop);
    }
    if (collected.size === length) {
      // Deno keeps a connection, even one to be closed, for as long as the end of the body has not been read.
      reader.read().catch(() => {});
      return input(concat(collected.bytes), length);
    }
    return refuse(400, `a request body of ${collected.size} bytes, which said ${length}`);
  }

  /** Without a length only the first byte tells a body from none. */
  async function prepareStreamed(
    reader: ReadableStreamDefaultReader<Bytes>,
    events: BodyEvents,
  ): Promise<ScriptInput | BodyRefusal> {
    const first = await readInTime(reader, times.idleMs);
    if ("kind" in first) return first;
    if (first.done) return input(null, null);
    if (settings.chunked === "refuse") {
      cancel(reader);
      return refuse(411, "a request body without a Content-Length");
    }
    const collected = { bytes: [first.value], size: first.value.length };
    const stream = meteredStream(reader, { length: null, limit: limits.body, events, collected });
    return input(stream, null, () => cancel(reader));
  }

  async function spool(
    reader: ReadableStreamDefaultReader<Bytes>,
    empty: 0 | null,
  ): Promise<ScriptInput | BodyRefusal> {
    const memory: Collected = { bytes: [], size: 0 };
    let file: SpoolFile | null = null;
    let held = 0;
    const release = (): void => {
      onDisk -= held;
      held = 0;
      file?.close().catch(() => {});
    };
    function giveUp(refusal: BodyRefusal): BodyRefusal {
      cancel(reader);
      release();
      return refusal;
    }
    for (;;) {
      const read = await readInTime(reader, times.idleMs);
      if ("kind" in read) return giveUp(read);
      if (read.done) break;
      const size = (file?.size ?? memory.size) + read.value.length;
      if (size > limits.body) return giveUp(tooLarge(limits.body));
      if (file === null && size <= limits.spoolMemory) {
        memory.bytes.push(read.value);
        memory.size = size;
        continue;
      }
      if (size > limits.spoolDisk) return giveUp(tooLarge(limits.spoolDisk));
      if (onDisk - held + size > limits.spoolDisk) {
        return giveUp(refuse(503, "no room left for request bodies (limits.spoolDisk)"));
      }
      onDisk += size - held;
      held = size;
      try {
        file ??= await openSpool(processes, memory);
        await file.write(read.value);
      } catch (error) {
        return giveUp(refuse(503, `a request body could not be stored: ${(error as Error).message}`));
      }
    }
    if (file !== null) return input(file, file.size, release);
    return memory.size === 0 ? input(null, empty) : input(concat(memory.bytes), memory.size);
  }

  return { prepare };
}

async function openSpool(processes: Pick<ProcessHost, "spool">, memory: Collected): Promise<SpoolFile> {
  const file = await processes.spool();
  try {
    for (const bytes of memory.bytes) await file.write(bytes);
  } catch (error) {
    await file.close();
    throw error;
  }
  memory.bytes.length = 0;
  return file;
}

function input(
  stdin: Command["stdin"],
  length: number | null,
  release: () => void = () => {},
): ScriptInput {
  return { kind: "input", stdin, length, release };
}

function refuse(status: BodyRefusal["status"], reason: string): BodyRefusal {
  return { kind: "refused", status, reason };
}

function tooLarge(limit: number): BodyRefusal {
  return refuse(413, `a request body of more than ${limit} bytes`);
}

type Read = ReadableStreamReadResult<Bytes>;

/** One read, or why there is none: the client is silent for too long, or has left. */
async function readInTime(reader: ReadableStreamDefaultReader<Bytes>, limitMs: number): Promise<Read | BodyRefusal> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const read = reader.read();
    if (limitMs === Infinity) return await read;
    const silent = new Promise<null>((resolve) => timer = setTimeout(resolve, limitMs, null));
    return await Promise.race([read, silent]) ?? refuse(408, "a request body that stopped coming");
  } catch (error) {
    return refuse(400, `a request body that broke off: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Collects `length` bytes if they come soon. If not, returns the read that is still waiting. */
async function collectSoon(
  reader: ReadableStreamDefaultReader<Bytes>,
  collected: Collected,
  length: number,
): Promise<{ readonly pending: Promise<Read> } | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => timer = setTimeout(resolve, SMALL_BODY_WAIT, null));
  try {
    while (collected.size < length) {
      const pending = reader.read();
      // It may fail while nobody waits for it; whoever reads it next is told.
      pending.catch(() => {});
      const read = await Promise.race([pending, late]);
      if (read === null) return { pending };
      if (read.done) break;
      collected.bytes.push(read.value);
      collected.size += read.value.length;
    }
  } catch {
    // The client has left: what was collected is too short, and says so.
  } finally {
    clearTimeout(timer);
  }
  return null;
}

interface Metered {
  /** What the client said. */
  readonly length: number | null;
  readonly limit: number;
  readonly events: BodyEvents;
  /** Read before. */
  readonly collected?: Collected;
  /** Being read. */
  readonly pending?: Promise<Read>;
}

/** The rest of a body, counted on its way. */
function meteredStream(reader: ReadableStreamDefaultReader<Bytes>, options: Metered): ReadableStream<Bytes> {
  const { length, limit, events, collected } = options;
  let pending = options.pending;
  let passed = collected?.size ?? 0;
  let dropped = false;
  const first = collected?.bytes ?? [];

  async function pull(controller: ReadableStreamDefaultController<Bytes>): Promise<void> {
    if (first.length > 0) return controller.enqueue(first.shift()!);
    const read = await next();
    if (dropped) return;
    if (read === null) return controller.error(new Error("request body broke off"));
    if (read.done) return controller.close();
    controller.enqueue(read.value);
  }
  async function next(): Promise<Read | null> {
    try {
      const read = await (pending ?? reader.read());
      pending = undefined;
      // The script wants no more: what was being read ends here, and that is no fault of the client.
      if (dropped) return null;
      events.progress();
      if (read.done) {
        if (length === null || passed >= length) return read;
        events.broken(`a request body of ${passed} bytes, which said ${length}`);
        return null;
      }
      passed += read.value.length;
      if (passed <= limit) return read;
      events.tooLarge();
      cancel(reader);
      return null;
    } catch (error) {
      if (!dropped) events.broken(`a request body that broke off: ${(error as Error).message}`);
      return null;
    }
  }
  function drop(): void {
    dropped = true;
    cancel(reader);
  }
  return new ReadableStream<Bytes>({ pull, cancel: drop }, { highWaterMark: 0 });
}

function cancel(reader: ReadableStreamDefaultReader<Bytes>): void {
  reader.cancel().catch(() => {});
}

function concat(pieces: readonly Bytes[]): Bytes {
  if (pieces.length === 1) return pieces[0]!;
  const whole: Bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

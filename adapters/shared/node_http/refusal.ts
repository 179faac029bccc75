/**
 * The answers to what no handler is asked: bytes that are no request, and requests that end their connection.
 *
 * They are rendered before anybody connects, so that whoever sends nonsense costs nothing, and is answered at once.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Bytes, ListenOptions } from "../../../src/runtime.ts";

/** What can be wrong with what is no request: its form, its time, a chunk, an expectation, its head, its method. */
const REFUSALS = [400, 408, 413, 417, 431, 501] as const;

/** A status that something is refused with. */
export type RefusalStatus = typeof REFUSALS[number];

interface Rendered {
  /** Names and values in turn, with those that end the connection and the body. */
  readonly fields: string[];
  readonly body: Bytes;
}

/** Rendered answers. */
export interface Refusals {
  /** As the bytes of a response, after which the connection is closed. */
  bytes(status: RefusalStatus): Uint8Array;
  /** Sends one as the response to a request. */
  send(outgoing: ServerResponse, status: RefusalStatus): void;
  /** Settles once they are rendered. Before that they have no body. */
  readonly ready: Promise<void>;
}

/** Renders them. */
export function prepareRefusals(refuse: ListenOptions["refuse"]): Refusals {
  const rendered = new Map<RefusalStatus, Rendered>();
  async function render(status: RefusalStatus): Promise<void> {
    if (refuse === undefined) return;
    const { headers, body } = await refuse(status);
    const fields: string[] = [];
    for (const [name, value] of Object.entries(headers)) {
      for (const one of [value].flat()) fields.push(name, one);
    }
    rendered.set(status, { fields: closing(fields, body ?? EMPTY.body), body: body ?? EMPTY.body });
  }
  const answer = (status: RefusalStatus) => rendered.get(status) ?? EMPTY;
  return {
    bytes(status) {
      const { fields, body } = answer(status);
      const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, `date: ${new Date().toUTCString()}`];
      for (let at = 0; at < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`);
      return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]);
    },
    send(outgoing, status) {
      const { fields, body } = answer(status);
      outgoing.writeHead(status, fields);
      outgoing.end(outgoing.req.method === "HEAD" ? undefined : body);
    },
    ready: Promise.all(REFUSALS.map(render)).then(() => {}),
  };
}

/** What the connection and the body make of the rest, and nobody else. */
const OWN: ReadonlySet<string> = new Set(["connection", "content-length", "date", "transfer-encoding"]);

function closing(fields: readonly string[], body: Bytes): string[] {
  const kept = fields.filter((_, at) => !OWN.has(fields[at - at % 2]!));
  return [...kept, "connection", "close", "content-length", String(body.length)];
}

const EMPTY: Rendered = { fields: closing([], new Uint8Array()), body: new Uint8Array() };

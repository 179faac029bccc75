/**
 * Several parts of a file in one response: `multipart/byteranges` (RFC 9110 section 14.6).
 *
 * @module
 */

import type { Bytes, ByteSpan, OpenFile } from "../runtime.ts";
import { contentRange } from "./range.ts";

/** A body of several parts. */
export interface MultipartBody {
  /** For `Content-Type`. */
  readonly type: string;
  /** In bytes, all parts, heads and the end. */
  readonly length: number;
  /** Reads the parts one after another, a piece at a time, and closes the file at the end, error or cancel. */
  stream(): ReadableStream<Bytes>;
}

/** Bytes read at a time. */
const PIECE = 65536;

/** Makes the body for these parts of the file. `partType` is the media type of the whole. */
export function multipartBody(
  file: OpenFile,
  parts: readonly ByteSpan[],
  partType: string,
): MultipartBody {
  const boundary = randomBoundary();
  const encoder = new TextEncoder();
  const heads = parts.map((part, index) =>
    encoder.encode(
      `${index === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${partType}\r\n` +
        `Content-Range: ${contentRange(part, file.info.size)}\r\n\r\n`,
    )
  );
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  const pieces = parts.flatMap((part, index) => [heads[index] as Bytes, ...split(part)]).concat([tail]);
  return {
    type: `multipart/byteranges; boundary=${boundary}`,
    length: pieces.reduce(
      (sum, piece) => sum + (piece instanceof Uint8Array ? piece.byteLength : piece.length),
      0,
    ),
    stream: () => streamOf(file, pieces),
  };
}

function streamOf(file: OpenFile, pieces: readonly (Bytes | ByteSpan)[]): ReadableStream<Bytes> {
  let next = 0;
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const piece = pieces[next++];
      if (piece === undefined) {
        await file.close();
        controller.close();
        return;
      }
      try {
        controller.enqueue(piece instanceof Uint8Array ? piece : await file.read(piece));
      } catch (error) {
        await file.close();
        throw error;
      }
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}

/** A generator of spans would be lazier; a file of 1 GiB makes 16,384 of them. */
function split({ offset, length }: ByteSpan): ByteSpan[] {
  const spans: ByteSpan[] = [];
  for (let done = 0; done < length; done += PIECE) {
    spans.push({ offset: offset + done, length: Math.min(PIECE, length - done) });
  }
  return spans;
}

/** Random, so that no file can hold it by design. */
function randomBoundary(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

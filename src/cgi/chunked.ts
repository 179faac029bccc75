/**
 * Decodes the chunks (RFC 9112 section 7.1) of a script that writes the whole of HTTP itself.
 *
 * @module
 */

import type { Bytes } from "../runtime.ts";
import { latin1 } from "./head.ts";

/** Takes a chunked body piece by piece. */
export interface ChunkDecoder {
  /** The data in this piece, or `null` when it is not well-formed. */
  push(piece: Bytes): readonly Bytes[] | null;
  /** Whether the last chunk and the trailer have been seen. */
  isDone(): boolean;
}

/** Longest line of a chunk's size with its extensions, and of a trailer. */
const LINE_LIMIT = 4096;

const LF = 0x0a;

/** Makes a decoder for one body. Trailers are dropped: no runtime can send them on. */
export function createChunkDecoder(): ChunkDecoder {
  let state: "size" | "data" | "data-end" | "trailer" | "done" = "size";
  let line = "";
  let left = 0;

  /** Takes a line's end, or all of a piece that does not hold it. Returns where to go on, or -1. */
  function takeLine(piece: Bytes, from: number): number {
    const lineFeed = piece.indexOf(LF, from);
    const end = lineFeed < 0 ? piece.length : lineFeed;
    line += latin1(piece, from, end);
    if (line.length > LINE_LIMIT) return -1;
    if (lineFeed < 0) return piece.length;
    const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
    line = "";
    return endLine(whole) ? lineFeed + 1 : -1;
  }
  function endLine(whole: string): boolean {
    if (state === "data-end") {
      state = "size";
      return whole === "";
    }
    if (state === "trailer") {
      if (whole === "") state = "done";
      return true;
    }
    const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;|$)/.exec(whole);
    if (size === null) return false;
    left = parseInt(size[1]!, 16);
    state = left === 0 ? "trailer" : "data";
    return true;
  }
  return {
    push(piece) {
      const data: Bytes[] = [];
      let at = 0;
      while (at < piece.length && state !== "done") {
        if (state === "data") {
          const bytes = piece.subarray(at, at + left);
          data.push(bytes);
          at += bytes.length;
          left -= bytes.length;
          if (left === 0) state = "data-end";
        } else {
          at = takeLine(piece, at);
          if (at < 0) return null;
        }
      }
      return data;
    },
    isDone: () => state === "done",
  };
}

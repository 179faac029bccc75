/**
 * An open file that is in memory.
 *
 * @module
 */

import { type Bytes, type ByteSpan, FileError, type OpenFile } from "../../src/runtime.ts";
import { promised } from "./_serving.ts";

/** A file that tells when it is let go of. */
export interface MemoryFile extends OpenFile {
  readonly closed: Promise<void>;
}

/** Makes one; with `changesAfter` it fails as changed once this many bytes have been read. */
export function memoryFile(
  content: string,
  { changesAfter = Infinity }: { readonly changesAfter?: number } = {},
): MemoryFile {
  const bytes = new TextEncoder().encode(content);
  const closed = promised<void>();
  const close = (): Promise<void> => {
    closed.resolve();
    return Promise.resolve();
  };
  function part({ offset, length }: ByteSpan): Bytes {
    if (offset + length > Math.min(bytes.length, changesAfter)) {
      throw new FileError("changed", "The file has changed");
    }
    return bytes.slice(offset, offset + length);
  }
  return {
    info: { kind: "file", size: bytes.length, mtimeMs: 0, identity: null },
    closed: closed.promise,
    close,
    // deno-lint-ignore require-await
    async read(span) {
      return part(span);
    },
    stream({ offset, length }) {
      let at = offset;
      const end = offset + length;
      return new ReadableStream({
        pull(controller) {
          if (at >= end) {
            close();
            return controller.close();
          }
          try {
            const piece = part({ offset: at, length: Math.min(65536, end - at) });
            at += piece.length;
            controller.enqueue(piece);
          } catch (error) {
            close();
            controller.error(error);
          }
        },
        cancel: close,
      }, { highWaterMark: 0 });
    },
  };
}

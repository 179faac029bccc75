/**
 * Compression on the fly, by the platform's own streams.
 *
 * @module
 */

import type { Bytes } from "../runtime.ts";
import type { Coding } from "./encodings.ts";

/** Below this many bytes a compressed answer is hardly smaller, and the client waits for nothing. */
export const MIN_COMPRESSED_SIZE = 1024;

/** What `CompressionStream` calls the codings. Gzip is everywhere, the others are where the platform has them. */
const FORMATS: Readonly<Record<Coding, string>> = { zstd: "zstd", br: "brotli", gzip: "gzip" };

/**
 * The codings this platform can compress to, in our order of preference for work done while the client waits: Brotli
 * comes last, at its default effort it takes up to ten times as long as gzip.
 */
export function platformCodings(): readonly Coding[] {
  return (["zstd", "gzip", "br"] as const).filter((coding) => {
    try {
      compressor(coding);
      return true;
    } catch {
      return false;
    }
  });
}

function compressor(coding: Coding): CompressionStream {
  return new CompressionStream(FORMATS[coding] as CompressionFormat);
}

/** Compresses a stream as it is read. Cancelling the result cancels the source. */
export function compressStream(stream: ReadableStream<Bytes>, coding: Coding): ReadableStream<Bytes> {
  return stream.pipeThrough(compressor(coding));
}

/** Compresses bytes in memory. */
export async function compressBytes(bytes: Bytes, coding: Coding): Promise<Bytes> {
  const source = new ReadableStream<Bytes>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return new Uint8Array(await new Response(compressStream(source, coding)).arrayBuffer());
}

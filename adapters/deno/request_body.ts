/**
 * Request bodies on Deno that nobody has read.
 *
 * @module
 */

/** Up to this many unwanted bytes are read so that the connection can be used again. */
const KEEP_ALIVE_LIMIT = 1024 * 1024;

/** Reads and forgets the body, where Deno would close the connection over it. */
export function discardBody(request: Request): void {
  const { body, headers } = request;
  if (body === null || request.bodyUsed || body.locked) return;
  // It would be asked for now: nobody wants it.
  if (headers.has("expect")) return;
  if (Number(headers.get("content-length") ?? 0) > KEEP_ALIVE_LIMIT) return;
  discard(body).catch(() => {});
}

async function discard(body: ReadableStream<Uint8Array>): Promise<void> {
  let discarded = 0;
  for await (const piece of body) {
    discarded += piece.length;
    if (discarded > KEEP_ALIVE_LIMIT) return;
  }
}

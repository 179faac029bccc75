/**
 * The body of a request, as long as it was said to be.
 *
 * @module
 */

/** The first `length` bytes of a stream, as they are asked for. Fails when it ends before. */
export function limitBody(stream: ReadableStream<Uint8Array>, length: number): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  let left = length;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) {
        throw new Error(
          `The request's body ended after ${length - left} of ${length} bytes: its client has left`,
        );
      }
      controller.enqueue(value.length > left ? value.subarray(0, left) : value);
      left -= Math.min(left, value.length);
      if (left > 0) return;
      controller.close();
      reader.cancel().catch(() => {});
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

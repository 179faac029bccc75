/**
 * The body of a request, as long as it was said to be.
 *
 * @module
 */

/** A body. */
export interface Body {
  /** Its bytes, as they are asked for. Fails when they end before they should. */
  readonly stream: ReadableStream<Uint8Array>;
  /**
   * Takes what comes into memory, without being asked for it: for a server that reads nothing of the response until the
   * script has taken the whole request (Apache's mod_cgi), which would wait for each other otherwise.
   */
  readAhead(): void;
}

/** Most that is kept in memory, in bytes. */
const MOST_AHEAD = 64 * 1024 * 1024;

/** The first `length` bytes of a stream; `null`: all of it. */
export function createBody(input: ReadableStream<Uint8Array>, length: number | null): Body {
  const reader = input.getReader();
  const ahead: Promise<ReadableStreamReadResult<Uint8Array>>[] = [];
  let left = length ?? Infinity;
  let waiting = 0;
  let isReadingAhead = false;

  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = ahead.shift();
      const { done, value } = await (piece ?? reader.read());
      if (done) {
        if (length === null) return controller.close();
        throw new Error(
          `The request's body ended after ${length - left} of ${length} bytes: its client has left`,
        );
      }
      if (piece !== undefined) waiting -= value.length;
      controller.enqueue(value.length > left ? value.subarray(0, left) : value);
      left -= Math.min(left, value.length);
      if (left > 0) return;
      controller.close();
      reader.cancel().catch(() => {});
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });

  async function readAhead(): Promise<void> {
    if (isReadingAhead) return;
    isReadingAhead = true;
    while (waiting < MOST_AHEAD) {
      const piece = reader.read();
      ahead.push(piece);
      // Whoever asks for the piece is told why it failed.
      const read = await piece.catch(() => null);
      if (read === null || read.done) return;
      waiting += read.value.length;
    }
    isReadingAhead = false;
  }
  return { stream, readAhead: () => void readAhead() };
}

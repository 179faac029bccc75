/**
 * Carries a request body into a program, at the program's pace.
 *
 * @module
 */

/** The writing end of a pipe. */
export interface PipeInput {
  /** Fails when nobody reads any more. A promise, where the system has not taken the bytes yet. */
  write(chunk: Uint8Array): Promise<unknown> | undefined;
  /** End of input. */
  close(): unknown;
  /** Gives up, with a write that may be stuck. */
  abort(): unknown;
}

/**
 * Writes `source` into `input` and closes it. Never rejects: a program that does not read its input is no error, and
 * one whose client left just sees the end. Whichever way it ends, the source is read to its end or cancelled.
 */
export async function feed(
  source: ReadableStream<Uint8Array>,
  input: PipeInput,
  ended: Promise<unknown>,
): Promise<void> {
  const reader = source.getReader();
  let over = false;
  ended.then(() => {
    if (over) return;
    over = true;
    // Somebody the program started may hold the other end without reading it.
    quietly(() => input.abort());
    quietly(() => reader.cancel());
  });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || over) break;
      const taking = value.length > 0 ? input.write(value) : undefined;
      if (taking !== undefined) await taking;
    }
  } catch (error) {
    quietly(() => reader.cancel(error));
  }
  if (over) return;
  over = true;
  quietly(() => input.close());
}

/** What a stream's end has to say of a pipe that is gone is no news. */
async function quietly(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch {
    // As said above.
  }
}

/**
 * What a function of `node:fs` tells its callback, as a promise.
 *
 * `promisify()` is a part of `node:util`, and others are in `node:fs/promises`: each takes a millisecond of Bun's start.
 *
 * @module
 */

/** Settles as the callback is called. */
export function calledBack<T = void>(
  call: (callback: (error: Error | null, value?: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => error ? reject(error) : resolve(value as T));
  });
}

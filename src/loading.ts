/**
 * Modules that are loaded while the program starts, and must be there before it listens: a process that is out of
 * descriptors cannot load them, and Node and Bun never import again what has failed once.
 *
 * @module
 */

const loads = new Set<Promise<unknown>>();

/** Something is being loaded. Whoever needs it hears of a failure. */
export function startLoading<T>(load: Promise<T>): Promise<T> {
  loads.add(load);
  const done = (): void => void loads.delete(load);
  load.then(done, done);
  return load;
}

/** Nothing is being loaded any more. */
export async function loaded(): Promise<void> {
  await Promise.allSettled(loads);
}

/**
 * Wrong usage of the command line.
 *
 * @module
 */

/** A command line that cannot be understood. The message is one line that names the flag and the fix. */
export class UsageError extends Error {
  override name = "UsageError";
}

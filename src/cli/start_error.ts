/**
 * A server that cannot start.
 *
 * @module
 */

/** Something that the command line names cannot be used. The message is one line that says what. */
export class StartError extends Error {
  override name = "StartError";
}

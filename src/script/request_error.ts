/**
 * Requests that cannot be put before a handler.
 *
 * @module
 */

/**
 * What a server has said of a request makes none, or none that can be answered.
 *
 * @example
 * ```ts
 * import { requestFromEnv, ScriptRequestError } from "htbin/cgi-script";
 *
 * try {
 *   requestFromEnv({ REQUEST_METHOD: "GET", HTTP_HOST: "example.com@other.com" }, null);
 * } catch (error) {
 *   console.assert(error instanceof ScriptRequestError && error.status === 400);
 * }
 * ```
 */
export class ScriptRequestError extends Error {
  /** The error's name. */
  override name = "ScriptRequestError";
  /** The status that tells the client. */
  readonly status: 400 | 411 | 501;
  /** Makes the error; the message is a sentence for the operator. */
  constructor(status: 400 | 411 | 501, message: string) {
    super(message);
    this.status = status;
  }
}

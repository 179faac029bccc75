/**
 * Request methods that nothing answers.
 *
 * @module
 */

/** Methods of RFC 9110 and RFC 5789. */
const KNOWN: ReadonlySet<string> = new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "TRACE",
]);

/** What a method gets that cannot be used here: known ones 405, others 501 (RFC 9110 sections 15.5.6 and 15.6.2). */
export function unusableMethodStatus(method: string): 405 | 501 {
  return KNOWN.has(method) ? 405 : 501;
}

/**
 * An error in one line, for a server's log.
 *
 * @module
 */

/** What failed for which request, and where in the program: `GET http://…: TypeError: … (file:///…/app.js:3:7)`. */
export function errorLine(error: unknown, request: Request | null): string {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const [, place] =
    (error instanceof Error && /^\s*at .*?\(?((?:file:|\/).*?:\d+:\d+)\)?$/m.exec(error.stack ?? "")) || [];
  const where = request === null ? "" : `${request.method} ${request.url}: `;
  const line = `${where}${what}${place === undefined ? "" : ` (${place})`}`;
  return line.replace(/[\x00-\x1f\x7f]+/g, " ");
}

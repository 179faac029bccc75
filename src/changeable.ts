/**
 * Responses whose headers can be changed.
 *
 * @module
 */

/** The response itself, or one like it where its headers cannot be changed: `Response.redirect()`, `fetch()`. */
export function changeable(response: Response): Response {
  try {
    response.headers.delete("x-htbin-changeable");
    return response;
  } catch {
    return new Response(response.body, response);
  }
}

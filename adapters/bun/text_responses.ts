/**
 * `new Response("text")` has a Content-Type, by the Fetch standard; in Bun only its own server adds it.
 *
 * @module
 */

let isDone = false;

/** Makes every `Response` that is made of a string from now on say that it is text. */
export function completeTextResponses(): void {
  if (isDone) return;
  isDone = true;
  if (new Response("").headers.has("content-type")) return;
  const completed = new Proxy(Response, {
    construct(target, args, newTarget) {
      const response = Reflect.construct(target, args, newTarget) as Response;
      if (typeof args[0] === "string" && !response.headers.has("content-type")) {
        response.headers.set("content-type", "text/plain;charset=UTF-8");
      }
      return response;
    },
  });
  completed.prototype.constructor = completed;
  globalThis.Response = completed;
}

/**
 * The least server of a runtime: `hello.mjs PORT` on the runtime's own, `hello.mjs PORT node` on node:http, and
 * `hello.mjs PORT files` on node:http with the other parts of the runtime that a server of files is made of.
 */

const { Bun, Deno } = globalThis;
const [port, kind] = Deno?.args ?? globalThis.process.argv.slice(2);
const hostname = "127.0.0.1";
const fetch = () => new Response("hello");

if (kind === "files") await Promise.all(["net", "fs", "os", "util"].map((part) => import(`node:${part}`)));
if (Bun && !kind) Bun.serve({ port, hostname, fetch });
else if (Deno && !kind) Deno.serve({ port: Number(port), hostname, onListen() {} }, fetch);
else {
  const { createServer } = await import("node:http");
  createServer((_request, response) => response.end("hello")).listen(Number(port), hostname);
}

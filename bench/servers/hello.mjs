/** The least server of a runtime: `hello.mjs PORT` on the runtime's own, `hello.mjs PORT node` on node:http. */

import { createServer } from "node:http";
import process from "node:process";

const [port, node] = process.argv.slice(2);
const { Bun, Deno } = globalThis;
const hostname = "127.0.0.1";
const fetch = () => new Response("hello");

if (Bun && !node) Bun.serve({ port, hostname, fetch });
else if (Deno && !node) Deno.serve({ port: Number(port), hostname, onListen() {} }, fetch);
else createServer((_request, response) => response.end("hello")).listen(Number(port), hostname);

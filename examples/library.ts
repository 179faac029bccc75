import { cgi, route, serve, staticFiles } from "htbin";

const server = await serve({
  port: 8000,
  handler: route([
    ["/status", () => Response.json({ ok: true })],
    ["/cgi-bin/*", cgi({ root: "./cgi-bin", timeouts: { total: 30 } })],
    ["/*", staticFiles({ root: "./public" })],
  ]),
});
console.log(`Serving ${server.url}`);

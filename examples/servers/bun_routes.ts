import { cgi, staticFiles, toFetch } from "htbin";

const server = Bun.serve({
  port: 8000,
  hostname: "127.0.0.1",
  idleTimeout: 0,
  routes: {
    "/status": () => Response.json({ ok: true }),
    "/cgi-bin/*": toFetch(cgi({ root: "./cgi-bin", mount: "/cgi-bin" })),
    "/*": toFetch(staticFiles({ root: "./public" })),
  },
});
console.log(`Listening on ${server.url}`);

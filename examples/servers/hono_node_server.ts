import { serve } from "@hono/node-server";
import { site, toFetch } from "htbin";

const handler = site({ directory: ".", cgi: true });
serve({ port: 8000, hostname: "127.0.0.1", fetch: toFetch(handler) }, ({ address, port }) => {
  console.log(`Listening on http://${address}:${port}/`);
});

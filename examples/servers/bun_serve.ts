import { site, toFetch } from "htbin";

const handler = site({ directory: ".", cgi: true });
const server = Bun.serve({ port: 8000, hostname: "127.0.0.1", idleTimeout: 0, fetch: toFetch(handler) });
console.log(`Listening on ${server.url}`);

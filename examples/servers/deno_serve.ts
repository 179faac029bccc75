import { site, toFetch } from "htbin";

const handler = site({ directory: ".", cgi: true });
Deno.serve({ port: 8000, hostname: "127.0.0.1" }, toFetch(handler));

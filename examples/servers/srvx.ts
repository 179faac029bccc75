import { site, toFetch } from "htbin";
import { serve } from "srvx";

const handler = site({ directory: ".", cgi: true });
serve({ port: 8000, hostname: "127.0.0.1", fetch: toFetch(handler) });

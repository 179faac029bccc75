import { createServer } from "node:http";
import { site } from "htbin";
import { toNodeListener } from "htbin/node";

const handler = site({ directory: ".", cgi: true });
const server = createServer(toNodeListener(handler));
server.listen(8000, "127.0.0.1", () => console.log("Listening on", server.address()));

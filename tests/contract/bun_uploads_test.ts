/** Bodies on Bun: the parser of a connection is changed as long as that lasts, and no longer. */

import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer as createTcp, type Socket } from "node:net";
import { test } from "node:test";
import { watchUploads } from "../../adapters/bun/uploads.ts";
import { connect } from "../_http.ts";
import { runtime } from "../_runtime.ts";
import { promised } from "./_serving.ts";

const skip = runtime.name === "deno" ? "Deno's parser is nobody's to change" : false;

interface Parser {
  readonly execute: unknown;
  readonly [event: number]: unknown;
}

/** What a parser does with bytes, and whom it tells of a body. */
function conduct(parser: Parser): readonly unknown[] {
  return [parser.execute, parser[(parser.constructor as unknown as { readonly kOnBody: number }).kOnBody]];
}

test("a connection's parser is as it was once the connection has ended", { skip }, async (t) => {
  const http = createServer(async (incoming: IncomingMessage, response) => {
    let length = 0;
    for await (const piece of incoming) length += (piece as Uint8Array).length;
    response.end(String(length));
  });
  const watch = watchUploads(http);
  const seen: (readonly unknown[])[] = [];
  const ended = promised<void>();
  const front = createTcp((socket) => {
    http.emit("connection", socket);
    const { parser } = socket as Socket & { readonly parser: Parser };
    seen.push(conduct(parser));
    watch(socket);
    seen.push(conduct(parser));
    socket.once("close", () => {
      seen.push(conduct(parser));
      ended.resolve();
    });
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  t.after(() => front.close());
  const { port } = front.address() as AddressInfo;
  const connection = await connect({ hostname: "127.0.0.1", port });
  await connection.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n");
  for (let left = 3; left > 0; left--) await connection.send(new Uint8Array(100_000));
  const response = await connection.response();
  assert.equal(new TextDecoder().decode(response.body), "300000");
  connection.close();
  await ended.promise;
  const [before, meanwhile, after] = seen;
  assert.notDeepEqual(meanwhile, before);
  assert.deepEqual(after, before);
});

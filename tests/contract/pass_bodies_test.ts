/** Bodies past the parser: it is told of every byte, and is changed as long as a body lasts, and no longer. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer as createTcp, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { passBodies } from "../../adapters/shared/node_http/pass_bodies.ts";
import { flowOf } from "../../src/byte_flow.ts";
import { connect, get, requestHead } from "../_http.ts";
import { runtime, temporaryDirectory, until } from "../_runtime.ts";
import { promised, serving } from "./_serving.ts";

interface Parser {
  readonly execute: unknown;
  readonly [event: number]: unknown;
}

/** What a parser does with bytes, and whom it tells of a body. */
function conduct(parser: Parser): readonly unknown[] {
  return [parser.execute, parser[(parser.constructor as unknown as { readonly kOnBody: number }).kOnBody]];
}

test("a connection's parser is as it was once a body has ended, or its connection", async () => {
  const seen: (readonly unknown[])[] = [];
  const ended = promised<void>();
  const http = createServer((incoming: IncomingMessage, response) => {
    const { parser } = incoming.socket as Socket & { readonly parser: Parser };
    seen.push(conduct(parser));
    let length = 0;
    incoming.on("data", (piece: Uint8Array) => length += piece.length);
    incoming.on("end", () => {
      seen.push(conduct(parser));
      response.end(String(length));
    });
    incoming.on("error", () => {});
  });
  // Else it keeps no connection.
  Object.defineProperty(http, "listening", { value: true });
  passBodies(http, null);
  const front = createTcp((socket) => {
    http.emit("connection", socket);
    const { parser } = socket as Socket & { readonly parser: Parser };
    seen.push(conduct(parser));
    socket.once("close", () => {
      seen.push(conduct(parser));
      ended.resolve();
    });
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const { port } = front.address() as AddressInfo;
  const connection = await connect({ hostname: "127.0.0.1", port });
  const request = requestHead("POST", "/", "Content-Length: 300000");
  for (let rounds = 2; rounds > 0; rounds--) {
    await connection.send(request);
    for (let left = 3; left > 0; left--) await connection.send(new Uint8Array(100_000));
    assert.equal((await connection.response()).text, "300000");
  }
  await connection.send(request + "x".repeat(300_000));
  assert.equal((await connection.response()).text, "300000");
  await connection.send(request + "x".repeat(100_000));
  await until(() => seen.length === 8, "the last request");
  connection.close();
  await ended.promise;
  front.close();
  const isChanged = seen.map((now) => now.map((part, index) => part !== seen[0]![index]));
  const [no, yes] = [[false, false], [true, true]];
  assert.deepEqual(isChanged, [no, yes, no, yes, no, yes, no, yes, no]);
});

const skip = runtime.name === "node"
  ? "Node has no call for it"
  : process.platform === "linux"
  ? false
  : "only Linux moves them";

test("what has come of a body is moved into a pipe, in its order, and no byte more", { skip }, async (t) => {
  const path = join(await temporaryDirectory(t), "pipe");
  execFileSync("mkfifo", [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(pipe));
  const buffer = new Uint8Array(1 << 20);
  let moved = 0;
  async function handler(request: Request): Promise<Response> {
    const pieces: Uint8Array[] = [];
    const flow = request.body === null ? undefined : flowOf(request.body);
    if (flow === undefined) return new Response("next");
    function drain(): void {
      pieces.push(buffer.slice(0, readSync(pipe, buffer, 0, buffer.length, null)));
    }
    await new Promise<void>((resolve) =>
      flow.start({
        write(piece) {
          pieces.push(piece.slice());
          return undefined;
        },
        move(transfer) {
          const count = transfer(pipe);
          moved += Math.max(0, count);
          for (let left = count; left > 0; left -= pieces.at(-1)!.length) drain();
          return Math.max(0, count);
        },
        end: () => resolve(),
      })
    );
    return new Response(Buffer.concat(pieces));
  }
  await serving(handler, async ({ target }) => {
    const body = new Uint8Array(Uint32Array.from({ length: 4 << 20 }, (_, index) => index).buffer);
    const connection = await connect(target);
    const sending = connection.send(
      Buffer.concat([
        Buffer.from(requestHead("POST", "/", `Content-Length: ${body.length}`)),
        body,
        Buffer.from(get("/")),
      ]),
    );
    const response = await connection.response({ timeout: 60_000 });
    assert.ok(Buffer.from(response.body).equals(body));
    assert.equal((await connection.response()).text, "next");
    await sending;
    connection.close();
  });
  assert.ok(moved > 0);
});

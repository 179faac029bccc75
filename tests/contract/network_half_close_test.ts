/** What `Network.listen` owes to clients that end their side of a connection once they have asked, as `nc -N` does. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { respond } from "../../src/response.ts";
import { connect, get } from "../_http.ts";
import { memoryFile } from "./_memory_file.ts";
import { promised, serving, within } from "./_serving.ts";

/** More than fits into the buffers of a connection. */
const LENGTH = 20_000_000;

/** Asking for one answer and no more. */
const once: Readonly<Record<string, (path: string) => string>> = {
  "HTTP/1.0": (path) => `GET ${path} HTTP/1.0\r\n\r\n`,
  "Connection: close": (path) => get(path, "Connection: close"),
  "Connection: TE, Close": (path) => get(path, "Connection: TE, Close"),
};

for (const [how, ask] of Object.entries(once)) {
  test(`listen() answers a client that asks by ${how} and ends its side`, () => {
    let turn = promised<void>();
    return serving(async (request) => {
      const { pathname } = new URL(request.url);
      await turn.promise;
      assert.equal(request.signal.aborted, false);
      if (pathname === "/file") {
        const file = memoryFile("x".repeat(LENGTH));
        return respond(200, new Headers(), { file, offset: 0, length: LENGTH });
      }
      const parts = pathname === "/large" ? 20 : 2;
      let left = parts;
      return new Response(
        new ReadableStream({
          pull(controller) {
            if (left-- === 0) controller.close();
            else controller.enqueue(new Uint8Array(LENGTH / 20));
          },
        }),
      );
    }, async ({ target, errors }) => {
      for (const [path, length] of [["/file", LENGTH], ["/large", LENGTH], ["/", LENGTH / 10]] as const) {
        turn = promised<void>();
        const connection = await connect(target);
        const ended = within(connection.ended(), "the end of the connection");
        await connection.send(ask(path));
        connection.halfClose();
        // The server has seen that end, or will while it answers: a second client is answered after the first one.
        const other = await connect(target);
        await other.send("nonsense\r\n\r\n");
        assert.equal((await other.response()).status, 400);
        other.close();
        turn.resolve();
        const { status, body, complete } = await connection.response();
        assert.deepEqual([status, body.length, complete], [200, length, true], path);
        await ended;
      }
      assert.deepEqual(errors, []);
    });
  });
}

const kept: Readonly<Record<string, string>> = {
  "HTTP/1.1": get("/"),
  "HTTP/1.0 and keep-alive": "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
};

for (const [how, request] of Object.entries(kept)) {
  test(`listen() takes a client that asks by ${how}, and ends its side, for one that has left`, () => {
    const arrived = promised<void>();
    const aborted = promised<void>();
    return serving(async (request) => {
      request.signal.addEventListener("abort", () => aborted.resolve());
      arrived.resolve();
      await aborted.promise;
      return new Response("nobody is there");
    }, async ({ target, errors }) => {
      const connection = await connect(target);
      await connection.send(request);
      await within(arrived.promise, "the request");
      connection.halfClose();
      await within(aborted.promise, "abort");
      await connection.ended();
      assert.deepEqual(errors, []);
    });
  });
}

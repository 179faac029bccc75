/**
 * What `Network.listen` owes to clients that end their side of a connection once they have asked for one answer, as
 * `nc -N` does. Those that would keep the connection are in `network_leave_test.ts`.
 */

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

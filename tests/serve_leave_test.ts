/** What serve() says of clients that leave in the middle of their requests: that they did, and that nothing failed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEvent } from "../src/log/events.ts";
import { serve } from "../src/serve.ts";
import { connect, type RawConnection, requestHead } from "./_http.ts";
import { until } from "./_runtime.ts";

const LEAVING: Readonly<Record<string, (connection: RawConnection) => unknown>> = {
  "close the connection": (connection) => connection.close(),
  "reset it": (connection) => connection.reset(),
  "half-close it": (connection) => connection.halfClose(),
  "send what is no chunk": (connection) => connection.send("xxxzz\r\n"),
};

for (const [how, leave] of Object.entries(LEAVING)) {
  test(`a handler whose clients ${how} in the middle of the body it reads has not failed`, async () => {
    const events: LogEvent[] = [];
    const server = await serve({
      port: 0,
      handler: async (request) => new Response(await request.text()),
      log: (event) => void events.push(event),
    });
    const connection = await connect(server.address);
    await connection.send(
      requestHead("POST", "/", "Transfer-Encoding: chunked", "Host: localhost") + "5\r\nhe",
    );
    leave(connection);
    await until(() => events.length > 0, "the request is logged");
    connection.close();
    await server.close(0);
    assert.deepEqual(events.map((event) => [event.type, event.type === "access" && event.status]), [
      ["access", 499],
    ]);
  });
}

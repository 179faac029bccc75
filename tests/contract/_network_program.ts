/**
 * A server of this runtime whose handlers and clients do what is hard to serve; then it ends.
 *
 * @module
 */

import { runtime } from "../../adapters/auto.ts";
import type { Handler } from "../../src/handler.ts";
import { respond } from "../../src/response.ts";
import { connect, get, requestHead, toBytes } from "../_http.ts";

const failure = new Error("this must not be printed");

function failing(): ReadableStream<Uint8Array> {
  let pieces = 0;
  return new ReadableStream({
    pull(controller) {
      if (pieces++ === 2) throw failure;
      controller.enqueue(toBytes("piece"));
    },
  });
}

const handlers: Readonly<Record<string, Handler>> = {
  "/throws": () => {
    throw failure;
  },
  "/rejects": () => Promise.reject(failure),
  "/fails": () => respond(200, new Headers(), failing()),
  "/fails-at-once": () =>
    new Response(new ReadableStream({ start: (controller) => controller.error(failure) })),
  "/short": () => respond(200, new Headers({ "content-length": "100" }), "short"),
  "/wrong": () => "no response" as unknown as Response,
  "/signal": (request) => {
    request.signal.addEventListener("abort", () => {});
    return new Response("fine");
  },
  "/waits": (request) =>
    new Promise((_resolve, reject) => {
      request.signal.addEventListener("abort", () => reject(request.signal.reason));
    }),
  "/reads": async (request) => new Response(await request.text()),
  "/silent": () =>
    new Response(new ReadableStream({ start: (controller) => controller.enqueue(toBytes("one")) })),
};

let failures = 0;
const listener = await runtime.network.listen((request, connection) => {
  return handlers[new URL(request.url).pathname]?.(request, connection);
}, {
  hostname: "127.0.0.1",
  port: 0,
  onError: () => failures++,
});

for (const path of Object.keys(handlers)) {
  const connection = await connect(listener.address);
  if (path === "/reads") await connection.send(requestHead("POST", path, "Content-Length: 10") + "half");
  else await connection.send(get(path));
  // Those who wait leave after a moment, the others when they have an answer.
  const timeout = ["/waits", "/reads", "/silent"].includes(path) ? 50 : 5000;
  await connection.response({ timeout }).catch(() => {});
  connection.reset();
}
for (
  const nonsense of ["BREW / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02", "GET / HTTP/1.1\r\nno colon\r\n\r\n"]
) {
  const connection = await connect(listener.address);
  await connection.send(nonsense);
  connection.halfClose();
  await connection.ended();
  connection.close();
}
await listener.close(0);
await runtime.terminal.stdout(`${failures} failures\n`);
await runtime.terminal.exit(0);

/** Connections of HTTP/2 that are of no use any more end, and no others. */

import assert from "node:assert/strict";
import { type ClientHttp2Session, connect } from "node:http2";
import { after, test } from "node:test";
import { listen } from "../adapters/shared/node_http/listener.ts";
import { fieldsOf, FRAME, frame, openFrames, WHOLE } from "./_http2_frames.ts";
import { runtime } from "./_runtime.ts";
import { makeCertificate } from "./contract/_certificate.ts";
import { promised, within } from "./contract/_serving.ts";

const certificate = makeCertificate();
after(() => certificate?.remove());
const skip = certificate === null && "openssl is not installed" ||
  runtime.name !== "node" && "this runtime offers HTTP/1.1 alone";

/** Resolves with the body of an answer. */
function ask(client: ClientHttp2Session, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = client.request({ ":path": path });
    let text = "";
    stream.setEncoding("utf8").on("data", (piece: string) => text += piece);
    stream.on("end", () => resolve(text));
    stream.on("error", reject);
  });
}

test(
  "an unused session is closed, one whose client gives no sign is cut, and no other is",
  { skip },
  async (t) => {
    const { cert, key } = certificate!;
    let answer = (_response: Response): void => {};
    const hangs = promised<void>();
    const left = promised<void>();
    const listener = await listen(
      (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === "/slow") return new Promise((resolve) => answer = resolve);
        if (pathname !== "/hang") return new Response("ok");
        hangs.resolve();
        request.signal.addEventListener("abort", () => left.resolve());
        return new Promise(() => {});
      },
      { hostname: "127.0.0.1", port: 0, tls: { cert, key } },
      { times: { keepAlive: 260, head: 60_000 }, http2: true },
    );
    t.after(() => listener.close(0));
    const { port } = listener.address;
    const open = () => connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    const [idle, waiting] = [open(), open()];
    const begun = performance.now();
    const slow = ask(waiting, "/slow");
    const mute = await openFrames(port);
    const cut = new Promise((resolve) => mute.once("close", resolve));
    mute.write(frame(FRAME.headers, WHOLE, 1, fieldsOf("/hang")));
    mute.resume();
    await within(hangs.promise, "the request of the mute client");
    const closed = new Promise((resolve) => idle.once("close", resolve));
    const goaway = new Promise((resolve) => idle.once("goaway", resolve));
    assert.equal(await ask(idle, "/"), "ok");
    assert.equal(await within(goaway, "GOAWAY"), 0);
    await within(closed, "the end of the idle session");
    assert.ok(performance.now() - begun > 200);
    // Its system answers TCP, but nobody answers the pings.
    await within(cut, "the end of the mute client's connection");
    await within(left.promise, "the signal");
    assert.ok(performance.now() - begun > 5 * 200);
    answer(new Response("at last"));
    assert.equal(await slow, "at last");
    waiting.destroy();
  },
);

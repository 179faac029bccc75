/** A client of HTTP/2 that resets its connection at the worst moment is noticed all the same. */

import { Socket } from "node:net";
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

test("a client that resets its connection while it is being answered is noticed", { skip }, async (t) => {
  const { cert, key } = certificate!;
  const left = promised<void>();
  const client = new Socket();
  const body = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(2000)),
      cancel: () => left.resolve(),
    }, { highWaterMark: 0 });
  const listener = await listen(
    () => {
      // Node has read the request, and writes before it looks at the connection again: that fails.
      client.resetAndDestroy();
      return new Response(body());
    },
    { hostname: "127.0.0.1", port: 0, tls: { cert, key } },
    { times: { keepAlive: 6_500, head: 60_000 }, http2: true },
  );
  t.after(() => listener.close(0));
  const { port } = listener.address;
  const frames = await openFrames(port, client.connect(port, "127.0.0.1"));
  frames.write(frame(FRAME.headers, WHOLE, 1, fieldsOf("/")));
  await within(left.promise, "the end of the body");
  await within(listener.close(), "the end of the connection");
});

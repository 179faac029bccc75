/** A response as CGI output, byte for byte. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type WriteOptions, writeResponse } from "../../src/script/mod.ts";

/** What a script's output holds. */
interface Output {
  readonly out: WritableStream<Uint8Array>;
  /** All that was written, one character for each byte. */
  text(): string;
  /** The same, write by write. */
  readonly writes: readonly string[];
}

function output(onWrite: (count: number) => void | Promise<void> = () => {}): Output {
  const writes: string[] = [];
  const out = new WritableStream<Uint8Array>({
    write(bytes) {
      writes.push(String.fromCharCode(...bytes));
      return onWrite(writes.length);
    },
  });
  return { out, writes, text: () => writes.join("") };
}

async function written(response: Response, options?: WriteOptions): Promise<string> {
  const { out, text } = output();
  await writeResponse(response, out, options);
  assert.ok(!out.locked, "out can be used again");
  return text();
}

/** The lines of the head, and the body. */
async function parts(response: Response, options?: WriteOptions): Promise<readonly [string[], string]> {
  const [head = "", ...body] = (await written(response, options)).split("\r\n\r\n");
  return [head.split("\r\n"), body.join("\r\n\r\n")];
}

/** A response whose fields are what they are here: runtimes check those of their own. */
function disguised(real: Response, changes: object): Response {
  return new Proxy(real, {
    get(target, name) {
      const value = name in changes ? Reflect.get(changes, name) : Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe("the head of a response", () => {
  it("begins with the status and its phrase, and ends with an empty line", async () => {
    const response = new Response("Hi", { status: 201, headers: { "content-type": "text/x" } });
    assert.equal(
      await written(response),
      "Status: 201 Created\r\ncontent-type: text/x\r\ncontent-length: 2\r\n\r\nHi",
    );
    assert.deepEqual((await parts(new Response(null, { status: 404, statusText: "Gone away" })))[0], [
      "Status: 404 Gone away",
    ]);
    assert.deepEqual((await parts(new Response(null, { status: 299 })))[0], ["Status: 299 Unknown"]);
  });

  it("has each cookie in a line of its own, and lists in one", async () => {
    const headers = new Headers([
      ["set-cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
      ["set-cookie", "b=2"],
      ["vary", "accept"],
      ["vary", "cookie"],
    ]);
    const [lines] = await parts(new Response(null, { headers }));
    assert.deepEqual(lines.slice(1).sort(), [
      "set-cookie: a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
      "set-cookie: b=2",
      "vary: accept, cookie",
    ]);
  });

  it("is bytes: one for each character of a field", async () => {
    const [lines] = await parts(new Response(null, { headers: { "x-name": "gr\u00fc\u00df\tx" } }));
    assert.equal(lines[1], "x-name: gr\u00fc\u00df\tx");
  });

  it("keeps a Content-Length, also of a response without a body", async () => {
    const response = (body: BodyInit | null, length: string) =>
      new Response(body, { headers: { "content-length": length, "content-type": "text/x" } });
    const [whole] = await parts(response("abc", "3"));
    assert.deepEqual(whole.filter((line) => line.startsWith("content-length")), ["content-length: 3"]);
    const [none] = await parts(response(null, "77"), { method: "HEAD" });
    assert.ok(none.includes("content-length: 77"));
  });

  it("says that the type of a body is not known where the response does not say it", async () => {
    const [lines, body] = await parts(new Response(bytes("x")));
    assert.deepEqual(lines, [
      "Status: 200 OK",
      "content-type: application/octet-stream",
      "content-length: 1",
    ]);
    assert.equal(body, "x");
  });

  it("has no field that is the server's own, and none that would be the status", async () => {
    const headers = {
      connection: "close",
      "keep-alive": "timeout=5",
      "proxy-connection": "x",
      status: "999 Evil",
      te: "x",
      trailer: "x",
      "transfer-encoding": "chunked",
      upgrade: "h2c",
      "x-kept": "yes",
    };
    assert.deepEqual((await parts(new Response(null, { headers })))[0], ["Status: 200 OK", "x-kept: yes"]);
  });

  for (
    const [what, changes] of [
      ["a value", { headers: new Map([["x-a", "b\r\nSet-Cookie: evil=1"]]) }],
      ["a value with LF", { headers: new Map([["location", "/x\nSet-Cookie: evil=1"]]) }],
      ["a value with NUL", { headers: new Map([["x-a", "b\0c"]]) }],
      ["a value that is no byte", { headers: new Map([["x-a", "\u010aSet-Cookie: evil=1"]]) }],
      ["a name", { headers: new Map([["x-a\r\nSet-Cookie", "evil=1"]]) }],
      ["a phrase", { statusText: "OK\r\nSet-Cookie: evil=1" }],
    ] as const
  ) {
    it(`cannot be broken by ${what}: nothing is written`, async () => {
      const { out, writes } = output();
      await assert.rejects(writeResponse(disguised(new Response("x"), changes), out), TypeError);
      assert.deepEqual(writes, []);
    });
  }

  it("has no status that is not one of a whole response", async () => {
    for (const status of [0, 100, 101, 199, 1000, 200.5]) {
      const { out, writes } = output();
      await assert.rejects(writeResponse(disguised(new Response(null), { status }), out), TypeError);
      assert.deepEqual(writes, [], String(status));
    }
    await assert.rejects(written(Response.error()), TypeError);
  });
});

describe("a whole HTTP response (nph)", () => {
  it("has a status line, a date, and the end of the connection", async () => {
    const [lines, body] = await parts(new Response("Hi", { headers: { "content-type": "text/x" } }), {
      nph: true,
    });
    assert.deepEqual([lines[0], body], ["HTTP/1.1 200 OK", "Hi"]);
    const date = lines.find((line) => line.startsWith("date: "))?.slice(6) ?? "";
    assert.equal(new Date(date).toUTCString(), date);
    assert.ok(lines.includes("content-length: 2"));
    assert.equal(lines.at(-1), "connection: close");
  });

  it("keeps a date that is there", async () => {
    const date = "Wed, 21 Oct 2026 07:28:00 GMT";
    const [lines] = await parts(new Response(null, { headers: { date } }), { nph: true });
    assert.deepEqual(lines.filter((line) => line.startsWith("date")), [`date: ${date}`]);
  });
});

describe("the body of a response", () => {
  it("is not there for HEAD, 204, 205 and 304, and is cancelled", async () => {
    const cancelled: string[] = [];
    const stream = (name: string) =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(bytes("x")),
        cancel: () => void cancelled.push(name),
      });
    const head = new Response(stream("HEAD"), { headers: { "content-type": "text/x" } });
    assert.deepEqual(await parts(head, { method: "HEAD" }), [
      ["Status: 200 OK", "content-type: text/x"],
      "",
    ]);
    for (const status of [204, 205, 304]) {
      const response = disguised(new Response(stream(`${status}`)), { status });
      const [lines, body] = await parts(response);
      assert.deepEqual([lines[0]?.slice(0, 11), body], [`Status: ${status}`, ""]);
    }
    assert.deepEqual(cancelled, ["HEAD", "204", "205", "304"]);
  });

  it("null is none: no type and no length are made up", async () => {
    assert.equal(await written(new Response(null)), "Status: 200 OK\r\n\r\n");
    const [lines] = await parts(new Response(""));
    assert.ok(lines.includes("content-length: 0"));
  });

  it("leaves with its head when it is there, in one write and with its length", async () => {
    const { out, writes } = output();
    await writeResponse(new Response(bytes("abc")), out);
    assert.equal(writes.length, 1);
    assert.match(writes[0]!, /content-length: 3\r\n\r\nabc$/);
  });

  it("that comes later does not hold the head back, and has no length", async () => {
    let send: (text: string | null) => void = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        send = (text) => text === null ? controller.close() : controller.enqueue(bytes(text));
      },
    });
    let seen = () => {};
    const next = () => new Promise<void>((resolve) => seen = resolve);
    const { out, writes } = output(() => seen());
    const head = next();
    const done = writeResponse(new Response(body, { headers: { "content-type": "text/x" } }), out);
    await head;
    assert.deepEqual(writes, ["Status: 200 OK\r\ncontent-type: text/x\r\n\r\n"]);
    for (const text of ["one", "two"]) {
      const arrived = next();
      send(text);
      await arrived;
      assert.equal(writes.at(-1), text);
    }
    send(null);
    await done;
    assert.equal(writes.length, 3);
  });

  it("is asked for more once what it gave has been taken", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulled === 100) controller.close();
        else controller.enqueue(new Uint8Array(1000).fill(++pulled));
      },
    }, { highWaterMark: 0 });
    let ahead = 0;
    const { out } = output(async (count) => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      ahead = Math.max(ahead, pulled - count);
    });
    await writeResponse(new Response(body), out);
    assert.equal(pulled, 100);
    assert.ok(ahead <= 2, `${ahead} pieces ahead`);
  });

  it("that fails at once leaves nothing behind, so that there can be an error page", async () => {
    const body = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("no disk")) });
    const { out, writes } = output();
    await assert.rejects(writeResponse(new Response(body), out), /no disk/);
    assert.deepEqual(writes, []);
    await writeResponse(new Response(null, { status: 500 }), out);
    assert.equal(writes[0], "Status: 500 Internal Server Error\r\n\r\n");
  });

  it("that fails midway is an error, after what there was, without a length that would be wrong", async () => {
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulls++ === 0) controller.enqueue(bytes("begun"));
        else controller.error(new Error("torn"));
      },
    }, { highWaterMark: 0 });
    const { out, text } = output();
    await assert.rejects(writeResponse(new Response(body), out), /torn/);
    assert.doesNotMatch(text(), /content-length/);
  });

  it("of another length than was declared is an error: too much would be the next response", async () => {
    const response = (body: BodyInit, length: string) =>
      new Response(body, { headers: { "content-length": length } });
    for (const length of ["2", "4", "0"]) {
      const { out, writes } = output();
      await assert.rejects(writeResponse(response(bytes("abc"), length), out), TypeError);
      assert.deepEqual(writes, [], length);
    }
    const pieces = ["ab", "cd", "ef"];
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(bytes(piece));
      },
    }, { highWaterMark: 0 });
    const { out, text } = output();
    await assert.rejects(writeResponse(response(body, "4"), out), TypeError);
    assert.match(text(), /\r\n\r\nabcd$/);
  });

  it("is cancelled when nobody takes it", async () => {
    let reason: unknown;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytes("x")),
      cancel: (why) => void (reason = why),
    });
    const { out } = output((count) => count > 2 ? Promise.reject(new Error("EPIPE")) : undefined);
    await assert.rejects(writeResponse(new Response(body), out), /EPIPE/);
    assert.match(String(reason), /EPIPE/);
  });

  it("of something else than bytes is an error", async () => {
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue("text");
        controller.close();
      },
    });
    const { out } = output();
    await assert.rejects(writeResponse(new Response(body), out), TypeError);
  });
});

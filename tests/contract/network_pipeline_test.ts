/** What `Network.listen` owes to clients that send many requests at once, and to the others. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Handler } from "../../src/handler.ts";
import { respond } from "../../src/response.ts";
import { connect, get, requestHead, turns } from "../_http.ts";
import { until } from "../_runtime.ts";
import { promised, serving } from "./_serving.ts";

test("listen() begins few of the requests that come at once, and answers all of them in their order", () => {
  const COUNT = 500;
  const begun: string[] = [];
  const first = promised<void>();
  const handler: Handler = async (request) => {
    begun.push(new URL(request.url).pathname);
    const body = await request.text();
    await first.promise;
    return new Response(begun.length + body);
  };
  return serving(handler, async ({ target }) => {
    const connection = await connect(target);
    const requests = Array.from({ length: COUNT }, (_, index) => {
      const body = index % 3 === 0 ? ` body of ${index}` : "";
      return body === ""
        ? get(`/${index}`)
        : requestHead("POST", `/${index}`, `Content-Length: ${body.length}`) + body;
    });
    await connection.send(requests.join(""));
    await until(() => begun.length >= 32, "as many as may be are looked after");
    await turns(50);
    assert.equal(begun.length, 32);
    first.resolve();
    for (let index = 0; index < COUNT; index++) {
      const { status, text } = await connection.response();
      assert.equal(status, 200);
      assert.match(text, index % 3 === 0 ? new RegExp(`^\\d+ body of ${index}$`) : /^\d+$/);
    }
    assert.deepEqual(begun, Array.from({ length: COUNT }, (_, index) => `/${index}`));
    await connection.send(get("/later"));
    assert.equal((await connection.response()).status, 200);
    connection.close();
  });
});

test("listen() goes on after more was asked for at once than may wait", () => {
  const body = new Uint8Array(40_000).fill(7);
  return serving(() => respond(200, new Headers(), body), async ({ target }) => {
    const connection = await connect(target);
    for (const count of [5, 31, 5, 100, 5]) {
      await connection.send(get("/").repeat(count));
      for (let left = count; left > 0; left--) {
        assert.equal((await connection.response()).body.length, body.length);
      }
    }
    connection.close();
  });
});

test("listen() begins none of the requests that wait for their turn when their client leaves", () => {
  let begun = 0;
  const left = promised<void>();
  const handler: Handler = (request) => {
    begun++;
    request.signal.addEventListener("abort", () => left.resolve());
    return new Promise(() => {});
  };
  return serving(handler, async ({ target }) => {
    const connection = await connect(target);
    await connection.send(get("/").repeat(500));
    await until(() => begun >= 32, "as many as may be are looked after");
    connection.reset();
    await left.promise;
    await turns(50);
    assert.equal(begun, 32);
  });
});

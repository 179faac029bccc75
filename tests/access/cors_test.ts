/** Cross-origin requests. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PreparedResponse, RequestHead } from "../../src/at_once.ts";
import { cors, type CorsOptions } from "../../src/access/cors.ts";
import type { Handler } from "../../src/handler.ts";

const hello: Handler = () => new Response("hello", { headers: { vary: "accept" } });

async function ask(
  options: CorsOptions,
  init: RequestInit & { readonly method?: string } = {},
  handler: Handler = hello,
): Promise<Response> {
  const response = await cors(options, handler)(new Request("http://localhost/", init));
  return response ?? assert.fail("passed on");
}

const APP = { origin: "https://app.test" };

function allowedBy({ headers }: Response): (string | null)[] {
  return [headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")];
}

test("every site may read, without credentials", async () => {
  for (const headers of [{}, APP, { origin: "null" }]) {
    const response = await ask({}, { headers });
    assert.deepEqual(allowedBy(response), ["*", null]);
    assert.equal(response.headers.get("vary"), "accept");
    assert.equal(await response.text(), "hello");
    const exposed = response.headers.get("access-control-expose-headers")?.split(", ") ?? [];
    for (const name of ["*", "Content-Range", "Content-Length", "ETag"]) {
      assert.ok(exposed.includes(name), name);
    }
  }
});

test("some sites may read, and caches are told", async () => {
  const options = { origins: ["https://app.test", "http://localhost:3000/"], credentials: true };
  for (const origin of ["https://app.test", "http://localhost:3000"]) {
    const response = await ask(options, { headers: { origin } });
    assert.deepEqual(allowedBy(response), [origin, "true"]);
    assert.equal(response.headers.get("vary"), "accept, Origin");
    assert.doesNotMatch(response.headers.get("access-control-expose-headers") ?? "*", /\*/);
  }
  for (const origin of ["https://app.test.evil", "http://app.test", "https://app.test:444", "null", ""]) {
    const response = await ask(options, { headers: { origin } });
    assert.deepEqual(allowedBy(response), [null, null], origin);
    assert.equal(response.headers.get("vary"), "accept, Origin");
  }
});

test("a preflight is answered, and does not reach the handler", async () => {
  const headers = {
    ...APP,
    "access-control-request-method": "PUT",
    "access-control-request-headers": "x-a,range",
  };
  const response = await ask({ maxAge: 600 }, { method: "OPTIONS", headers }, () => assert.fail("reached"));
  assert.equal(response.status, 204);
  assert.deepEqual(allowedBy(response), ["*", null]);
  assert.equal(response.headers.get("access-control-allow-methods"), "GET, HEAD, POST, PUT, PATCH, DELETE");
  assert.equal(response.headers.get("access-control-allow-headers"), "x-a,range");
  assert.equal(response.headers.get("access-control-max-age"), "600");
  assert.equal(response.headers.get("vary"), "Access-Control-Request-Headers");
});

test("a preflight of another site is told nothing", async () => {
  const headers = { origin: "https://evil.test", "access-control-request-method": "PUT" };
  const response = await ask({ origins: ["https://app.test"] }, { method: "OPTIONS", headers });
  assert.deepEqual([...response.headers], [["vary", "Access-Control-Request-Headers, Origin"]]);
});

test("methods and headers may be limited", async () => {
  const headers = { ...APP, "access-control-request-method": "GET", "access-control-request-headers": "x-b" };
  const options = { methods: ["GET"], allowHeaders: ["X-A"], exposeHeaders: ["X-C"] };
  const preflight = await ask(options, { method: "OPTIONS", headers });
  assert.equal(preflight.headers.get("access-control-allow-methods"), "GET");
  assert.equal(preflight.headers.get("access-control-allow-headers"), "X-A");
  const response = await ask(options, { headers: APP });
  assert.equal(response.headers.get("access-control-expose-headers"), "X-C");
});

test("OPTIONS that is no preflight is the handler's, and so is what it passes on", async () => {
  assert.equal(await (await ask({}, { method: "OPTIONS", headers: APP })).text(), "hello");
  assert.equal(await cors({}, () => undefined)(new Request("http://localhost/")), undefined);
});

test("a response whose headers cannot be changed is copied", async () => {
  const response = await ask({}, {}, () => Response.redirect("http://localhost/there"));
  assert.deepEqual([response.status, ...allowedBy(response)], [302, "*", null]);
});

test("what makes no sense is refused at once", () => {
  const wrong: readonly CorsOptions[] = [
    { credentials: true },
    { credentials: true, origins: ["https://app.test", "*"] },
    { origins: ["app.test"] },
    { origins: ["https://app.test/page"] },
    { origins: ["https://*.app.test"] },
    { origin: "*" } as never,
  ];
  for (const options of wrong) assert.throws(() => cors(options, hello), TypeError, JSON.stringify(options));
});

test("an answer that is there at once is shared as any other is", async () => {
  const prepared: PreparedResponse = { status: 200, headers: { vary: "accept" }, body: new Uint8Array(5) };
  const handler: Handler = Object.assign(() => new Response("hello", { headers: { vary: "accept" } }), {
    atOnce: ({ target }: RequestHead) =>
      target === "/hello" ? prepared : target === "/none" ? undefined : "later",
  });
  const origins = ["https://app.test", "https://two.test"];
  for (const options of [{}, { origins }, { origins, credentials: true }]) {
    const shared = cors(options, handler);
    const known = new Map<string | undefined, PreparedResponse["headers"]>();
    for (
      const origin of [
        undefined,
        "https://two.test",
        "https://app.test",
        "https://evil.test",
        "null",
        undefined,
      ]
    ) {
      const headers = new Headers(origin === undefined ? {} : { origin });
      const asked = { method: "GET", headers };
      const answer = shared.atOnce?.({ ...asked, target: "/hello" }, {});
      assert.ok(typeof answer === "object" && !(answer instanceof Promise));
      assert.equal(answer.body, prepared.body);
      const response = await shared(new Request("http://localhost/", asked));
      const { "content-type": _type, ...expected } = Object.fromEntries(response?.headers ?? []);
      assert.deepEqual(answer.headers, expected, origin);
      // Made once for each site.
      assert.equal(known.get(origin) ?? answer.headers, answer.headers);
      known.set(origin, answer.headers);
      assert.equal(shared.atOnce?.({ ...asked, target: "/none" }, {}), undefined);
      assert.equal(shared.atOnce?.({ ...asked, target: "/later" }, {}), "later");
    }
    assert.deepEqual(prepared.headers, { vary: "accept" });
  }
});

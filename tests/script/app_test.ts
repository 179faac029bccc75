/** One Hono app, served directly and as a script of five servers: the same answers. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { serve } from "../../src/serve.ts";
import "../_runtime.ts";
import { createApp, digestOf, LARGE } from "./_app.ts";
import { complete, type Host, hosts, type RunningHost } from "./_hosts.ts";
import { install, type Installation } from "./_installation.ts";

const SCRIPT =
  'import { runAsCgi } from "SCRIPT";\nimport { createApp } from "APP";\nawait runAsCgi(createApp(true).fetch);\n';

const directly: Host = {
  ...complete,
  name: "htbin, directly",
  async start() {
    const server = await serve({ port: 0, handler: createApp(false).fetch, log() {} });
    return { url: server.url.replace(/\/$/, ""), close: () => server.close(0) };
  },
};

describe("a Hono app", () => {
  let installation: Installation;
  before(async () => {
    installation = await install({ "app.mjs": SCRIPT });
  });
  after(() => installation.remove());

  describe("served directly", () => suite(directly, "", () => installation));
  for (const host of hosts) {
    describe(`as a script of ${host.name}`, { skip: host.missing }, () => {
      suite(host, "/cgi-bin/app.mjs", () => installation);
    });
  }
});

/** What every way of running the app owes. */
function suite(host: Host, path: string, installation: () => Installation): void {
  let running: RunningHost;
  before(async () => {
    if (host.missing === false) running = await host.start(installation());
  });
  after(() => running?.close());

  function ask(target: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${running.url}${path}${target}`, { redirect: "manual", ...init });
  }
  function status(response: Response): number {
    return host.hasStatus ? response.status : parseInt(response.headers.get("status") ?? "");
  }
  /** Where a client is sent: a path of the app. */
  function location(response: Response): string {
    const url = new URL(response.headers.get("location")!, response.url);
    assert.equal(url.origin, new URL(running.url).origin);
    assert.ok(url.pathname.startsWith(path), url.pathname);
    return url.pathname.slice(path.length) + url.search;
  }

  it("answers", async () => {
    // Not "/": busybox looks for a folder then.
    const response = await ask("");
    assert.equal(status(response), 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain; ?charset=utf-8$/i);
    assert.equal(await response.text(), "Hello");
    const page = await ask("/page");
    assert.match(page.headers.get("content-type") ?? "", /^text\/html; ?charset=utf-8$/i);
    assert.equal(await page.text(), "<h1>Gr\u00fc\u00dfe</h1>");
  });

  it("answers HEAD", async () => {
    const response = await ask("/page", { method: "HEAD" });
    assert.equal(status(response), 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
    assert.equal(await response.text(), "");
  });

  it("says statuses of its own", async () => {
    const json = await ask("/json");
    assert.deepEqual([status(json), json.headers.get("x-thing"), await json.json()], [418, "a, b", {
      ok: true,
    }]);
    const missing = await ask("/nowhere");
    assert.deepEqual([status(missing), await missing.text()], [404, "404 Not Found"]);
    const boom = await ask("/boom");
    assert.deepEqual([status(boom), await boom.text()], [500, "Internal Server Error"]);
    const nothing = await ask("/nothing");
    assert.deepEqual([status(nothing), await nothing.text()], [204, ""]);
  });

  it("sets and reads cookies", async () => {
    const response = await ask("/login");
    assert.deepEqual(response.headers.getSetCookie(), [
      "session=s%201; Path=/; HttpOnly",
      `theme=dark; Path=${path}/settings`,
    ]);
    const seen = await ask("/cookies", { headers: { cookie: "session=s%201; theme=dark" } });
    assert.deepEqual(await seen.json(), { session: "s 1", theme: "dark" });
  });

  it("redirects, within itself and elsewhere", async () => {
    const response = await ask("/old");
    assert.equal(status(response), 302);
    assert.equal(location(response), "/new?from=old");
    assert.equal(await (await ask(location(response))).text(), "new ?from=old");
    const away = await ask("/away");
    assert.deepEqual([status(away), away.headers.get("location")], [301, "https://example.com/x"]);
    const form = await ask("/form", { method: "POST", body: new URLSearchParams({ name: "Ada L\u00fc" }) });
    assert.deepEqual([status(form), location(form)], [303, "/new?name=Ada%20L%C3%BC"]);
  });

  it("takes uploads", async () => {
    const bytes = new Uint8Array(100_000).map((_, index) => index * 31);
    const form = new FormData();
    form.set("note", "Gr\u00fc\u00dfe");
    form.set("file", new File([bytes], "a b.bin", { type: "application/x-thing" }));
    assert.deepEqual(await (await ask("/upload", { method: "POST", body: form })).json(), {
      note: "Gr\u00fc\u00dfe",
      name: "a b.bin",
      digest: digestOf(bytes),
    });
  });

  it("takes a body of 10 MiB", async () => {
    const body = new Uint8Array(LARGE).map((_, index) => index * 7 + (index >> 8));
    const response = await ask("/digest", { method: "POST", body });
    assert.equal(await response.text(), `${LARGE} ${digestOf(body)}`);
  });

  it("sends a body of 10 MiB", async () => {
    const hash = createHash("sha256");
    let size = 0;
    for await (const piece of (await ask("/large")).body!) {
      hash.update(piece);
      size += piece.length;
    }
    assert.equal(`${size} ${hash.digest("hex")}`, `${LARGE} ${digestOf(new Uint8Array(LARGE).fill(7))}`);
  });

  it("echoes a body of 10 MiB", async () => {
    const body = new Uint8Array(LARGE).map((_, index) => index * 13 + (index >> 9));
    const response = await ask("/echo", { method: "POST", body });
    assert.equal(response.headers.get("content-type"), "application/x-echo");
    assert.equal(digestOf(new Uint8Array(await response.arrayBuffer())), digestOf(body));
  });

  it("sends events when they happen", async () => {
    const signal = join(installation().scratch, `event-${host.name}-${path === ""}`);
    const response = await ask(`/events?until=${encodeURIComponent(signal)}`);
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    while (!seen.includes("one\n\n")) seen += (await reader.read()).value;
    assert.ok(!seen.includes("two"));
    await writeFile(signal, "");
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      seen += value;
    }
    assert.equal(seen, "data: one\n\ndata: two\n\n");
  });

  it(
    "knows entity tags",
    { skip: host.hasConditions ? false : "the server hands over no If-None-Match" },
    async () => {
      const response = await ask("/tagged");
      const etag = response.headers.get("etag")!;
      assert.equal(await response.text(), "tagged");
      const again = await ask("/tagged", { headers: { "if-none-match": etag } });
      assert.deepEqual([status(again), again.headers.get("etag"), await again.text()], [304, etag, ""]);
    },
  );

  it("sees the path, the query and the client", async () => {
    const target = "/path/a%20b/%C3%BC?q=%22a+b&r";
    assert.equal(await (await ask(target)).text(), target);
    assert.equal(await (await ask("/who")).text(), "127.0.0.1");
  });

  it(
    "sees the fields of the request",
    { skip: host.hasFields ? false : "the server hands over few" },
    async () => {
      const headers = { "x-thing": "a b", "accept-language": "de" };
      assert.deepEqual(await (await ask("/fields", { headers })).json(), ["a b", "de"]);
    },
  );

  it("is asked with other methods", {
    skip: host.hasOtherMethods ? false : "the server knows GET, HEAD and POST",
  }, async () => {
    assert.equal(await (await ask("/thing/7", { method: "PUT", body: "x" })).text(), "PUT 7 x");
    assert.equal(await (await ask("/thing/8", { method: "DELETE" })).text(), "DELETE 8 ");
  });
}

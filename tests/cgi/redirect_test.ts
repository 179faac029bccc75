/** Local redirects: a script that sends the request elsewhere on this server (RFC 3875 section 6.2.2). */

import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { cgi } from "../../src/cgi/mod.ts";
import { redirectLocally, redirectSource } from "../../src/cgi/redirect.ts";
import type { Connection, Handler } from "../../src/handler.ts";
import { route } from "../../src/router.ts";
import { concat, exchange, requestHead, toBytes } from "../_http.ts";
import { type Served, type ServedOptions, serveShell } from "./_served.ts";

let served: Served;

/** What arrived at the target of a redirect. */
interface Arrival {
  readonly request: Request;
  readonly connection: Connection;
}

/** Serves a script at `/cgi-bin/*`, and tells what reaches everything else. */
async function redirecting(
  source: string,
  options: ServedOptions = {},
): Promise<{ readonly arrivals: Arrival[] }> {
  const arrivals: Arrival[] = [];
  const target: Handler = (request, connection = {}) => {
    if (new URL(request.url).pathname === "/missing") return undefined;
    arrivals.push({ request, connection });
    return new Response(`arrived at ${new URL(request.url).pathname}`);
  };
  served = await serveShell(source, {
    around: (scripts) =>
      route([
        ["/cgi-bin/*", scripts],
        ["/*", target],
      ]),
    ...options,
  });
  return { arrivals };
}

afterEach(() => served?.close());

describe("a local redirect", () => {
  it("is answered by what would have answered its target", async () => {
    const { arrivals } = await redirecting("printf 'Location: /there?x=1&y=%%20\\n\\n'");
    const response = await served.get("/cgi-bin/s/extra?secret");
    assert.equal(response.status, 200);
    assert.equal(response.text, "arrived at /there");
    assert.equal(response.header("location"), null);
    const [{ request, connection }] = arrivals as [Arrival];
    const url = new URL(request.url);
    assert.equal(url.pathname + url.search, "/there?x=1&y=%20");
    assert.equal(connection.redirects, 1);
    assert.equal(connection.mount ?? "", "");
    assert.equal(connection.remote?.hostname, "127.0.0.1");
    assert.deepEqual(redirectSource(request), { url: "/cgi-bin/s/extra", query: "secret" });
  });

  it("keeps the request's headers, without those of its body, and becomes a GET", async () => {
    const { arrivals } = await redirecting("cat >/dev/null; printf 'Location: /there\\n\\n'");
    const head = requestHead(
      "POST",
      "/cgi-bin/s",
      "Host: example.org",
      "Cookie: a=b",
      "Content-Length: 4",
      "Content-Type: text/plain",
      "Content-Encoding: x",
      "X-Own: 1",
    );
    assert.equal((await exchange(served, concat([toBytes(head), toBytes("body")]))).status, 200);
    const [{ request }] = arrivals as [Arrival];
    assert.equal(request.method, "GET");
    assert.equal(request.body, null);
    assert.equal(new URL(request.url).hostname, "example.org");
    const kept = ["host", "cookie", "x-own", "content-length", "content-type", "content-encoding"]
      .map((name) => request.headers.get(name));
    assert.deepEqual(kept, ["example.org", "a=b", "1", null, null, null]);
  });

  it("stays a HEAD", async () => {
    const { arrivals } = await redirecting("printf 'Location: /there\\n\\n'");
    const response = await exchange(served, requestHead("HEAD", "/cgi-bin/s"));
    assert.equal(response.status, 200);
    assert.equal(arrivals[0]?.request.method, "HEAD");
  });

  it("leads to another script, which is told where from", async () => {
    await redirecting(
      'case "$PATH_INFO" in /first) printf "Location: /cgi-bin/second?b=2\\n\\n";; ' +
        '*) printf "Content-Type: text/plain\\n\\n"; echo "$PATH_INFO $QUERY_STRING $REDIRECT_URL $REDIRECT_QUERY_STRING $REQUEST_URI";; esac',
    );
    const response = await served.get("/cgi-bin/first?a=1");
    assert.equal(response.text, "/second b=2 /cgi-bin/first a=1 /cgi-bin/second?b=2\n");
  });

  it("leads nowhere when nothing is there", async () => {
    await redirecting("printf 'Location: /missing\\n\\n'");
    assert.equal((await served.get("/cgi-bin/s")).status, 404);
  });

  it("ends in 500 when it leads to itself for ever", async () => {
    await redirecting("printf 'Location: /cgi-bin/s\\n\\n'");
    assert.equal((await served.get("/cgi-bin/s")).status, 500);
    await served.message(/^answered 500: more than 10 local redirects, one after another$/);
    await served.exit(11);
    assert.equal(served.events.filter(({ type }) => type === "script-exit").length, 11);
  });

  it("holds no place while its target runs", async () => {
    await redirecting(
      'case "$PATH_INFO" in /first) printf "Location: /cgi-bin/second\\n\\n";; *) printf "Content-Type: a/b\\n\\n"; echo end;; esac',
      { limits: { concurrent: 1, queue: 1 } },
    );
    assert.equal((await served.get("/cgi-bin/first")).text, "end\n");
  });

  it("is the client's when a body follows, or another header", async () => {
    const { arrivals } = await redirecting("printf 'Location: /there\\n\\n'; sleep 0.05; printf 'see there'");
    const response = await served.get("/cgi-bin/s");
    assert.deepEqual([response.status, response.header("location"), response.text], [
      302,
      "/there",
      "see there",
    ]);
    assert.equal(arrivals.length, 0);
  });

  it("is not taken when the script then fails", async () => {
    const { arrivals } = await redirecting("printf 'Location: /there\\n\\n'; exit 3");
    assert.equal((await served.get("/cgi-bin/s")).status, 502);
    assert.equal(arrivals.length, 0);
  });

  it("never leads to another host", async () => {
    for (const location of ["//evil.example/x", "/\\\\evil.example/x"]) {
      const { arrivals } = await redirecting(`printf 'Location: ${location}\\n\\n'`);
      const response = await served.get("/cgi-bin/s");
      assert.equal(response.status, 302);
      assert.equal(arrivals.length, 0);
      await served.close();
    }
  });

  it("goes back to the client where nobody can answer it here", async () => {
    const handler = cgi({
      script: "/bin/sh",
      args: ["-c", "printf 'Location: /there\\n\\n'"],
      user: null,
      log() {},
    });
    const response = await handler(new Request("http://localhost/"));
    assert.deepEqual([response?.status, response?.headers.get("location")], [302, "/there"]);
    await handler.close();
  });
});

describe("redirectLocally()", () => {
  it("takes its target for text of this host, whatever it looks like", async () => {
    let seen = "";
    const dispatch: Handler = (request) => {
      seen = request.url;
      return new Response();
    };
    for (const target of ["//evil.example/x", "/@evil.example/x", "/x:80"]) {
      await redirectLocally(target, new Request("http://localhost:8000/a"), { dispatch });
      assert.equal(new URL(seen).host, "localhost:8000", target);
    }
  });

  it("follows the first request's client", async () => {
    const client = new AbortController();
    let signal: AbortSignal | undefined;
    const dispatch: Handler = (request) => {
      signal = request.signal;
      return new Response();
    };
    await redirectLocally("/x", new Request("http://localhost/", { signal: client.signal }), { dispatch });
    client.abort();
    assert.equal(signal?.aborted, true);
  });
});

/** Scripts that run: their output, its length, and their failures. */

import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { afterEach, describe, it } from "node:test";
import { connect, exchange, get, requestHead, responseSlowly, toLatin1 } from "../_http.ts";
import { type Served, type ServedOptions, serveScripts, serveShell } from "./_served.ts";
import { brokenOff, freshPaths, HEAD, until, waitFor } from "./_shell.ts";

const freshPath = freshPaths();
let served: Served;

async function shell(source: string, options: ServedOptions = {}): Promise<Served> {
  return served = await serveShell(source, options);
}

afterEach(() => served?.close());

describe("cgi() and output", () => {
  it("sends a short answer whole, with its length", async () => {
    await shell(`${HEAD}; echo hello`);
    const response = await served.get();
    assert.equal(response.status, 200);
    assert.equal(response.header("content-type"), "text/plain");
    assert.equal(response.header("content-length"), "6");
    assert.equal(response.text, "hello\n");
  });

  it("sends an answer without a body", async () => {
    await shell(HEAD);
    const response = await served.get();
    assert.deepEqual([response.status, response.header("content-length"), response.text], [200, "0", ""]);
  });

  it("hands on what is written before the script writes more", async () => {
    const go = freshPath();
    await shell(`${HEAD}; echo one; ${until(go)}; echo two`);
    const connection = await connect(served);
    await connection.send(get("/"));
    const head = await connection.head();
    assert.equal(head.status, 200);
    const one = toLatin1(await connection.received(4));
    assert.match(one, /one\n/);
    writeFileSync(go, "");
    let rest = "";
    await waitFor(() => (rest += toLatin1(connection.take())).includes("two\n"), "the second line");
    connection.close();
  });

  it("takes a head that comes in pieces", async () => {
    await shell(
      "printf 'Content-'; sleep 0.02; printf 'Type: text/plain\\r'; sleep 0.02; printf '\\n\\r'; sleep 0.02; printf '\\nbody'",
    );
    const response = await served.get();
    assert.deepEqual([response.status, response.text], [200, "body"]);
  });

  it("keeps the bytes of one client from those of others, however slowly they take them", async () => {
    const COUNT = 1_000_000;
    await shell(`${HEAD}; seq -f "\"\${QUERY_STRING}\"%.0f" ${COUNT}`);
    const letters = ["a", "b", "c"];
    const bodies = await Promise.all(letters.map(async (letter, index) => {
      const connection = await connect(served);
      await connection.send(get(`/?${letter}`));
      const { text } = await responseSlowly(connection, { pause: 5 * index, read: 3 });
      connection.close();
      return text;
    }));
    for (const [index, letter] of letters.entries()) {
      let expected = "";
      for (let line = 1; line <= COUNT; line++) expected += `${letter}${line}\n`;
      // A message would show both.
      assert.ok(bodies[index] === expected, `the body of ${letter} is another one`);
    }
  });

  it("keeps every byte of a large body, with and without a length", async () => {
    const size = 5_000_000;
    for (const length of ["", `Content-Length: ${size}\\n`]) {
      await shell(`printf 'Content-Type: a/b\\n${length}\\n'; head -c ${size} /dev/zero | tr '\\0' x`);
      const response = await served.get();
      assert.equal(response.complete, true);
      assert.equal(response.body.length, size);
      assert.ok(response.body.every((byte) => byte === 0x78));
      await served.close();
    }
  });

  it("stops reading from a script whose client stops reading", async () => {
    await shell(`${HEAD}; head -c 50000000 /dev/zero; echo written >&2`);
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.head();
    connection.pause();
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(served.events.some(({ type }) => type === "script-stderr"), false);
    connection.resume();
    await served.exit();
    connection.close();
  });

  it("reads output while the request's body is still being taken", async () => {
    const size = 1_048_576;
    await shell(`${HEAD}; head -c ${size} /dev/zero | tr '\\0' a; cat`);
    const body = "b".repeat(size);
    const request = requestHead("POST", "/", `Content-Length: ${size}`) + body;
    const response = await exchange(served, request);
    assert.equal(response.complete, true);
    assert.equal(response.body.length, 2 * size);
    assert.equal(response.body[size - 1], 0x61);
    assert.equal(response.body[size], 0x62);
  });

  it("hands on the bytes of a header's value as they are", async () => {
    await shell(`printf 'Content-Type: text/plain\\nX-Bytes: \\344\\200\\303\\251\\n\\n'`);
    const response = await served.get();
    assert.equal(response.header("x-bytes"), "\u00e4\u0080\u00c3\u00a9");
  });

  it("keeps several Set-Cookie fields apart", async () => {
    await shell(`printf 'Content-Type: a/b\\nSet-Cookie: a=1\\nSet-Cookie: b=2\\n\\n'`);
    const { headers } = await served.get();
    const cookies = headers.filter(([name]) => name.toLowerCase() === "set-cookie").map(([, value]) => value);
    assert.deepEqual(cookies, ["a=1", "b=2"]);
  });

  it("takes a whole HTTP head, interim responses and chunks", async () => {
    await shell(
      "printf 'HTTP/1.1 100 Continue\\r\\n\\r\\nHTTP/1.1 201 Made\\r\\nTransfer-Encoding: chunked\\r\\nX: y\\r\\n\\r\\n'; " +
        "for c in a b c; do printf \"1\\r\\n$c\\r\\n\"; done; printf '0\\r\\n\\r\\n'",
    );
    const response = await served.get();
    assert.deepEqual([response.status, response.header("x"), response.text], [201, "y", "abc"]);
    assert.equal(response.complete, true);
  });

  it("keeps every chunk of those that come at once, and what comes after the last is nobody's", async () => {
    await shell(
      "printf 'HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'; sleep 0.1; " +
        "printf '1\\r\\na\\r\\n2\\r\\nbc\\r\\n3\\r\\ndef\\r\\n0\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\n\\r\\n'; sleep 60",
    );
    const response = await served.get();
    assert.deepEqual([response.text, response.complete], ["abcdef", true]);
    await served.close();
  });

  it("answers a condition with the script's own entity tag", async () => {
    await shell(`printf 'Content-Type: text/plain\\nETag: "v1"\\nX-Kept: 1\\n\\nbody'`);
    const response = await served.get("/", 'If-None-Match: "v1"');
    assert.equal(response.status, 304);
    assert.equal(response.header("etag"), '"v1"');
    assert.equal(response.header("x-kept"), "1");
    assert.equal(response.body.length, 0);
    assert.equal((await served.get("/", 'If-None-Match: "v2"')).text, "body");
  });
});

describe("cgi() and lengths", () => {
  it("shows a body that is shorter than its Content-Length as broken", async () => {
    await shell("printf 'Content-Type: a/b\\nContent-Length: 10\\n\\nabc'");
    assert.equal((await brokenOff(served))?.text, "abc");
    const { message } = await served.message(/^response broken off/);
    assert.equal(
      message,
      "response broken off: the script wrote 3 bytes where it said Content-Length: 10 (exit status 0)",
    );
  });

  it("answers 502 for a body that is none, against its Content-Length", async () => {
    await shell("printf 'Content-Type: a/b\\nContent-Length: 10\\n\\n'");
    assert.equal((await served.get("/")).status, 502);
    const { message } = await served.message(/^answered 502/);
    assert.match(message, /the script failed: the script wrote 0 bytes where it said Content-Length: 10 /);
  });

  it("cuts a body that is longer, and the connection lives on", async () => {
    await shell("printf 'Content-Type: a/b\\nContent-Length: 3\\n\\nabcHTTP/1.1 200 OK\\r\\n\\r\\nevil'");
    const connection = await connect(served);
    for (let count = 0; count < 2; count++) {
      await connection.send(get("/"));
      const response = await connection.response();
      assert.equal(response.text, "abc");
    }
    connection.close();
    await served.message(/^wrote more than its Content-Length/);
  });

  it("answers once the declared length is there, without waiting for the script's end", async () => {
    const go = freshPath();
    await shell(`printf 'Content-Type: a/b\\nContent-Length: 3\\n\\nabc'; ${until(go)}`);
    assert.equal((await served.get()).text, "abc");
    writeFileSync(go, "");
    assert.equal((await served.exit()).code, 0);
  });

  for (const status of [204, 205, 304]) {
    it(`sends no body with ${status}, and the connection lives on`, async () => {
      await shell(`printf 'Status: ${status}\\nContent-Type: a/b\\n\\nbody'`);
      const connection = await connect(served);
      for (let count = 0; count < 2; count++) {
        await connection.send(get("/"));
        const response = await connection.response();
        assert.deepEqual([response.status, response.body.length], [status, 0]);
      }
      connection.close();
    });
  }

  it("answers HEAD with the headers alone, and lets the script end", async () => {
    await shell(`printf 'Content-Type: a/b\\nContent-Length: 4\\n\\nbody'`);
    const connection = await connect(served);
    for (let count = 0; count < 2; count++) {
      await connection.send(requestHead("HEAD", "/"));
      const response = await connection.response({ method: "HEAD" });
      assert.deepEqual([response.status, response.header("content-length")], [200, "4"]);
    }
    connection.close();
    assert.deepEqual(await served.exit(2).then(({ code, signal }) => [code, signal]), [0, null]);
  });

  it("says no length to HEAD where the script said none", async () => {
    await shell(`${HEAD}; echo body`);
    const response = await exchange(served, requestHead("HEAD", "/"));
    assert.deepEqual([response.status, response.header("content-length")], [200, null]);
  });

  it("stops a script that goes on after its answer to HEAD", async () => {
    const stopped: unknown[] = [];
    await shell(`${HEAD}; exec sleep 60`, { onExit: (exit) => void stopped.push(exit.stopped) });
    const response = await exchange(served, requestHead("HEAD", "/"));
    assert.equal(response.status, 200);
    assert.equal((await served.exit()).signal, "SIGTERM");
    assert.deepEqual(stopped, ["output-unwanted"]);
  });

  it("stops a script that writes without end to nobody", async () => {
    await shell("printf 'Status: 204\\n\\n'; exec yes");
    assert.equal((await served.get()).status, 204);
    const { code, signal } = await served.exit();
    assert.notEqual(code, 0);
    assert.match(signal ?? "SIGPIPE", /^SIG(?:TERM|PIPE)$/);
  });
});

describe("cgi() and failures", () => {
  const NO_RESPONSE = "the script's output is no response: ";
  const BEGIN = "; a script's output begins with headers, such as Content-Type: text/html, and a blank line";
  for (
    const [name, source, reason] of [
      ["writes nothing", "exit 0", "the script wrote nothing (exit status 0)"],
      ["fails without a word", "exit 7", "the script wrote nothing (exit status 7)"],
      [
        "writes no head",
        "echo hello world",
        `${NO_RESPONSE}a line that is not a header: "hello world" (exit status 0)${BEGIN}`,
      ],
      [
        "forgets the blank line",
        "echo A: b",
        `${NO_RESPONSE}no blank line after the headers (exit status 0)`,
      ],
      [
        "goes on to its text without a blank line",
        "echo A: b; echo hello",
        `${NO_RESPONSE}a line that is not a header: "hello" (exit status 0)`,
      ],
      [
        "begins with a blank line",
        "echo; echo hello",
        `${NO_RESPONSE}a blank line where the first header belongs (exit status 0)${BEGIN}`,
      ],
      [
        "names no type",
        "printf 'X: y\\n\\nbody'",
        `${NO_RESPONSE}no Content-Type, Status or Location header (exit status 0)`,
      ],
      [
        "splits a header",
        "printf 'A: b\\rX: y\\n\\n'",
        `${NO_RESPONSE}a control character in the value of "A" (exit status 0)`,
      ],
      ["is killed before its head", "kill -KILL $$", "the script wrote nothing (ended by SIGKILL)"],
    ] as const
  ) {
    it(`answers 502 to a script that ${name}`, async () => {
      await shell(source);
      const response = await served.get();
      assert.equal(response.status, 502);
      assert.equal(response.complete, true);
      const said = await served.message(/^answered 502/);
      assert.equal(said.message, `answered 502: ${reason}`);
      assert.equal(said.script, "/bin/sh");
      assert.equal(typeof said.pid, "number");
      assert.equal(typeof said.requestId, "string");
    });
  }

  it("stops a script whose head has no end", async () => {
    await shell("while :; do echo 'A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'; done");
    assert.equal((await served.get()).status, 502);
    await served.message(/more than 65536 bytes of headers/);
    await served.exit();
  });

  for (
    const [name, end, reason] of [["fails", "exit 3", "exit status 3"], [
      "is killed",
      "kill -9 $$",
      "ended by SIGKILL",
    ]] as const
  ) {
    it(`breaks the answer off when a script ${name} after its head`, async () => {
      await shell(`${HEAD}; echo begun; sleep 0.1; ${end}`);
      const response = await brokenOff(served);
      assert.equal(response?.status, 200);
      await served.message(new RegExp(`^response broken off: ${reason}$`));
    });

    it(`does so over HTTP/1.0 too when it ${name}`, async () => {
      await shell(`${HEAD}; echo begun; sleep 0.1; ${end}`);
      const response = await exchange(served, "GET / HTTP/1.0\r\n\r\n").catch(() => null);
      // A body that ends with the connection is whole unless that is reset.
      assert.notEqual(response?.complete, true);
    });
  }

  /** An answer that could wait for its script's end: one that took the machine longer than 8 ms is broken off. */
  async function overInTime(): ReturnType<Served["get"]> {
    for (let left = 5;; left--) {
      try {
        return await served.get();
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  }

  it("answers 502 when a script is killed before anything of it was sent", async () => {
    await shell(`${HEAD}; echo begun; kill -9 $$`);
    const response = await overInTime();
    assert.equal(response.status, 502);
    assert.doesNotMatch(response.text, /begun/);
    await served.message(/^answered 502: the script failed: ended by SIGKILL$/);
  });

  it("sends what a script wrote before it failed as an error, which no cache keeps", async () => {
    await shell(`printf 'Content-Type: text/html\\nETag: "x"\\n\\n<h1>Hi</h1>'; exit 3`);
    const response = await overInTime();
    assert.deepEqual([response.status, response.text], [500, "<h1>Hi</h1>"]);
    assert.equal(response.header("content-type"), "text/html");
    assert.equal(response.header("cache-control"), "no-store");
    assert.equal(response.header("etag"), null);
    await served.message(
      /^answered 500: the script wrote its answer, and then failed: exit status 3; if it did not fail, /,
    );
  });

  it("answers 502 to a script that failed and wrote less than it said, or nothing", async () => {
    await shell("printf 'Content-Type: text/plain\\nContent-Length: 10\\n\\nabc'; exit 3");
    assert.equal((await overInTime()).status, 502);
    await served.close();
    await shell(`${HEAD}; exit 3`);
    assert.equal((await overInTime()).status, 502);
  });

  it("takes an error that it has said itself for its answer, whatever its exit status", async () => {
    await shell("printf 'Status: 500\\nContent-Type: text/plain\\n\\nsorry'; exit 255");
    const response = await served.get();
    assert.deepEqual([response.status, response.text], [500, "sorry"]);
  });

  it("tells a developer on the same machine why", async () => {
    await shell("echo 'line 3: <oops>' >&2; printf 'Hello\\r\\n'; exit 4", { development: true });
    const response = await served.get("/", "Accept: text/html");
    assert.equal(response.status, 502);
    assert.match(response.header("content-type") ?? "", /^text\/html/);
    assert.match(response.text, /a line that is not a header: &quot;Hello&quot; \(exit status 4\)/);
    assert.match(response.text, /line 3: &lt;oops&gt;/);
    assert.match(response.text, /Hello\\r/);
    assert.match((await served.get("/", "Accept: text/plain")).text, /line 3: <oops>/);
  });

  it("does not tell a client behind a proxy, nor without development", async () => {
    await shell("echo secret >&2; echo hello", { development: true });
    const proxied = await served.get("/", "X-Forwarded-For: 127.0.0.1");
    assert.equal(proxied.status, 502);
    assert.doesNotMatch(proxied.text, /secret|hello/);
    // A page of this name may be anybody's, though its name leads here.
    const rebound = await served.get("/", "Host: pages.example");
    assert.doesNotMatch(rebound.text, /secret|hello/);
    await served.close();
    await shell("echo secret >&2; echo hello");
    assert.doesNotMatch((await served.get()).text, /secret|hello/);
  });

  it("says that a link leads out, which to the client is a 404 like any other", async () => {
    const script = freshPath();
    symlinkSync("/bin/sh", script);
    served = await serveScripts({ root: dirname(script) });
    assert.equal((await served.get(`/${basename(script)}`)).status, 404);
    await served.message(/leads out of .* \(not followed unless followSymlinks is set\)/);
  });

  it("says why a script cannot be started", async () => {
    const script = freshPath();
    writeFileSync(script, "#!/nonexistent/interpreter\n", { mode: 0o755 });
    served = await serveScripts({ root: dirname(script) });
    assert.equal((await served.get(`/${basename(script)}`)).status, 502);
    await served.message(/\/nonexistent\/interpreter/);
  });

  it("survives an env function and an authorize function that throw", async () => {
    await shell(HEAD, {
      env: () => {
        throw new Error("no env today");
      },
    });
    assert.equal((await served.get()).status, 500);
    await served.message(/no env today/);
    await served.close();
    await shell(HEAD, { authorize: () => Promise.reject(new Error("no rights today")) });
    assert.equal((await served.get()).status, 500);
    await served.message(/no rights today/);
  });

  it("runs nothing that authorize does not allow", async () => {
    await shell(HEAD, { authorize: ({ request }) => new URL(request.url).pathname === "/yes" });
    assert.equal((await served.get("/no")).status, 403);
    assert.equal((await served.get("/yes")).status, 200);
    assert.equal(served.events.filter(({ type }) => type === "script-exit").length, 1);
  });
});

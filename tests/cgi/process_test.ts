/** Scripts that run: their output, their time, their end, and what they leave behind. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, afterEach, describe, it } from "node:test";
import { connect, exchange, get, type RawResponse, requestHead, toLatin1 } from "../_http.ts";
import { runtime } from "../_runtime.ts";
import { isAlive, type Served, type ServedOptions, serveScripts, serveShell } from "./_served.ts";

const HEAD = "printf 'Content-Type: text/plain\\n\\n'";
const directory = mkdtempSync(join(tmpdir(), "htbin-process-"));
let names = 0;
let served: Served;

/** A path that nothing is at yet. */
function freshPath(): string {
  return join(directory, String(names++));
}

/** Shell text that waits until something is at the path. */
function until(path: string): string {
  return `while [ ! -e ${path} ]; do sleep 0.02; done`;
}

async function shell(source: string, options: ServedOptions = {}): Promise<Served> {
  return served = await serveShell(source, options);
}

/** A response that was broken off: `null` when that was before its head was sent. */
async function brokenOff(request: string = get("/")): Promise<RawResponse | null> {
  const response = await exchange(served, request).catch((error: Error) => {
    assert.match(error.message, /The connection ended \((?:reset|fin)\) before a response/);
    return null;
  });
  assert.equal(response?.complete ?? false, false, response?.text);
  return response;
}

async function waitFor(condition: () => boolean, what: string): Promise<void> {
  const started = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - started < 10_000, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The numbers of the processes that a script has written to a file. */
async function pidsIn(path: string, count: number): Promise<readonly number[]> {
  const read = () => existsSync(path) ? readFileSync(path, "utf8").trim().split(/\s+/) : [];
  await waitFor(() => read().length === count, `${count} process numbers`);
  return read().map(Number);
}

async function allGone(pids: readonly number[]): Promise<void> {
  await waitFor(
    () => !pids.some((pid) => isAlive(pid, process.kill) && !isZombie(pid)),
    `the end of ${pids}`,
  );
}

/** Ended, but not yet reaped by whoever has become its parent: no concern of this server. */
function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

afterEach(() => served?.close());
after(() => rmSync(directory, { recursive: true }));

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
    await brokenOff();
    const { message } = await served.message(/^response broken off/);
    assert.equal(message, "response broken off: 3 bytes, which said Content-Length: 10 (exit status 0)");
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
    // Deno's server sends 205 without the length that tells its end, whatever the response's headers say.
    const skip = status === 205 && runtime.name === "deno";
    it(`sends no body with ${status}, and the connection lives on`, { skip }, async () => {
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
  for (
    const [name, source, reason] of [
      ["writes nothing", "exit 0", "nothing at all (exit status 0)"],
      ["fails without a word", "exit 7", "nothing at all (exit status 7)"],
      ["writes no head", "echo hello world", 'a line that is not a header: "hello world" (exit status 0)'],
      ["forgets the blank line", "echo A: b", "no blank line after the headers (exit status 0)"],
      [
        "begins with a blank line",
        "echo; echo hello",
        "a blank line where the first header belongs (exit status 0)",
      ],
      [
        "names no type",
        "printf 'X: y\\n\\nbody'",
        "no Content-Type, Status or Location header (exit status 0)",
      ],
      [
        "splits a header",
        "printf 'A: b\\rX: y\\n\\n'",
        'a control character in the value of "A" (exit status 0)',
      ],
      ["is killed before its head", "kill -KILL $$", "nothing at all (ended by SIGKILL)"],
    ] as const
  ) {
    it(`answers 502 to a script that ${name}`, async () => {
      await shell(source);
      const response = await served.get();
      assert.equal(response.status, 502);
      assert.equal(response.complete, true);
      const said = await served.message(/^answered 502/);
      assert.equal(said.message, `answered 502: the script's output is no response: ${reason}`);
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
      const response = await brokenOff();
      assert.equal(response?.status, 200);
      await served.message(new RegExp(`^response broken off: ${reason}$`));
    });

    it(`answers 502 when a script ${name} before anything of it was sent`, async () => {
      await shell(`${HEAD}; echo begun; ${end}`);
      const response = await served.get();
      assert.equal(response.status, 502);
      assert.doesNotMatch(response.text, /begun/);
      await served.message(new RegExp(`^answered 502: the script failed: ${reason}$`));
    });

    it(`does so over HTTP/1.0 too when it ${name}`, async () => {
      await shell(`${HEAD}; echo begun; sleep 0.1; ${end}`);
      const response = await exchange(served, "GET / HTTP/1.0\r\n\r\n").catch(() => null);
      // A body that ends with the connection is whole unless that is reset. Deno's server does not: to its handlers an
      // HTTP/1.0 request looks like any other.
      if (response?.framing === "close") {
        assert.equal(response.end, runtime.name === "deno" ? "fin" : "reset");
      } else assert.notEqual(response?.complete, true);
    });
  }

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
    await served.close();
    await shell("echo secret >&2; echo hello");
    assert.doesNotMatch((await served.get()).text, /secret|hello/);
  });

  it("says why a script cannot be started", async () => {
    const script = join(directory, "no-interpreter");
    writeFileSync(script, "#!/nonexistent/interpreter\n", { mode: 0o755 });
    served = await serveScripts({ root: directory });
    assert.equal((await served.get("/no-interpreter")).status, 502);
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

describe("cgi() and time", () => {
  it("answers 504 when there is no head in time", async () => {
    await shell("exec sleep 60", { timeouts: { firstByte: 0.2 } });
    const started = performance.now();
    assert.equal((await served.get()).status, 504);
    assert.ok(performance.now() - started < 5000);
    assert.equal((await served.exit()).signal, "SIGTERM");
    await served.message(/^answered 504: time limit \(timeouts.firstByte\) reached/);
  });

  it("breaks the answer off when the script falls silent", async () => {
    await shell(`${HEAD}; echo before; exec sleep 60`, { timeouts: { idle: 0.2 } });
    const response = await served.get();
    assert.equal(response.complete, false);
    assert.match(toLatin1(response.raw), /before/);
    await served.message(/^response broken off: time limit \(timeouts.idle\) reached/);
  });

  it("does not take a script that goes on for silent", async () => {
    await shell(`${HEAD}; for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done`, { timeouts: { idle: 0.4 } });
    const response = await served.get();
    assert.equal(response.complete, true);
    assert.equal(response.text, "1\n2\n3\n4\n5\n6\n");
  });

  it("ends a script that goes on for too long", async () => {
    await shell(`${HEAD}; while :; do echo x; sleep 0.05; done`, { timeouts: { idle: 5, total: 0.4 } });
    const response = await served.get();
    assert.equal(response.complete, false);
    await served.message(/^response broken off: time limit \(timeouts.total\) reached/);
    await served.exit();
  });

  it("forces a script that does not want to end, and its children", async () => {
    const pids = freshPath();
    await shell(
      `trap '' TERM; sleep 60 & echo $$ $! >${pids}; while :; do sleep 0.05; done`,
      { timeouts: { firstByte: 0.3, grace: 0.2 } },
    );
    assert.equal((await served.get()).status, 504);
    assert.equal((await served.exit()).signal, "SIGKILL");
    await allGone(await pidsIn(pids, 2));
  });

  it("has no limits where they are switched off", async () => {
    await shell(`sleep 0.2; ${HEAD}; sleep 0.2; echo end`, {
      timeouts: { firstByte: 0, idle: 0, total: Infinity },
    });
    assert.equal((await served.get()).text, "end\n");
  });
});

describe("cgi() and clients that leave", () => {
  it("ends a script that is silent before its head, and all it started", async () => {
    const pids = freshPath();
    await shell(`sleep 60 & echo $$ $! >${pids}; wait`);
    const connection = await connect(served);
    await connection.send(get("/"));
    const running = await pidsIn(pids, 2);
    connection.close();
    assert.equal((await served.exit()).signal, "SIGTERM");
    await allGone(running);
  });

  it("ends a script that is silent after its head", async () => {
    const stopped: unknown[] = [];
    await shell(`${HEAD}; echo begun; exec sleep 60`, { onExit: (exit) => void stopped.push(exit.stopped) });
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.head();
    await connection.received(5);
    connection.close();
    assert.equal((await served.exit()).signal, "SIGTERM");
    assert.deepEqual(stopped, ["client-gone"]);
    assert.deepEqual(served.messages().filter((message) => !/^started as root/.test(message)), []);
  });

  it("ends a script that writes without end", async () => {
    await shell(`${HEAD}; exec yes`);
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.head();
    await connection.received(5000);
    connection.reset();
    await served.exit();
  });

  it("ends a script whose request's body breaks off", async () => {
    const seen = freshPath();
    await shell(`cat >/dev/null; touch ${seen}; ${HEAD}`);
    const connection = await connect(served);
    await connection.send(requestHead("POST", "/", "Content-Length: 200000") + "x".repeat(100_000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    connection.close();
    assert.equal((await served.exit()).signal, "SIGTERM");
    assert.equal(existsSync(seen), false);
  });
});

describe("cgi() and what scripts leave behind", () => {
  it("ends the answer although something holds the pipe", async () => {
    const pids = freshPath();
    await shell(`${HEAD}; echo done; sleep 60 & echo $! >${pids}`);
    const started = performance.now();
    const response = await served.get();
    assert.equal(response.text, "done\n");
    assert.equal(response.complete, true);
    assert.ok(performance.now() - started < 5000);
    await allGone(await pidsIn(pids, 1));
  });

  it("still hands on what is in the pipe, and what is written after the script's end", async () => {
    await shell(`${HEAD}; (for i in 1 2 3; do sleep 0.1; echo $i; done) & exit 0`);
    const response = await served.get();
    assert.equal(response.text, "1\n2\n3\n");
    assert.equal(response.complete, true);
  });

  it("leaves no process behind that has closed its pipes", async () => {
    const pids = freshPath();
    await shell(`${HEAD}; sleep 60 >/dev/null 2>&1 & echo $! >${pids}`);
    assert.equal((await served.get()).status, 200);
    await allGone(await pidsIn(pids, 1));
  });

  it("forces one that does not want to end", async () => {
    const pids = freshPath();
    await shell(
      `${HEAD}; (trap '' TERM; while :; do sleep 0.05; done) >/dev/null 2>&1 & echo $! >${pids}`,
      { timeouts: { grace: 0.2 } },
    );
    assert.equal((await served.get()).status, 200);
    await allGone(await pidsIn(pids, 1));
  });

  it("lets a script that has closed its output work on", async () => {
    const go = freshPath();
    await shell(`${HEAD}; echo done; exec >&- ; ${until(go)}; echo late >&2`);
    const response = await served.get();
    assert.deepEqual([response.text, response.complete], ["done\n", true]);
    writeFileSync(go, "");
    assert.equal((await served.exit()).code, 0);
    assert.ok(served.events.some((event) => event.type === "script-stderr" && event.line === "late"));
  });
});

describe("cgi() and standard error", () => {
  it("logs it line by line, with script, process and request", async () => {
    await shell(`echo one >&2; ${HEAD}; printf 'two\\nthree' >&2; echo body`);
    assert.equal((await served.get()).text, "body\n");
    const { pid, requestId } = await served.exit();
    const lines = served.events.filter(({ type }) => type === "script-stderr");
    assert.deepEqual(
      lines,
      ["one", "two", "three"].map((line) => ({
        type: "script-stderr",
        line,
        script: "/bin/sh",
        pid,
        requestId,
      })),
    );
  });

  it("does not let a flood of it block the script or fill the log", async () => {
    await shell(`head -c 3000000 /dev/zero | tr '\\0' x >&2; ${HEAD}; echo body`, {
      limits: { stderr: 1000 },
    });
    assert.equal((await served.get()).text, "body\n");
    await served.exit();
    const lines = served.events.filter((event) => event.type === "script-stderr");
    assert.equal(
      lines.reduce((size, event) => size + (event.type === "script-stderr" ? event.line.length : 0), 0),
      1000,
    );
    await served.message(/^more than 1000 bytes on standard error/);
  });

  it("gives it to the hook in the place of the log", async () => {
    const heard: string[] = [];
    await shell(`echo hear me >&2; ${HEAD}`, {
      onStderr(line, { scriptFilename }) {
        heard.push(`${scriptFilename}: ${line}`);
        throw new Error("deaf");
      },
    });
    assert.equal((await served.get()).status, 200);
    await served.exit();
    assert.deepEqual(heard, ["/bin/sh: hear me"]);
    assert.equal(served.events.some(({ type }) => type === "script-stderr"), false);
    await served.message(/^the hook onStderr failed: Error: deaf$/);
  });

  it("tells the hook of the end, and survives it", async () => {
    const ends: unknown[] = [];
    await shell(`${HEAD}; exit 5`, {
      onExit({ code, signal, stopped, call, durationMs }) {
        ends.push([code, signal, stopped, call.scriptName, durationMs > 0]);
        throw new Error("not interested");
      },
    });
    await served.get();
    await served.message(/^the hook onExit failed: Error: not interested$/);
    assert.deepEqual(ends, [[5, null, null, "", true]]);
  });
});

describe("cgi() under load", () => {
  it("answers 503 when too many wait, with the time to come again", async () => {
    const go = freshPath();
    await shell(`${until(go)}; ${HEAD}`, { limits: { concurrent: 1, queue: 1 } });
    const three = [served.get(), served.get(), served.get()];
    const refused = await Promise.race(three);
    assert.equal(refused.status, 503);
    assert.match(refused.header("retry-after") ?? "", /^\d+$/);
    await served.message(/^answered 503: 1 scripts run and 1 requests wait/);
    writeFileSync(go, "");
    const statuses = (await Promise.all(three)).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, 200, 503]);
    assert.equal((await served.get()).status, 200);
  });

  it("answers 503 to who has waited for too long", async () => {
    const go = freshPath();
    await shell(`${until(go)}; ${HEAD}`, { limits: { concurrent: 1, wait: 0.1 } });
    const both = [served.get(), served.get()];
    const refused = await Promise.race(both);
    assert.equal(refused.status, 503);
    await served.message(/^answered 503: no place within 0.1 s/);
    writeFileSync(go, "");
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, 503]);
  });

  it("starts nothing for a client that left while it waited", async () => {
    const go = freshPath();
    await shell(`${until(go)}; ${HEAD}`, { limits: { concurrent: 1 } });
    const first = await connect(served);
    await first.send(get("/first"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = await connect(served);
    await second.send(get("/second"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    second.close();
    await served.event((event): event is Extract<typeof event, { type: "access" }> =>
      event.type === "access" && event.target === "/second"
    );
    writeFileSync(go, "");
    assert.equal((await first.response()).status, 200);
    first.close();
    assert.equal((await served.get("/third")).status, 200);
    await served.exit(2);
    assert.equal(served.events.filter(({ type }) => type === "script-exit").length, 2);
  });
});

describe("cgi().close()", () => {
  it("lets running scripts finish within the grace, and takes no more", async () => {
    const go = freshPath();
    await shell(`${HEAD}; echo begun; ${until(go)}; echo end`);
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.head();
    const closed = served.handler.close(10_000);
    const refused = await served.get();
    assert.equal(refused.status, 503);
    assert.match(refused.header("retry-after") ?? "", /^\d+$/);
    writeFileSync(go, "");
    await closed;
    assert.equal((await served.exit()).code, 0);
    connection.close();
  });

  it("then ends them", async () => {
    await shell(`trap 'exit 0' TERM; ${HEAD}; echo begun; while :; do sleep 0.05; done`);
    const connection = await connect(served);
    await connection.send(get("/"));
    await connection.head();
    await served.handler.close(50);
    await served.message(/^response broken off: the server is shutting down/);
    const { code, signal } = await served.exit();
    assert.deepEqual([code, signal], [0, null]);
    connection.close();
  });

  it("answers 503 to a script that had said nothing yet", async () => {
    const pids = freshPath();
    await shell(`echo $$ >${pids}; exec sleep 60`);
    const response = served.get();
    await pidsIn(pids, 1);
    await served.handler.close();
    assert.equal((await response).status, 503);
  });

  it("resolves at once when nothing runs", async () => {
    await shell(HEAD);
    await served.handler.close();
    await served.handler.close(1000);
  });
});

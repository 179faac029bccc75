/** Request bodies on their way to a script's standard input. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, it } from "node:test";
import { chunk, concat, connect, exchange, get, requestHead, toBytes, toLatin1 } from "../_http.ts";
import { type Served, type ServedOptions, serveShell } from "./_served.ts";

const HEAD = "printf 'Content-Type: text/plain\\n\\n'";
/** Says which length it was told, how much it could read, and what that was. */
const COUNT = `body=$(cat | wc -c); ${HEAD}; echo "\${CONTENT_LENGTH-unset} $body"`;
const ECHO = `${HEAD}; echo "\${CONTENT_LENGTH-unset}"; cat`;
const directory = mkdtempSync(join(tmpdir(), "htbin-body-"));
let served: Served;

async function shell(source: string, options: ServedOptions = {}): Promise<Served> {
  return served = await serveShell(source, options);
}

/** A POST request with a body of this length. */
function post(body: string | Uint8Array, ...headers: string[]): Uint8Array {
  const bytes = toBytes(body);
  return concat([toBytes(requestHead("POST", "/", `Content-Length: ${bytes.length}`, ...headers)), bytes]);
}

/** A POST request with a body in these chunks. */
function postChunks(...pieces: (string | Uint8Array)[]): Uint8Array {
  const head = toBytes(requestHead("POST", "/", "Transfer-Encoding: chunked"));
  return concat([head, ...pieces.map((piece) => chunk(piece)), chunk()]);
}

/** Descriptors of this process that lead to files that have no name any more. */
function namelessFiles(): readonly string[] {
  const links = readdirSync("/proc/self/fd").map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link.endsWith(" (deleted)"));
}

afterEach(() => served?.close());
after(() => rmSync(directory, { recursive: true }));

describe("cgi() and a body with a length", () => {
  for (const size of [1, 15, 65_536, 65_537, 1_000_000]) {
    it(`hands over ${size} bytes, and then the end`, async () => {
      await shell(COUNT);
      const response = await exchange(served, post("x".repeat(size)));
      assert.equal(response.text, `${size} ${size}\n`);
    });
  }

  it("keeps every byte", async () => {
    await shell(`${HEAD}; cat`);
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7 % 256);
    const response = await exchange(served, post(bytes));
    assert.deepEqual(response.body, bytes);
  });

  it("gives an empty body and none the same end, and tells them apart", async () => {
    await shell(COUNT);
    assert.equal((await exchange(served, post(""))).text, "0 0\n");
    assert.equal((await exchange(served, requestHead("POST", "/"))).text, "unset 0\n");
    assert.equal((await served.get()).text, "unset 0\n");
  });

  it("starts the script although the body takes its time", async () => {
    await shell(`${HEAD}; read -r line; echo "got $line"; cat`);
    const connection = await connect(served);
    await connection.send(requestHead("POST", "/", "Content-Length: 12") + "begin\n");
    const first = await connection.head();
    assert.equal(first.status, 200);
    assert.match(toLatin1(await connection.received(10)), /got begin/);
    await connection.send("ending");
    let rest = "";
    while (!rest.includes("ending")) {
      rest += toLatin1(await connection.received(1));
      connection.take();
    }
    connection.close();
  });

  it("puts the time limit off while the body is coming", async () => {
    await shell(COUNT, { timeouts: { firstByte: 0.4 } });
    const connection = await connect(served);
    await connection.send(requestHead("POST", "/", "Content-Length: 8"));
    for (let count = 0; count < 8; count++) {
      await connection.send("x");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const response = await connection.response({ method: "POST" });
    assert.equal(response.text, "8 8\n");
    connection.close();
  });

  it("does not mind a script that does not read, and serves on", async () => {
    await shell(`${HEAD}; echo done`);
    for (const size of [1000, 3_000_000]) {
      const response = await exchange(served, post("x".repeat(size)));
      assert.equal(response.text, "done\n");
    }
    assert.equal((await served.get()).text, "done\n");
  });

  it("ends the input before a pipelined request", async () => {
    await shell(`${HEAD}; echo "$REQUEST_METHOD $REQUEST_URI"; cat`);
    const connection = await connect(served);
    await connection.send(concat([post("one"), toBytes(get("/two"))]));
    assert.equal((await connection.response()).text, "POST /\none");
    assert.equal((await connection.response()).text, "GET /two\n");
    connection.close();
  });

  it("refuses a body that is too large, before the script starts", async () => {
    const ran = join(directory, "too-large");
    await shell(`touch ${ran}; ${COUNT}`, { limits: { body: 10 } });
    assert.equal((await exchange(served, post("x".repeat(11)))).status, 413);
    await served.message(/^answered 413: a request body of more than 10 bytes$/);
    assert.equal(existsSync(ran), false);
    assert.equal((await exchange(served, post("x".repeat(10)))).text, "10 10\n");
  });

  for (const [size, status, interim] of [[11, 413, 0], [3, 200, 1]] as const) {
    it(`says 100 Continue ${interim} times where the answer is ${status}`, async () => {
      await shell(COUNT, { limits: { body: 10 } });
      const connection = await connect(served);
      try {
        await connection.send(requestHead("POST", "/", `Content-Length: ${size}`, "Expect: 100-continue"));
        if (interim === 1) {
          const line = "HTTP/1.1 100 Continue\r\n";
          assert.equal(toLatin1(await connection.received(line.length)).slice(0, line.length), line);
          await connection.send("x".repeat(size));
        }
        const response = await connection.response({ method: "POST" });
        assert.equal(response.status, status);
        assert.equal(response.interim.length, interim);
      } finally {
        connection.reset();
      }
    });
  }
});

describe("cgi() and a body without a length", () => {
  it("collects it and tells the script its length", async () => {
    await shell(ECHO);
    const response = await exchange(served, postChunks("postfoo", "=", "postbar"));
    assert.equal(response.text, "15\npostfoo=postbar");
  });

  it("collects a large one in a file that nobody sees, and that is gone afterwards", async () => {
    const marker = "0123456789".repeat(30_000);
    await shell(`${HEAD}; echo "$CONTENT_LENGTH"; cat`, { limits: { spoolMemory: 1000 } });
    const before = namelessFiles();
    for (let count = 0; count < 3; count++) {
      const response = await exchange(served, postChunks("x".repeat(999), marker, marker));
      assert.equal(response.text, `600999\n${"x".repeat(999)}${marker}${marker}`);
    }
    await served.exit(3);
    assert.deepEqual(namelessFiles(), before);
  });

  it("takes an empty one for an empty one", async () => {
    await shell(COUNT);
    assert.equal((await exchange(served, postChunks())).text, "0 0\n");
  });

  it("starts nothing before it is whole", async () => {
    const ran = join(directory, "not-whole");
    await shell(`touch ${ran}; ${HEAD}`);
    const connection = await connect(served);
    await connection.send(requestHead("POST", "/", "Transfer-Encoding: chunked"));
    await connection.send(chunk("half"));
    connection.close();
    await served.event((event): event is Extract<typeof event, { type: "access" }> =>
      event.type === "access"
    );
    assert.equal(existsSync(ran), false);
  });

  for (const spoolMemory of [0, 1_000_000]) {
    it(`refuses one that becomes too large (${spoolMemory} bytes in memory)`, async () => {
      const before = namelessFiles();
      await shell(COUNT, { limits: { body: 10, spoolMemory } });
      assert.equal((await exchange(served, postChunks("12345", "67890", "1"))).status, 413);
      assert.equal((await exchange(served, postChunks("12345", "67890"))).text, "10 10\n");
      await served.exit();
      assert.deepEqual(namelessFiles(), before);
    });
  }

  it("takes no more room on disk than it may, for all requests together", async () => {
    const go = join(directory, "go");
    await shell(`${HEAD}; echo begun; while [ ! -e ${go} ]; do sleep 0.02; done; cat | wc -c`, {
      limits: { spoolMemory: 0, spoolDisk: 1000 },
    });
    assert.equal((await exchange(served, postChunks("x".repeat(1001)))).status, 413);
    const connection = await connect(served);
    await connection.send(postChunks("x".repeat(600)));
    await connection.head();
    const refused = await exchange(served, postChunks("x".repeat(401)));
    assert.equal(refused.status, 503);
    await served.message(/^answered 503: no room left for request bodies/);
    writeFileSync(go, "");
    await served.exit();
    assert.equal((await exchange(served, postChunks("x".repeat(1000)))).text, "begun\n1000\n");
    connection.close();
  });

  it("answers 408 to one that stops coming", async () => {
    await shell(COUNT, { timeouts: { idle: 0.2 } });
    const connection = await connect(served);
    await connection.send(requestHead("POST", "/", "Transfer-Encoding: chunked"));
    await connection.send(chunk("half"));
    assert.equal((await connection.response({ method: "POST" })).status, 408);
    connection.close();
  });

  it("refuses it with 411 where it is told to, and no request without a body", async () => {
    await shell(COUNT, { chunked: "refuse" });
    assert.equal((await exchange(served, postChunks("x"))).status, 411);
    assert.equal((await exchange(served, requestHead("POST", "/"))).text, "unset 0\n");
    assert.equal((await exchange(served, post("abc"))).text, "3 3\n");
  });

  it("hands it over as it comes where it is told to", async () => {
    await shell(`${HEAD}; echo "\${CONTENT_LENGTH-unset}"; read -r line; echo "got $line"; cat`, {
      chunked: "stream",
    });
    const connection = await connect(served);
    await connection.send(requestHead("POST", "/", "Transfer-Encoding: chunked"));
    await connection.send(chunk("begin\n"));
    const head = await connection.head();
    assert.equal(head.status, 200);
    let text = "";
    const expect = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        await connection.received(1);
        text += toLatin1(connection.take());
      }
    };
    await expect(/unset\n[^]*got begin\n/);
    await connection.send(chunk("ending"));
    await expect(/ending/);
    await connection.send(chunk());
    await served.exit();
    connection.close();
  });

  it("refuses what becomes too large while it is handed over, and ends the script", async () => {
    const stopped: unknown[] = [];
    await shell("cat >/dev/null; sleep 60", {
      chunked: "stream",
      limits: { body: 10 },
      onExit: (exit) => void stopped.push(exit.stopped),
    });
    const connection = await connect(served);
    await connection.send(requestHead("POST", "/", "Transfer-Encoding: chunked"));
    await connection.send(chunk("12345"));
    await connection.send(chunk("67890+"));
    assert.equal((await connection.response({ method: "POST" })).status, 413);
    assert.equal((await served.exit()).signal, "SIGTERM");
    assert.deepEqual(stopped, ["output-unwanted"]);
    connection.close();
  });
});

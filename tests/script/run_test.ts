/** What a server sees of a script: the bytes it prints, what it says of errors, and how it ends. */

import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it, test } from "node:test";
import { runModule, temporaryDirectory } from "../_runtime.ts";

// The compiled tests have another extension.
const extension = /\.[a-z]+$/.exec(import.meta.url)?.[0] ?? ".ts";
const program = new URL(`./_program${extension}`, import.meta.url);

const GET: Readonly<Record<string, string>> = {
  GATEWAY_INTERFACE: "CGI/1.1",
  HTTP_HOST: "example.com",
  REQUEST_METHOD: "GET",
  SCRIPT_NAME: "/cgi-bin/s",
  SERVER_PROTOCOL: "HTTP/1.1",
};
const PATH = process.env["PATH"] ?? "";

type Environment = Readonly<Record<string, string>>;

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A script that runs. */
interface Running extends Promise<Ended> {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves once it has printed this. */
  printed(stream: "stdout" | "stderr", text: string): Promise<void>;
}

function start(env: Environment, args: readonly string[] = [], through?: string): Running {
  const command = runModule(program, args);
  const [file, ...words] = through === undefined ? command : ["/bin/sh", "-c", through, "sh", ...command];
  const child = spawn(file as string, words, { env: { PATH, NO_COLOR: "1", ...env } });
  const out = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("latin1").on("data", (text: string) => {
      out[name] += text;
      waiting.forEach((look) => look());
    });
  }
  // A script may end before it has read.
  child.stdin.on("error", () => {});
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => resolve({ ...out, code, signal }));
  });
  return Object.assign(ended, {
    child,
    printed: (name: "stdout" | "stderr", text: string) =>
      new Promise<void>((resolve, reject) => {
        const look = () => out[name].includes(text) && resolve();
        waiting.add(look);
        look();
        ended.then((end) => reject(new Error(`It has ended without ${text}: ${JSON.stringify(end)}`)));
      }),
  });
}

/** Runs a script to its end. */
function run(handler: string, env: Environment = {}, input = ""): Promise<Ended> {
  const running = start({ ...GET, HANDLER: handler, ...env });
  running.child.stdin.end(input);
  return running;
}

function bodyOf({ stdout }: Ended): string {
  return stdout.slice(stdout.indexOf("\r\n\r\n") + 4);
}

function statusOf({ stdout }: Ended): string {
  return stdout.split("\r\n", 1)[0] ?? "";
}

test("an answer is printed, and nothing else; the script ends well", async () => {
  assert.deepEqual(await run("hello", { QUERY_STRING: "a=b", PATH_INFO: "/x" }), {
    stdout: "Status: 200 OK\r\ncontent-type: text/plain;charset=UTF-8\r\ncontent-length: 29\r\n\r\n" +
      "GET http://example.com/x?a=b\n",
    stderr: "",
    code: 0,
    signal: null,
  });
  const head = await run("hello", { REQUEST_METHOD: "HEAD" });
  assert.deepEqual([head.code, head.stderr, statusOf(head), bodyOf(head)], [0, "", "Status: 200 OK", ""]);
});

test("what the program prints goes to the log", async () => {
  const ended = await run("chatty");
  assert.equal(bodyOf(ended), "answer");
  assert.match(ended.stdout, /^Status: 200 OK\r\n/);
  for (const word of ["one", "two", "three", "four", "default: 1"]) {
    assert.ok(ended.stderr.includes(word), word);
  }
});

test("a program that would run on ends with its answer, and is told so", async (t) => {
  const busy = await run("busy");
  assert.deepEqual([busy.code, bodyOf(busy)], [0, "answer"]);
  const folder = await temporaryDirectory(t);
  const mark = join(folder, "mark");
  const exits = await run("exits", { MARK: mark });
  assert.deepEqual([exits.code, bodyOf(exits)], [0, "answer"]);
});

test("the client's Proxy field is no proxy, for the script and for what it starts (httpoxy)", async () => {
  const ended = await run("proxy", { HTTP_PROXY: "http://evil.example/" });
  assert.deepEqual(JSON.parse(bodyOf(ended)), [null, null, "none"]);
});

describe("what fails", () => {
  it("is 500 for the client, a line in the log, and an exit status of 1", async () => {
    const ended = await run("throws", { PATH_INFO: "/x", HTTP_ACCEPT: "application/json" });
    assert.deepEqual([ended.code, statusOf(ended)], [1, "Status: 500 Internal Server Error"]);
    assert.equal(JSON.parse(bodyOf(ended)).error.code, 500);
    assert.match(
      ended.stderr,
      /^GET http:\/\/example\.com\/x: RangeError: no where \(\S*_program\.[jt]s:\d+:\d+\)\n$/,
    );
    assert.match(ended.stdout, /^content-type: application\/json/m);
  });

  for (const [handler, message] of [["throwsText", "a text"], ["noResponse", "TypeError"]] as const) {
    it(`also as ${handler}`, async () => {
      const ended = await run(handler, { HTTP_ACCEPT: "text/plain" });
      assert.deepEqual([ended.code, statusOf(ended)], [1, "Status: 500 Internal Server Error"]);
      assert.ok(ended.stderr.includes(message), ended.stderr);
      assert.equal(ended.stderr.split("\n").length, 2, ended.stderr);
      assert.doesNotMatch(bodyOf(ended), /a text|TypeError/);
    });
  }

  it("before the first byte of the body, too", async () => {
    const ended = await run("tornAtOnce");
    assert.deepEqual([ended.code, statusOf(ended)], [1, "Status: 500 Internal Server Error"]);
  });

  it("after it, cannot be taken back: the exit status says so", async () => {
    const ended = await run("torn");
    assert.deepEqual([ended.code, statusOf(ended), bodyOf(ended).length], [1, "Status: 200 OK", 2000]);
    assert.match(ended.stderr, /^GET http:\/\/example\.com\/: Error: torn/);
    assert.doesNotMatch(ended.stdout, /content-length/);
  });

  it("for HEAD, has no page", async () => {
    const ended = await run("throws", { REQUEST_METHOD: "HEAD" });
    assert.deepEqual([ended.code, statusOf(ended), bodyOf(ended)], [
      1,
      "Status: 500 Internal Server Error",
      "",
    ]);
  });

  it("has the page and the log of the options; the page cannot make a success of it", async () => {
    const ended = await run("throws", { OPTIONS: "hooks" });
    assert.deepEqual([statusOf(ended), bodyOf(ended)], [
      "Status: 500 Internal Server Error",
      "page 500 Internal Server Error",
    ]);
    assert.equal(ended.stderr, "hook: RangeError: no\nwhere for http://example.com/\n");
    const nothing = await run("nothing", { OPTIONS: "badPage" });
    assert.deepEqual([nothing.code, statusOf(nothing)], [1, "Status: 500 Internal Server Error"]);
    assert.match(bodyOf(nothing), /<h1><b>500<\/b>/);
    assert.match(nothing.stderr, /no page\b.*\n.*no page\b/);
  });

  it("is nothing that a handler passes on: 404", async () => {
    const ended = await run("nothing");
    assert.deepEqual([ended.code, ended.stderr, statusOf(ended)], [0, "", "Status: 404 Not Found"]);
  });

  it("is the request, not the script: a status for the client, and a line in the log", async () => {
    const cases: readonly (readonly [Environment, number])[] = [
      [{ HTTP_HOST: "a/b" }, 400],
      [{ PATH_INFO: "x" }, 400],
      [{ REQUEST_METHOD: "TRACE" }, 501],
      [{ REQUEST_METHOD: "POST", CONTENT_LENGTH: "-1" }, 400],
      [{ REQUEST_METHOD: "POST", HTTP_TRANSFER_ENCODING: "chunked" }, 411],
      [{ REQUEST_METHOD: "" }, 400],
    ];
    for (const [env, status] of cases) {
      const ended = await run("hello", { ...env, OPTIONS: "" });
      assert.deepEqual([ended.code, statusOf(ended).split(" ")[1]], [0, String(status)], JSON.stringify(env));
      assert.match(ended.stderr, /^ScriptRequestError: .+\n$/);
    }
  });

  it("is an option that is wrong: the program ends, and says which", async () => {
    for (
      const [options, message] of [
        ['{"nhp":true}', /nhp/],
        ['{"nph":"yes"}', /nph/],
        ['{"basePath":"api"}', /basePath/],
        ['{"trustedProxies":["proxy"]}', /proxy/],
      ] as const
    ) {
      const ended = await run("hello", { OPTIONS: options });
      assert.notEqual(ended.code, 0, options);
      assert.match(ended.stderr, message);
      assert.doesNotMatch(ended.stdout, /200/);
    }
    const ended = await run("no such handler");
    assert.notEqual(ended.code, 0);
    assert.match(ended.stderr, /app\.fetch/);
  });
});

describe("the request's body", () => {
  const post = { REQUEST_METHOD: "POST" };

  it("is what the server says, not what comes after it", async () => {
    const ended = await run("echo", { ...post, CONTENT_LENGTH: "5" }, "hello and more");
    assert.deepEqual([ended.code, bodyOf(ended)], [0, "hello"]);
  });

  it("that ends early is a failure", async () => {
    const ended = await run("echo", { ...post, CONTENT_LENGTH: "50" }, "hello");
    assert.deepEqual([ended.code, statusOf(ended)], [1, "Status: 500 Internal Server Error"]);
    assert.match(ended.stderr, /ended after 5 of 50 bytes/);
  });

  it("need not be read, nor be there", async () => {
    const running = start({ ...GET, ...post, HANDLER: "hello", CONTENT_LENGTH: "1000000" });
    running.child.stdin.write("x".repeat(300_000));
    const ended = await running;
    assert.deepEqual([ended.code, statusOf(ended)], [0, "Status: 200 OK"]);
    const none = await start({ ...GET, HANDLER: "hello" }, [], 'exec "$@" <&-');
    assert.deepEqual([none.code, statusOf(none)], [0, "Status: 200 OK"]);
  });
});

describe("a whole HTTP response", () => {
  for (
    const [what, env] of [
      ["by the script's name", { SCRIPT_NAME: "/cgi-bin/nph-s" }],
      ["by the file's name", { SCRIPT_FILENAME: "/srv/cgi-bin/nph-s.ts", SCRIPT_NAME: "/s" }],
      ["by option", { OPTIONS: '{"nph":true}' }],
    ] as const
  ) {
    it(what, async () => {
      const ended = await run("hello", env);
      assert.equal(ended.code, 0);
      assert.match(ended.stdout, /^HTTP\/1\.1 200 OK\r\n/);
      assert.match(ended.stdout, /\r\ndate: .+ GMT\r\nconnection: close\r\n\r\nGET /);
      assert.match((await run("throws", env)).stdout, /^HTTP\/1\.1 500 /);
      assert.match((await run("hello", { ...env, HTTP_HOST: "a/b" })).stdout, /^HTTP\/1\.1 400 /);
    });
  }

  it("not of a script that is included in a page, or when the option says no", async () => {
    const name = { SCRIPT_NAME: "/cgi-bin/nph-s" };
    assert.match((await run("hello", { ...name, SERVER_PROTOCOL: "INCLUDED" })).stdout, /^Status: 200/);
    assert.match((await run("hello", { ...name, OPTIONS: '{"nph":false}' })).stdout, /^Status: 200/);
    assert.match((await run("hello", { SCRIPT_NAME: "/nph-folder/s" })).stdout, /^Status: 200/);
  });
});

describe("the end", () => {
  it("waits for what the handler has left to do, after the answer", async (t) => {
    const mark = join(await temporaryDirectory(t), "mark");
    const running = start({ ...GET, HANDLER: "afterwards", MARK: mark });
    await running.printed("stdout", "answer");
    await running.printed("stderr", "work failed");
    await writeFile(mark, "");
    const ended = await running;
    assert.equal(ended.code, 0);
    assert.match(ended.stderr, /^GET http:\/\/example\.com\/: Error: work failed.*\ndone\n$/);
  });

  it("comes when nobody wants the answer: the body is cancelled, the signal aborted", async () => {
    const running = start({ ...GET, HANDLER: "endless" });
    await running.printed("stdout", "xxx");
    running.child.stdout.destroy();
    const ended = await running;
    assert.equal(ended.code, 0);
    assert.deepEqual(ended.stderr.trim().split("\n").sort(), ["aborted", "cancelled"]);
  });

  it("comes when there is no output", async () => {
    const ended = await start({ ...GET, HANDLER: "hello" }, [], 'exec "$@" >&-');
    assert.deepEqual([ended.stdout, ended.stderr], ["", ""]);
  });

  it("comes when the server says so, once the handler has heard of it", async () => {
    const running = start({ ...GET, HANDLER: "stops" });
    await running.printed("stderr", "ready");
    running.child.kill("SIGTERM");
    const ended = await running;
    assert.ok(ended.code === 143 || ended.signal === "SIGTERM", JSON.stringify(ended));
    assert.match(ended.stderr, /stopped\n$/);
    assert.doesNotMatch(ended.stdout, /too late/);
  });

  it("comes a second later for a handler that does not care", async () => {
    const running = start({ ...GET, HANDLER: "hangs" });
    await running.printed("stderr", "ready");
    const since = performance.now();
    running.child.kill("SIGTERM");
    const ended = await running;
    assert.ok(ended.code === 143 || ended.signal === "SIGTERM", JSON.stringify(ended));
    const took = performance.now() - since;
    assert.ok(took > 900, `${took} ms`);
  });
});

describe("started by hand", () => {
  it("says how it is run, with an exit status of 2", async () => {
    for (const args of [[], ["x"], ["/a", "/b"], ["--help"]]) {
      const ended = await start({ HANDLER: "hello" }, args);
      assert.deepEqual([ended.code, ended.stdout], [2, ""], args.join(" "));
      assert.match(ended.stderr, /^This is a CGI script: .+\n$/);
    }
  });

  it("answers a GET request for a path", async () => {
    const ended = await start({ HANDLER: "hello" }, ["/a b/\u00fc?q=1&r"]);
    assert.deepEqual([ended.code, ended.stderr, bodyOf(ended)], [
      0,
      "",
      "GET http://localhost/a%20b/%C3%BC?q=1&r\n",
    ]);
  });

  it("takes no argument for a request when there is one (CVE-2012-1823)", async () => {
    const ended = await start({ ...GET, HANDLER: "hello", PATH_INFO: "/own" }, ["/admin"]);
    assert.equal(bodyOf(ended), "GET http://example.com/own\n");
  });
});

test("a path of any bytes arrives", { skip: process.platform === "win32" }, async () => {
  const through = 'PATH_INFO=$(printf "/\\\\377\\\\303\\\\274") exec "$@"'.replaceAll("\\\\", "\\");
  const ended = await start({ ...GET, HANDLER: "hello" }, [], through);
  assert.equal(bodyOf(ended), "GET http://example.com/%FF%C3%BC\n");
});

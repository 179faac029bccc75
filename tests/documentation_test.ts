/** The code in docstrings and in the pages of `docs/` does what it says, on the runtime that runs. */

// deno-lint-ignore-file no-console

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { documentedExamples, type Example, writeExamples } from "./_documented.ts";
import { runModule } from "./_runtime.ts";

const examples = documentedExamples();
const folder = `build/documentation-${process.pid}`;
const modules = writeExamples(examples, folder);

describe("examples in the documentation", () => {
  const { assert: consoleAssert, log } = console;

  before(() => {
    // Readers can paste the examples anywhere; only here does it matter that nothing of them is wrong.
    console.assert = (condition?: boolean, ...message: unknown[]) => {
      assert.ok(condition, `console.assert() failed: ${message.join(" ")}`);
    };
    console.log = () => {};
  });
  after(async () => {
    console.assert = consoleAssert;
    console.log = log;
    await rm(folder, { recursive: true });
  });

  examples.forEach((example, at) => {
    const path = modules[at] as string;
    it(example.place, async () => {
      if (isProgram(example)) runAsScript(path);
      else await import(pathToFileURL(path).href);
    });
  });

  it("are not lost on the way here", () => {
    assert.ok(examples.length >= 30, `${examples.length}`);
  });
});

/** All that Python's documentation of `http.server` names: 3.7, and what came later. */
const PYTHON = `
  HTTPServer ThreadingHTTPServer HTTPSServer ThreadingHTTPSServer BaseHTTPRequestHandler SimpleHTTPRequestHandler
  CGIHTTPRequestHandler client_address server close_connection requestline command path request_version headers rfile
  wfile server_version sys_version error_message_format error_content_type protocol_version MessageClass responses
  handle() handle_one_request() handle_expect_100() send_error send_response() send_header() send_response_only()
  end_headers() flush_headers() log_request() log_error() log_message() version_string() date_time_string()
  log_date_time_string() address_string() extensions_map directory do_GET() do_HEAD() list_directory() translate_path()
  guess_type() index_pages default_content_type extra_response_headers cgi_directories do_POST() is_cgi() run_cgi()
`;

it("docs/from-http-server.md has a counterpart for each name", async () => {
  const rows = (await readFile("docs/from-http-server.md", "utf8")).split("\n").filter((line) =>
    line.startsWith("|")
  );
  for (const name of PYTHON.trim().split(/\s+/)) {
    const row = rows.find((line) => line.split("|")[1]?.includes(`\`${name}`));
    assert.ok(row !== undefined, name);
    assert.ok((row.split("|")[2]?.trim().length ?? 0) > 3, name);
  }
});

/** A CGI script speaks for its whole process. */
function isProgram({ code }: Example): boolean {
  return /\brunAsCgi\(/.test(code);
}

function runAsScript(path: string): void {
  const [program, ...args] = runModule(pathToFileURL(path), []) as [string, ...string[]];
  const env = {
    PATH: process.env["PATH"],
    GATEWAY_INTERFACE: "CGI/1.1",
    REQUEST_METHOD: "GET",
    SERVER_NAME: "localhost",
    SERVER_PORT: "80",
    SERVER_PROTOCOL: "HTTP/1.1",
    SCRIPT_NAME: "/script",
    REMOTE_ADDR: "192.0.2.1",
  };
  const { stdout, stderr, status } = spawnSync(program, args, { env, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^(?:Status|Content-Type): .*\r?\n/i);
}

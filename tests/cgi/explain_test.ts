/** What would happen to a request, without it happening. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { explainCgi } from "../../src/cgi/explain.ts";
import { VERSION } from "../../src/version.ts";
import { runtime } from "../_runtime.ts";
import { fakeProcesses, programFiles } from "./_fakes.ts";
import { temporaryFolder, write } from "./_temporary.ts";

const fileSystem = programFiles({
  "/bin/sh": "ELF",
  "/site/cgi-bin/x": "#!/bin/sh\n",
  "/site/cgi-bin/broken": "#!/bin/nosuch\n",
});
const options = {
  root: "/site",
  directories: ["cgi-bin"],
  fileSystem,
  processes: fakeProcesses({ environment: { PATH: "/bin" } }),
};

describe("explainCgi()", () => {
  it("tells all of it", async () => {
    const { found, text } = await explainCgi(
      { ...options, indexedQueries: true, env: { ODD: "it's\n\u001b[31m" }, timeouts: { total: 1.5 } },
      "//localhost/cgi-bin/../../cgi-bin/x/info?a+b",
    );
    // Two slashes at the start are a path's, not a host's.
    assert.equal(found, false);
    assert.match(text, /^404: a doubled slash/);

    const explained = await explainCgi(
      { ...options, indexedQueries: true, env: { ODD: "it's\n\u001b[31m" }, timeouts: { total: 1.5 } },
      "/nothing/../cgi-bin/x/info?a+b",
    );
    assert.equal(explained.found, true);
    assert.equal(
      explained.text,
      `script     /site/cgi-bin/x
arguments  /site/cgi-bin/x a b
directory  /site/cgi-bin
user       the server's own
environment
  DOCUMENT_ROOT=/site
  GATEWAY_INTERFACE=CGI/1.1
  HTTP_HOST=127.0.0.1:8000
  ODD=it's\\x0a\\x1b[31m
  PATH=/bin
  PATH_INFO=/info
  PATH_TRANSLATED=/site/info
  QUERY_STRING=a+b
  REDIRECT_STATUS=200
  REMOTE_ADDR=127.0.0.1
  REMOTE_HOST=127.0.0.1
  REQUEST_METHOD=GET
  REQUEST_SCHEME=http
  REQUEST_URI=/cgi-bin/x/info?a+b
  SCRIPT_FILENAME=/site/cgi-bin/x
  SCRIPT_NAME=/cgi-bin/x
  SERVER_ADDR=127.0.0.1
  SERVER_NAME=127.0.0.1
  SERVER_PORT=8000
  SERVER_PROTOCOL=HTTP/1.1
  SERVER_SOFTWARE=htbin/${VERSION}
  X_REQUEST_ID=explain
  X_TIME_LIMIT_MS=1500
by hand
  cd /site/cgi-bin && env -i \\
    DOCUMENT_ROOT=/site \\
    GATEWAY_INTERFACE=CGI/1.1 \\
    HTTP_HOST=127.0.0.1:8000 \\
    "$(printf %b 'ODD=it'\\''s\\0012\\0033[31m')" \\
    PATH=/bin \\
    PATH_INFO=/info \\
    PATH_TRANSLATED=/site/info \\
    QUERY_STRING=a+b \\
    REDIRECT_STATUS=200 \\
    REMOTE_ADDR=127.0.0.1 \\
    REMOTE_HOST=127.0.0.1 \\
    REQUEST_METHOD=GET \\
    REQUEST_SCHEME=http \\
    'REQUEST_URI=/cgi-bin/x/info?a+b' \\
    SCRIPT_FILENAME=/site/cgi-bin/x \\
    SCRIPT_NAME=/cgi-bin/x \\
    SERVER_ADDR=127.0.0.1 \\
    SERVER_NAME=127.0.0.1 \\
    SERVER_PORT=8000 \\
    SERVER_PROTOCOL=HTTP/1.1 \\
    SERVER_SOFTWARE=htbin/${VERSION} \\
    X_REQUEST_ID=explain \\
    X_TIME_LIMIT_MS=1500 \\
    /site/cgi-bin/x a b
`,
    );
  });

  it("takes a whole URL, a method and headers", async () => {
    const { text } = await explainCgi(options, "https://example.com/cgi-bin/x", {
      method: "POST",
      headers: { "content-type": "a/b", "content-length": "5" },
    });
    for (
      const line of [
        "SERVER_NAME=example.com",
        "HTTPS=on",
        "SERVER_PORT=443",
        "REQUEST_METHOD=POST",
        "CONTENT_TYPE=a/b",
        "CONTENT_LENGTH=5",
      ]
    ) {
      assert.ok(text.includes(`\n  ${line}\n`), line);
    }
  });

  const cases: readonly (readonly [string, string])[] = [
    ["/index.html", "no script: /index.html is outside of the folders and endings of scripts\n"],
    ["/cgi-bin/y", "404: no such file: /site/cgi-bin/y\n"],
    ["/cgi-bin/x%00", "400: NUL in the path\n"],
  ];
  for (const [target, expected] of cases) {
    it(`says why nothing runs for ${target}`, async () => {
      assert.deepEqual(await explainCgi(options, target), { found: false, text: expected });
    });
  }

  it("names a problem before the script has it", async () => {
    const { text } = await explainCgi(options, "/cgi-bin/broken");
    assert.match(
      text,
      /\nproblem {4}the interpreter \/bin\/nosuch in the #! line is not there: install it, or correct the line\n/,
    );
  });

  it("ends with a command that runs", { skip: process.platform === "win32" && "needs /bin/sh" }, async () => {
    const folder = temporaryFolder();
    write(
      join(folder, "show it"),
      `#!/bin/sh\necho "$QUERY_STRING|$ODD|$PATH_INFO|$PWD|$1"; printf %s "$CTRL"\n`,
    );
    const { text } = await explainCgi(
      {
        root: folder,
        env: { ODD: "it's $HOME \\ `id` !", CTRL: "a\\1\n'\t" },
        indexedQueries: true,
        fileSystem: runtime.files,
        processes: runtime.processes,
      },
      "/show%20it/a'b?c",
    );
    const command = text.slice(text.indexOf("by hand\n") + 8);
    const { stdout } = spawnSync("/bin/sh", ["-c", command], { encoding: "utf8" });
    assert.equal(stdout, `c|it's $HOME \\ \`id\` !|/a'b|${folder}|c\na\\1\n'\t`);
  });
});

/**
 * Group B: choosing the script, and never sending its source.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { cgi } from "../../../src/cgi/mod.ts";
import { route } from "../../../src/router.ts";
import type { SiteCgiOptions } from "../../../src/site.ts";
import { staticFiles } from "../../../src/static/mod.ts";
import { type Authority, type ConformanceCase, type ConformanceSection, test } from "../../_conformance.ts";
import {
  ask,
  askUsual,
  environmentIn,
  expectStatus,
  expectText,
  expectVariables,
  serving,
  usualServer,
} from "./_ask.ts";
import { file, HEAD, pathOf, printing, root, script, shell, SOURCE } from "./_scripts.ts";
import { together } from "./_together.ts";

const HELLO = "Hello World\n";

/** What comes of a path: a status without a script's source; 200 is the script's greeting. */
type Rows = readonly (readonly [target: string, ...statuses: number[]])[];

async function expectRows(rows: Rows, options?: SiteCgiOptions): Promise<void> {
  const server = options === undefined ? await usualServer() : await serving(options);
  for (const [target, ...statuses] of rows) {
    const response = await ask(server, `GET ${target}`);
    assert.ok(statuses.includes(response.status), `${target}: ${response.status}, not ${statuses}`);
    assert.doesNotMatch(response.text, /SOURCE-OF-A-SCRIPT|OUTSIDE|Directory listing/);
    if (response.status === 200) assert.match(response.text, /Hello World|SUB|PAGE/);
    if (response.status === 301) assert.match(response.header("location") ?? "", /^\/(?!\/)/);
  }
}

/** A case that is only its rows. */
function rows(id: string, authority: Authority, title: string, expect: string, table: Rows): ConformanceCase {
  return test(id, authority, title, expect, () => expectRows(table));
}

/** Choosing the script. */
export const selectionCases: ConformanceSection = together({
  title: "B. Choosing the script",
  cases: [
    test("B1", "T", "GET /cgi-bin/hello.sh", "200, Hello World, text/html", async () => {
      const response = await askUsual("GET /cgi-bin/hello.sh");
      expectText(response, HELLO);
      assert.equal(response.header("content-type"), "text/html");
    }),
    rows("B2", "T", "GET /cgi-bin/invalid", "404", [["/cgi-bin/invalid", 404], [
      "/cgi-bin/invalid/x?y",
      404,
    ]]),
    test(
      "B3",
      "T",
      "GET ///////////nocgi.sh/../cgi-bin/nothere.sh, an executable outside of the CGI folders",
      "404 (or a redirect to the path without doubled slashes, which is 404); nothing is run",
      async () => {
        shell("../nocgi.sh", `echo RAN >'${pathOf("ran")}'; ${HEAD}`);
        const response = await askUsual("GET ///////////nocgi.sh/../cgi-bin/nothere.sh");
        expectStatus(response, 301, 404);
        if (response.status === 301) expectStatus(await askUsual(`GET ${response.header("location")}`), 404);
        const { hasRun } = await usualServer();
        assert.equal(hasRun("nocgi.sh"), false);
      },
    ),
    rows("B4", "C", "GET cgi-bin/hello.sh (no leading slash)", "400 or 404", [[
      "cgi-bin/hello.sh",
      400,
      404,
    ]]),
    rows("B5", "C", "GET /cgi-bin%2fhello.sh", "404: an encoded slash names nothing", [
      ["/cgi-bin%2fhello.sh", 404],
      ["/%63gi-bin/hello%2Esh", 200],
    ]),
    test("B6", "T", "GET /cgi-bin/child-dir/file3.sh", "200", async () => {
      shell("child-dir/file3.sh", `${HEAD}; echo Hello World`);
      expectText(await askUsual("GET /cgi-bin/child-dir/file3.sh"), HELLO);
    }),
    test(
      "B7",
      "T",
      "GET /sub/dir/cgi-bin/file5.sh, that folder named in directories",
      "200; /cgi-bin is then an ordinary name that is not served as scripts",
      async () => {
        shell("../sub/dir/cgi-bin/file5.sh", `${HEAD}; echo Hello World`);
        await expectRows([["/sub/dir/cgi-bin/file5.sh", 200]], {
          directories: ["cgi-bin", "sub/dir/cgi-bin"],
        });
      },
    ),
    rows("B8", "T", "paths with ., .. and doubled slashes", "one normal form decides", [
      ["/a/b/c/../d", 404],
      ["/sub/b/../../cgi-bin/hello.sh", 200],
      ["/a/b/c/../d/e/.././././../../../../cgi-bin/./hello.sh", 200],
      ["/sub/.", 200],
      ["/sub/c/..", 200],
      ["//sub/", 301],
      ["/cgi-bin/./hello.sh", 200],
    ]),
    rows(
      "B9",
      "C",
      "paths that climb above the root",
      "as in every browser `..` stops at the root: what is there then decides; never above",
      [
        ["/a/b/c/../d/e/../../../../../cgi-bin/hello.sh", 200],
        ["/.//../../../secret.txt", 404],
        ["..", 400, 404],
        ["../a/b//f", 400, 404],
      ],
    ),
    rows("B10", "C", "GET /../cgi-bin/hello.sh", "200: `..` stops at the root, and the script runs", [[
      "/../cgi-bin/hello.sh",
      200,
    ]]),
    test(
      "B11",
      "T",
      "GET /cgi-bin-shouldnot-work.sh beside the folder /cgi-bin",
      "not run: a file like others",
      async () => {
        file("site/cgi-bin-shouldnot-work.sh", "#!/bin/sh\necho RAN\n", 0o755);
        expectText(await askUsual("GET /cgi-bin-shouldnot-work.sh"), "#!/bin/sh\necho RAN\n");
      },
    ),
    test("B12", "C", "GET /cgi-bin/not-file.sh, a folder", "403, no listing", async () => {
      root();
      mkdirSync(pathOf("site/cgi-bin/not-file.sh"), { recursive: true });
      await expectRows([["/cgi-bin/not-file.sh", 403], ["/cgi-bin/not-file.sh/", 403]]);
    }),
    rows("B13", "T", "GET /cgi-bin/ and /cgi-bin", "403, no listing", [
      ["/cgi-bin/", 403],
      ["/cgi-bin", 403],
      ["/cgi-bin/?x", 403],
    ]),
    test("B14", "T", "GET /cgi-bin/no-perm.sh, not executable", "403; the log says chmod +x", async () => {
      const path = script("no-perm.sh", `#!/bin/sh\n# ${SOURCE}\n`, 0o644);
      expectStatus(await askUsual(`GET ${path}`), 403);
      await (await usualServer()).message("no-perm.sh", /not executable: chmod \+x \//);
    }),
    test("B15", "T", "as B14, an interpreter configured", "200", async () => {
      const path = script("b15.greeting", `${HEAD}; echo Hello World\n`, 0o644);
      await expectRows([[path, 200]], { interpreters: { ".greeting": "sh" } });
    }),
    test("B16", "C", "a script without #! and without an interpreter", "502; the log says why", async () => {
      const path = script("no-shebang.sh", `${HEAD}; echo ${SOURCE}\n`);
      expectStatus(await askUsual(`GET ${path}`), 502);
      await (await usualServer()).message("no-shebang.sh", /#!/);
    }),
    test("B17", "T", "as B16, an interpreter configured", "200", async () => {
      const path = script("b17.sh2", `${HEAD}; echo Hello World\n`);
      await expectRows([[path, 200]], { interpreters: { ".sh2": "/bin/sh" } });
    }),
    test(
      "B18",
      "T",
      "an interpreter with arguments",
      "they arrive in order, the script's path last",
      async () => {
        const interpreter = pathOf("site/cgi-bin/env.sh");
        const path = script("b18.args", "", 0o644);
        const server = await serving({
          interpreters: { ".args": [interpreter, "one", "two words", "$HOME"] },
        });
        const { args } = environmentIn(await ask(server, `GET ${path}`));
        assert.deepEqual(args, ["one", "two words", "$HOME", pathOf("site/cgi-bin/b18.args")]);
      },
    ),
    rows("B19", "T", "GET /cgi-bin/hello.sh%20%20%20, and with a dot at the end", "404, no source", [
      ["/cgi-bin/hello.sh%20%20%20", 404],
      ["/cgi-bin/hello.sh.", 404],
      ["/test.cgi%20", 404],
      ["/test.cgi.", 404],
    ]),
    test("B20", "T", "GET /cgi-bin/b20.sh/?external-redir", "the script runs with PATH_INFO=/", async () => {
      const path = shell(
        "b20.sh",
        `printf 'Location: http://www.example.org/%s%s\\n\\n' "$PATH_INFO" "$QUERY_STRING"`,
      );
      const response = await askUsual(`GET ${path}/?external-redir`);
      expectStatus(response, 302);
      assert.equal(response.header("location"), "http://www.example.org//external-redir");
    }),
    test("B21", "T", "GET /cgi-bin/env.sh/foo/bar", "200, PATH_INFO=/foo/bar", async () => {
      expectVariables(await askUsual("GET /cgi-bin/env.sh/foo/bar"), { PATH_INFO: "/foo/bar" });
    }),
    test(
      "B22",
      "T",
      "the same, pathInfo: false",
      "404",
      () =>
        expectRows([["/cgi-bin/hello.sh/foo/bar", 404], ["/cgi-bin/hello.sh/", 404], [
          "/cgi-bin/hello.sh",
          200,
        ]], {
          pathInfo: false,
        }),
    ),
    rows("B23", "T", "GET /page.html/foo, /page.html/", "404", [["/page.html/foo", 404], [
      "/page.html/",
      404,
    ]]),
    test(
      "B24",
      "T",
      "one folder under a static and under a CGI prefix",
      "its text under the first, run under the second",
      async () => {
        printing("b24.sh", "Content-Type: text/plain\n\nHello World\n");
        const folder = pathOf("site/cgi-bin");
        const log = () => {};
        const server = await serving({}, {
          around: () =>
            route([
              ["/text/*", staticFiles({ root: folder, log })],
              ["/run/*", cgi({ root: folder, user: null, log })],
            ]),
        });
        assert.match((await ask(server, "GET /text/b24.sh")).text, /^#!/);
        expectText(await ask(server, "GET /run/b24.sh"), HELLO);
      },
    ),
    test("B25", "T", "GET /run/nada under a CGI prefix", "404", async () => {
      root();
      const scripts = cgi({ root: pathOf("site/cgi-bin"), user: null, log: () => {} });
      const server = await serving({}, { around: () => route([["/run/*", scripts]]) });
      expectStatus(await ask(server, "GET /run/nada"), 404);
    }),
    rows(
      "B26",
      "C",
      "`..` out of the CGI folder, plain and percent-encoded",
      "resolved first: 404, nothing from outside",
      [
        ["/cgi-bin/../../secret.txt", 404],
        ["/nothing/../../secret.txt", 404],
        ["/../secret.txt", 404],
        ["/cgi-bin/%2e%2e/%2e%2e/secret.txt", 404],
        ["/cgi-bin/..%2f..%2fsecret.txt", 404],
      ],
    ),
    rows("B27", "T", "GET /cgi-bin/%%32%65%%32%65/hello.sh, and twice", "400", [
      ["/cgi-bin/%%32%65%%32%65/hello.sh", 400],
      ["/cgi-bin/%%32%65%%32%65/%%32%65%%32%65/secret.txt", 400],
    ]),
    rows("B28", "T", "GET /cgi-bin/%25%32%65%25%32%65/hello.sh", "404: decoded once only", [
      ["/cgi-bin/%25%32%65%25%32%65/hello.sh", 404],
      ["/cgi-bin/%252e%252e/page.html", 404],
    ]),
    rows(
      "B29",
      "C",
      "static paths with doubled slashes and dot segments",
      "200, or 301 to the path without doubled slashes",
      [
        ["/sub//index.html", 301],
        ["/sub////.//////index.html", 301],
        ["/nothing/../sub/index.html", 200],
        ["/nothing/%2e/%2e%2e/sub/index%2ehtml", 200],
      ],
    ),
    test(
      "B30",
      "T",
      "GET /sub%2findex.html; /x%252f.html where there is a file x%2f.html",
      "404; 200",
      async () => {
        file("site/x%2f.html", "PAGE");
        await expectRows([["/sub%2findex.html", 404], ["/x%252f.html", 200]]);
      },
    ),
    rows(
      "B31",
      "T",
      "what names the same file on Windows: drives, streams, dots, upper case",
      "404 or run; never source, never a listing",
      [
        ["/X:/cgi-bin/hello.sh", 404],
        ["/cgi-bin::$INDEX_ALLOCATION/hello.sh", 404],
        ["/cgi-bin::$INDEX_ALLOCATION/", 404],
        ["/cgi-bin/hello.sh::$DATA", 404],
        ["/cgi-bin/hello.sh.", 404],
        ["/CGI-BIN/hello.sh", 404],
        ["/cgi-bin%20/hello.sh", 404],
        ["/test.CGI", 404],
      ],
    ),
    test(
      "B32",
      "T",
      'index: ["index.sh"]; GET / and /cgi-bin, /cgi-bin/',
      "the index script runs",
      async () => {
        const body = `${HEAD}; echo "Hello World $SCRIPT_NAME"`;
        shell("index.sh", body);
        shell("../b32/index.sh", body);
        await expectRows([["/cgi-bin/", 200], ["/cgi-bin", 200]], { index: ["index.sh"] });
        const all = await serving({ index: ["index.sh"], directories: ["."] }, {
          directory: pathOf("site/b32"),
        });
        expectText(await ask(all, "GET /"), "Hello World /index.sh\n");
      },
    ),
    test(
      "B33",
      "C",
      "the ending .tk: a.TK, and a name whose Kelvin sign folds to it",
      "the first runs, the second is refused and never sent",
      async () => {
        file("site/a.TK", `#!/bin/sh\n${HEAD}; echo Hello World\n`, 0o755);
        file("site/a.t\u212a", `#!/bin/sh\n# ${SOURCE}\n`, 0o755);
        await expectRows([["/a.TK", 200], ["/a.t%E2%84%AA", 403, 404]], { extensions: [".tk"] });
      },
    ),
    rows("B34", "T", "%00 and other control characters in the path", "400 (or 404)", [
      ["/cgi-bin/hello.sh%00", 400],
      ["/cgi-bin/hello.sh%00.txt", 400],
      ["/cgi-bin/hello.sh/%00", 400],
      ["/%00", 400],
      ["/cgi-bin/hello.sh%0a", 400, 404],
      ["/cgi-bin/%01hello.sh", 400, 404],
      ["/cgi-bin/hello.sh/%7f", 400, 404],
    ]),
  ],
});

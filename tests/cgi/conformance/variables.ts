/**
 * Group A, first part: the meta-variables of a request and its script.
 *
 * @module
 */

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import process from "node:process";
import { currentRuntime } from "../../../src/runtime.ts";
import { cgi } from "../../../src/cgi/mod.ts";
import { route } from "../../../src/router.ts";
import type { SiteCgiOptions } from "../../../src/site.ts";
import { type Authority, type ConformanceCase, type ConformanceSection, test } from "../../_conformance.ts";
import { get } from "../../_http.ts";
import {
  ask,
  askUsual,
  environmentIn,
  type Expected,
  expectStatus,
  expectText,
  expectVariables,
  serving,
  talk,
  usualServer,
} from "./_ask.ts";
import { file, pathOf, root, script, shell } from "./_scripts.ts";
import { together } from "./_together.ts";
import { basicGet, rewritten, scriptUri } from "./_requests.ts";

/** A case in which one request makes certain variables. */
export function variables(
  id: string,
  authority: Authority,
  request: string,
  headers: readonly string[],
  expected: Expected,
  options: SiteCgiOptions = {},
): ConformanceCase {
  const shown = Object.entries(expected).map(([name, value]) =>
    value === null ? `no ${name}` : `${name}=${value}`
  );
  const title = [request, ...headers, ...optionTitle(options)].join("; ");
  return test(id, authority, title, shown.join(", "), async () => {
    const server = optionTitle(options).length === 0 ? await usualServer() : await serving(options);
    expectVariables(await ask(server, request, headers), expected);
  });
}

function optionTitle(options: SiteCgiOptions): string[] {
  return Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
}

const hasIpv6 = Object.values(networkInterfaces()).flat().some((each) => each?.address === "::1");

/** The script that prints its environment, at a path or a prefix. */
async function mounted(
  pattern: string,
  request: string,
  options: { readonly args?: readonly string[] } = {},
) {
  const scripts = cgi({ script: pathOf("site/cgi-bin/env.sh"), user: null, log: () => {}, ...options });
  root();
  const server = await serving({}, { around: () => route([[pattern, scripts]]) });
  return await ask(server, request);
}

/** Variables of a request and its script. */
export const variableCases: ConformanceSection = together({
  title: "A. Meta-variables: request and script",
  cases: [
    test(
      "A1",
      "T",
      "GET /test.cgi?foo=bar&a=b HTTP/1.0; Host: example.com",
      "GATEWAY_INTERFACE, HTTP_HOST, no PATH_INFO, QUERY_STRING, REMOTE_ADDR, REMOTE_HOST, REMOTE_PORT, REQUEST_METHOD, REQUEST_URI, SCRIPT_NAME, SCRIPT_FILENAME, SERVER_NAME and SERVER_SOFTWARE say what is so; the script's own headers arrive",
      basicGet,
    ),
    test("A2", "T", "as A1, over IPv6", "REMOTE_ADDR=::1 without brackets, and its REMOTE_PORT", async () => {
      const server = await serving({}, { hostname: "::1" });
      await talk(server, async (connection) => {
        const { localPort } = connection.socket;
        await connection.send(get("/test.cgi"));
        expectVariables(await connection.response(), {
          REMOTE_ADDR: "::1",
          REMOTE_PORT: `${localPort}`,
          SERVER_ADDR: "::1",
        });
      });
    }, hasIpv6 ? {} : { unless: "This machine has no IPv6." }),
    test(
      "A3",
      "T",
      "as A1, the script given by its absolute path",
      "SCRIPT_FILENAME is that path, SCRIPT_NAME=/test.cgi",
      async () => {
        expectVariables(await mounted("/test.cgi/*", "GET /test.cgi?a=b"), {
          SCRIPT_FILENAME: pathOf("site/cgi-bin/env.sh"),
          SCRIPT_NAME: "/test.cgi",
          PATH_INFO: null,
          REQUEST_URI: "/test.cgi?a=b",
        });
      },
    ),
    variables("A4", "M", "GET /test.cgi/extrapath?a=b", [], {
      PATH_INFO: "/extrapath",
      QUERY_STRING: "a=b",
      SCRIPT_NAME: "/test.cgi",
      REQUEST_URI: "/test.cgi/extrapath?a=b",
    }),
    test(
      "A5",
      "M",
      "GET /myscript/bar?a=b, one script at /myscript/*",
      "PATH_INFO=/bar, SCRIPT_NAME=/myscript",
      async () => {
        expectVariables(await mounted("/myscript/*", "GET /myscript/bar?a=b"), {
          PATH_INFO: "/bar",
          SCRIPT_NAME: "/myscript",
          QUERY_STRING: "a=b",
        });
      },
    ),
    test(
      "A6",
      "M",
      "GET /bar?a=b, one script for everything",
      "PATH_INFO=/bar, SCRIPT_NAME set and empty",
      async () => {
        expectVariables(await mounted("/*", "GET /bar?a=b"), { PATH_INFO: "/bar", SCRIPT_NAME: "" });
      },
    ),
    variables("A7", "M", "GET /cgi-bin/env.sh", [
      "Cookie: nom=NOM",
      "Cookie: yum=YUM",
      "X-Foo: val1",
      "X-Foo: val2",
    ], {
      HTTP_COOKIE: "nom=NOM; yum=YUM",
      HTTP_X_FOO: "val1, val2",
    }),
    variables("A8", "T", "GET /cgi-bin/env.sh", [], {
      SCRIPT_FILENAME: "/other",
      REQUEST_URI: "/foo/bar",
      PATH: "/wibble",
    }, { env: { SCRIPT_FILENAME: "/other", REQUEST_URI: "/foo/bar", PATH: "/wibble" } }),
    test(
      "A9",
      "T",
      "GET /cgi-bin/env.sh?a=b, env sets QUERY_STRING=123; another handler has variables of its own",
      "QUERY_STRING=123, and nothing of the other handler's",
      async () => {
        const outer = { env: { OUTER: "1", QUERY_STRING: "456" } };
        const inner = { env: { QUERY_STRING: "123" } };
        const both = await Promise.all([serving(outer), serving(inner)]);
        const [first, second] = await Promise.all(
          both.map((server) => ask(server, "GET /cgi-bin/env.sh?a=b")),
        );
        expectVariables(first!, { QUERY_STRING: "456", OUTER: "1" });
        expectVariables(second!, { QUERY_STRING: "123", OUTER: null });
      },
    ),
    variables("A10", "T", "GET /cgi-bin/env.sh", [
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ], {
      HTTP_ACCEPT: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    }),
    variables("A11", "T", "GET /cgi-bin/env.sh", [], { HTTP_ACCEPT: null }),
    variables("A12", "M", "GET /cgi-bin/env.sh", ["Accept: text/html", "ACCEPT: text/plain"], {
      HTTP_ACCEPT: "text/html, text/plain",
    }),
    test(
      "A13",
      "T",
      "the server has SERVER_SOFTWARE in its own environment",
      "200; the script sees this server's, and the server's environment is unchanged",
      async () => {
        process.env["SERVER_SOFTWARE"] = "inherited";
        try {
          const before = { ...process.env };
          expectVariables(await ask(await serving(), "GET /cgi-bin/env.sh"), {
            SERVER_SOFTWARE: /^htbin\/\d/,
          });
          assert.deepEqual({ ...process.env }, before);
        } finally {
          delete process.env["SERVER_SOFTWARE"];
        }
      },
    ),
    variables("A14", "T", "GET /cgi-bin/env.sh?a=b?c=d", [], { QUERY_STRING: "a=b?c=d" }),
    variables("A15", "T", "GET /cgi-bin/env.sh?k=aa%2F%2Fbb&//q//p//=//a//b//", [], {
      QUERY_STRING: "k=aa%2F%2Fbb&//q//p//=//a//b//",
    }),
    variables("A16", "M", "GET /cgi-bin/env.sh", [], { QUERY_STRING: "" }),
    test(
      "A17",
      "T",
      "GET /cgi-bin/query.pl?query_string, which prints its query",
      "that, as text/plain",
      async () => {
        const path = shell("query.pl", `printf 'Content-Type: text/plain\\n\\n%s' "$QUERY_STRING"`);
        const response = await askUsual(`GET ${path}?query_string`);
        expectText(response, "query_string");
        assert.equal(response.header("content-type"), "text/plain");
      },
    ),
    variables("A18", "M", "GET /test.cgi/path/info", [], {
      SCRIPT_NAME: "/test.cgi",
      PATH_INFO: "/path/info",
    }),
    variables("A20", "T", "GET /cgi-bin/env.sh", [], { BLANK: "", ABSENT: null }, { env: { BLANK: "" } }),
    variables("A42", "M", "GET /cgi-bin/env.sh/this%2eis%2ethe%2epath%3binfo", [], {
      PATH_INFO: "/this.is.the.path;info",
      PATH_TRANSLATED: /\/site\/this\.is\.the\.path;info$/,
    }),
    variables("A43", "M", "GET /cgi-bin/env.sh", [], { PATH_INFO: null, PATH_TRANSLATED: null }),
    variables("A44", "T", "GET /cgi-bin/env.sh/aaa", [], {
      PATH_INFO: "/aaa",
      PATH_TRANSLATED: /\/site\/aaa$/,
    }),
    test(
      "A45",
      "M",
      "/cgi-bin/env.sh/ and three times ../ and a file, plain and percent-encoded",
      "404, nothing from outside",
      async () => {
        file("secret.txt", "OUTSIDE");
        for (const up of ["../", "%2e%2e/", "..%2f", "%2e%2e%2f", ".%2e%5c"]) {
          const response = await askUsual(`GET /cgi-bin/env.sh/${up.repeat(3)}secret.txt`);
          expectStatus(response, 404);
          assert.doesNotMatch(response.text, /OUTSIDE/);
        }
      },
    ),
    variables("A46", "M", "GET /cgi-bin/env.sh/UPPER/Lower", [], { PATH_INFO: "/UPPER/Lower" }),
    test(
      "A47",
      "M",
      "the Script-URI made from the variables is requested, for 20 generated paths and queries",
      "the same SCRIPT_NAME, PATH_INFO and QUERY_STRING as the first time",
      scriptUri,
    ),
    test(
      "A48",
      "C",
      "a handler rewrites /cgi/X to /cgi-bin/X, and hands the original to env",
      "REQUEST_URI=/cgi/env.sh?asdf=1, SCRIPT_NAME=/cgi-bin/env.sh",
      rewritten,
    ),
    test(
      "A49",
      "T",
      "GET /cgi/env.sh/aaa, /cgi/* standing for another folder",
      "SCRIPT_NAME=/cgi/env.sh, SCRIPT_FILENAME in that folder, PATH_INFO=/aaa",
      async () => {
        root();
        const scripts = cgi({ root: pathOf("site/cgi-bin"), user: null, log: () => {} });
        const server = await serving({}, { around: () => route([["/cgi/*", scripts]]) });
        expectVariables(await ask(server, "GET /cgi/env.sh/aaa"), {
          SCRIPT_NAME: "/cgi/env.sh",
          SCRIPT_FILENAME: pathOf("site/cgi-bin/env.sh"),
          PATH_INFO: "/aaa",
        });
      },
    ),
    test(
      "A50",
      "T",
      "GET /hello/world, one script with the arguments 111 and 222 for everything",
      "PATH_INFO=/hello/world, SCRIPT_FILENAME, the arguments in order",
      async () => {
        const response = await mounted("/*", "GET /hello/world", { args: ["111", "222"] });
        const { args } = expectVariables(response, {
          PATH_INFO: "/hello/world",
          SCRIPT_FILENAME: pathOf("site/cgi-bin/env.sh"),
        });
        assert.deepEqual(args, ["111", "222"]);
      },
    ),
    test("A51", "S", "GET /cgi-bin/env.sh", "the working directory is the script's folder", async () => {
      assert.equal(environmentIn(await askUsual("GET /cgi-bin/env.sh")).cwd, pathOf("site/cgi-bin"));
    }),
    test(
      "A52",
      "T",
      "GET /cgi-bin/env.sh, workingDirectory set",
      "the working directory is that folder",
      async () => {
        const workingDirectory = pathOf("site/sub");
        root();
        const server = await serving({ workingDirectory });
        assert.equal(environmentIn(await ask(server, "GET /cgi-bin/env.sh")).cwd, workingDirectory);
      },
    ),
    test(
      "A53",
      "T",
      "an interpreter for the script's ending, as on Windows: with and without workingDirectory",
      "runs; the working directory is the script's folder, or that folder",
      async () => {
        const path = script("a53.txt", `printf 'Content-Type: text/plain\\n\\n'; pwd\n`, 0o644);
        const interpreters = { ".txt": "/bin/sh" };
        expectText(await ask(await serving({ interpreters }), `GET ${path}`), `${pathOf("site/cgi-bin")}\n`);
        const moved = await serving({ interpreters, workingDirectory: pathOf("site/sub") });
        expectText(await ask(moved, `GET ${path}`), `${pathOf("site/sub")}\n`);
      },
    ),
    test(
      "A54",
      "T",
      "PATH set for scripts; the server without a PATH",
      "PATH is that; never empty",
      async () => {
        const own = await serving({ env: { PATH: "/wibble:/bin" } });
        expectVariables(await ask(own, "GET /cgi-bin/env.sh"), { PATH: "/wibble:/bin" });
        const processes = Object.create(currentRuntime().processes, {
          environment: { value: () => undefined },
        });
        expectVariables(await ask(await serving({ processes }), "GET /cgi-bin/env.sh"), {
          PATH: /^\/.*\/bin/,
        });
      },
    ),
    test(
      "A55",
      "T",
      "the server has HTBIN_SECRET in its environment; inheritEnv names it, or not",
      "seen only when named",
      async () => {
        process.env["HTBIN_SECRET"] = "x";
        try {
          expectVariables(await ask(await serving(), "GET /cgi-bin/env.sh"), { HTBIN_SECRET: null });
          const named = await serving({ inheritEnv: ["HTBIN_SECRET"] });
          expectVariables(await ask(named, "GET /cgi-bin/env.sh"), { HTBIN_SECRET: "x" });
        } finally {
          delete process.env["HTBIN_SECRET"];
        }
      },
    ),
  ],
});

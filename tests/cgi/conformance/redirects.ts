/**
 * Group E: redirects.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Handler } from "../../../src/handler.ts";
import { requestUrl } from "../../../src/request_path.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { ask, askUsual, expectStatus, expectText, expectVariables, serving, usualServer } from "./_ask.ts";
import { file, printing, shell } from "./_scripts.ts";
import { together } from "./_together.ts";

const TYPE = "Content-Type: text/plain\n";

let count = 0;

async function expectLocation(
  output: string,
  status: number,
  location: string | null,
  body = "",
): Promise<void> {
  const response = await askUsual(`GET ${printing(`location-${++count}.sh`, output)}`);
  expectText(response, body, status);
  assert.equal(response.header("location"), location);
}

/** Redirects. */
export const redirectCases: ConformanceSection = together({
  title: "E. Redirects",
  cases: [
    test("E1", "M", "Location: http://foo.com/ only", "302, Location kept", async () => {
      const path = shell("e1.sh", `printf 'Location: %s\\n\\n' "\${QUERY_STRING#loc=}"`);
      const response = await askUsual(`GET ${path}?loc=http://foo.com/`);
      expectText(response, "", 302);
      assert.equal(response.header("location"), "http://foo.com/");
    }),
    test(
      "E2",
      "T",
      "Status: 302 and Location",
      "302, Location kept",
      () => expectLocation("Status: 302\nLocation: http://foo.com/x\n\n", 302, "http://foo.com/x"),
    ),
    test(
      "E3",
      "T",
      "Location: http://www.example.org:2048/",
      "302, the same Location",
      () => expectLocation("Location: http://www.example.org:2048/\n\n", 302, "http://www.example.org:2048/"),
    ),
    test(
      "E4",
      "M",
      "Status: 302, Location, Content-Type and a body",
      "302 with that body",
      () =>
        expectLocation(
          `Status: 302 Found\nLocation: http://foo.com/\n${TYPE}\nmoved`,
          302,
          "http://foo.com/",
          "moved",
        ),
    ),
    test(
      "E5",
      "M",
      "Status: 303, 307, 308 with Location and a body",
      "that status, the body passed on",
      async () => {
        for (const status of [303, 307, 308]) {
          await expectLocation(
            `Status: ${status}\nLocation: http://foo.com/${status}\n${TYPE}\nmoved`,
            status,
            `http://foo.com/${status}`,
            "moved",
          );
        }
      },
    ),
    test(
      "E6",
      "M",
      "Location: /foo only, /foo being another handler's",
      "that handler answers, and sees the path /foo and the same client",
      async () => {
        const seen: unknown[] = [];
        const foo: Handler = (request, connection) => {
          seen.push(connection?.remote?.hostname);
          return new Response(`foo ${new URL(request.url).pathname} ${request.method}`);
        };
        const around = (handler: Handler): Handler => (request, connection) =>
          requestUrl(request).pathname === "/foo" ? foo(request, connection) : handler(request, connection);
        const path = printing("e6.sh", "Location: /foo\n\n");
        const response = await ask(await serving({}, { around }), `GET ${path}`);
        expectText(response, "foo /foo GET");
        assert.deepEqual(seen, ["127.0.0.1"]);
        assert.equal(response.header("location"), null);
      },
    ),
    test(
      "E7",
      "T",
      "Location: /cgi-bin/env.sh/internal-redir only",
      "that script runs with PATH_INFO=/internal-redir, 200",
      async () => {
        expectVariables(
          await askUsual(`GET ${printing("e7.sh", "Location: /cgi-bin/env.sh/internal-redir\n\n")}`),
          {
            PATH_INFO: "/internal-redir",
            SCRIPT_NAME: "/cgi-bin/env.sh",
            REQUEST_URI: "/cgi-bin/env.sh/internal-redir",
            REDIRECT_URL: "/cgi-bin/e7.sh",
          },
        );
      },
    ),
    test("E8", "M", "Location: /foobar.html only, a file", "200, its content, no Location", async () => {
      file("site/foobar.html", "FOOBAR");
      const response = await askUsual(`GET ${printing("e8.sh", "Location: /foobar.html\n\n")}`);
      expectText(response, "FOOBAR");
      assert.equal(response.header("location"), null);
    }),
    test(
      "E9",
      "C",
      "POST with a body; Location: /cgi-bin/e9-target.sh only",
      "the target sees GET, no CONTENT_LENGTH, no CONTENT_TYPE, an empty input",
      async () => {
        const target = shell(
          "e9-target.sh",
          `printf 'Content-Type: text/plain\\n\\n'; echo "$REQUEST_METHOD \${CONTENT_LENGTH-unset} \${CONTENT_TYPE-unset} $(wc -c | tr -d ' ')"`,
        );
        const path = shell("e9.sh", `cat >/dev/null; printf 'Location: ${target}\\n\\n'`);
        const response = await askUsual(
          `POST ${path}`,
          ["Content-Length: 3", "Content-Type: text/plain"],
          "a=b",
        );
        expectText(response, "GET unset unset 0\n");
      },
    ),
    test(
      "E10",
      "M",
      "Cookie and a query; Location: /cgi-bin/env.sh only",
      "the target sees HTTP_COOKIE, and QUERY_STRING of the new path only",
      async () => {
        const response = await askUsual(`GET ${printing("e10.sh", "Location: /cgi-bin/env.sh\n\n")}?old`, [
          "Cookie: a=b",
        ]);
        expectVariables(response, { HTTP_COOKIE: "a=b", QUERY_STRING: "" });
      },
    ),
    test("E11", "M", "Location: /cgi-bin/env.sh?x=1 only", "QUERY_STRING=x=1", async () => {
      expectVariables(await askUsual(`GET ${printing("e11.sh", "Location: /cgi-bin/env.sh?x=1\n\n")}`), {
        QUERY_STRING: "x=1",
      });
    }),
    test("E12", "M", "a local redirect to nothing", "404", async () => {
      expectStatus(await askUsual(`GET ${printing("e12.sh", "Location: /nothing\n\n")}`), 404);
      expectStatus(await askUsual(`GET ${printing("e12-b.sh", "Location: /cgi-bin/nothing\n\n")}`), 404);
    }),
    test("E13", "C", "a script that redirects to itself for ever", "500 after 10 times", async () => {
      const server = await serving();
      expectStatus(await ask(server, `GET ${printing("e13.sh", "Location: /cgi-bin/e13.sh\n\n")}`), 500);
      await server.message("e13.sh", /more than 10 local redirects/);
      await server.exit("e13.sh");
      assert.equal(server.events.filter(({ type }) => type === "script-exit").length, 11);
    }),
    test(
      "E14",
      "M",
      "Location: /x with another header or a body",
      "302 with that path: not local",
      async () => {
        await expectLocation("Location: /page.html\nX-A: b\n\n", 302, "/page.html");
        await expectLocation("Location: /page.html\n\nbody", 302, "/page.html", "body");
        await expectLocation(`Location: /page.html\n${TYPE}\nbody`, 302, "/page.html", "body");
      },
    ),
    test(
      "E15",
      "C",
      "Location: //evil.example/p only",
      "302 as it is: not a path on this server",
      async () => {
        await expectLocation("Location: //evil.example/p\n\n", 302, "//evil.example/p");
        await expectLocation("Location: /\\evil.example/p\n\n", 302, "/\\evil.example/p");
      },
    ),
    test(
      "E16",
      "C",
      "Location: relative only",
      "302 as it is",
      () => expectLocation("Location: relative\n\n", 302, "relative"),
    ),
    test(
      "E17",
      "C",
      "Location with a control character; with an encoded CR LF",
      "502; the encoded one is the client's, and harmless",
      async () => {
        await expectLocation(
          "Location: http://foo.com/\rSet-Cookie: a=b\n\n",
          502,
          null,
          (await askUsual(`GET ${printing("e17.sh", "Location: /\0x\n\n")}`)).text,
        );
        await expectLocation(
          "Location: http://foo.com/%0d%0aSet-Cookie:%20a=b\n\n",
          302,
          "http://foo.com/%0d%0aSet-Cookie:%20a=b",
        );
      },
    ),
    test("E18", "M", "a local redirect to what needs authentication", "its rules apply: 401", async () => {
      file("site/private/x.html", "PRIVATE");
      const around = (handler: Handler): Handler => (request, connection) =>
        requestUrl(request).pathname.startsWith("/private/")
          ? new Response("who?", { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } })
          : handler(request, connection);
      const path = printing("e18.sh", "Location: /private/x.html\n\n");
      expectText(await ask(await serving({}, { around }), `GET ${path}`), "who?", 401);
    }),
    test(
      "E19",
      "M",
      "Location: http://x/#frag, over HTTP/1.0 and HTTP/1.1",
      "the fragment is kept",
      async () => {
        const path = printing("e19.sh", "Location: http://x/#frag\n\n");
        for (const version of ["HTTP/1.0", "HTTP/1.1"]) {
          const response = await askUsual(`GET ${path} ${version}`);
          expectStatus(response, 302);
          assert.equal(response.header("location"), "http://x/#frag");
        }
      },
    ),
    test("E20", "M", "Location: without a value", "as if it were not there: 502", async () => {
      expectStatus(await askUsual(`GET ${printing("e20.sh", "Location:\n\nHello")}`), 502);
      await (await usualServer()).message("e20.sh", /no Content-Type, Status or Location/);
    }),
  ],
});

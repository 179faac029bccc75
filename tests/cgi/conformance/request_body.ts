/**
 * Group C: the request's body.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { chunk, concat, requestHead, toBytes, toLatin1 } from "../../_http.ts";
import {
  ask,
  askUsual,
  expectStatus,
  expectText,
  expectVariables,
  serving,
  talk,
  usualServer,
} from "./_ask.ts";
import { gitPush } from "./_git.ts";
import { chunkSyntaxCases } from "./request_chunks.ts";
import { delay, HEAD, missing, pattern, shell, text } from "./_scripts.ts";
import { together } from "./_together.ts";
import { NO_GET_BODY } from "./variables_of_headers.ts";
import {
  badLengths,
  CHUNKED,
  closesInput,
  echoWhileOpen,
  interimOfOld,
  parallelUploads,
  spooled,
  truncated,
  unread,
} from "./_uploads.ts";

/** The request's body. */
export const bodyCases: ConformanceSection = together({
  title: "C. Request body",
  cases: [
    test(
      "C1",
      "T",
      "POST /cgi-bin/c1.sh?a=b, postfoo=postbar",
      "REQUEST_METHOD=POST, CONTENT_LENGTH=15, REQUEST_URI, and the form",
      async () => {
        const path = shell(
          "c1.sh",
          `${HEAD}; echo "$REQUEST_METHOD $CONTENT_LENGTH $REQUEST_URI $CONTENT_TYPE"; cat`,
        );
        const type = "application/x-www-form-urlencoded";
        const headers = ["Content-Length: 15", `Content-Type: ${type}`];
        expectText(
          await askUsual(`POST ${path}?a=b`, headers, "postfoo=postbar"),
          `POST 15 /cgi-bin/c1.sh?a=b ${type}\npostfoo=postbar`,
        );
      },
    ),
    test(
      "C2",
      "T",
      "POST spam=1&eggs=python&bacon=123456 to a script that reads CONTENT_LENGTH bytes",
      "1, python, 123456",
      async () => {
        const path = shell("c2.sh", `${HEAD}; head -c "$CONTENT_LENGTH" | tr '&' '\\n' | sed 's/.*=//'`);
        expectText(
          await askUsual(`POST ${path}`, ["Content-Length: 32"], "spam=1&eggs=python&bacon=123456\n"),
          "1\npython\n123456\n",
        );
      },
    ),
    test(
      "C3",
      "T",
      "POST of 32 KiB, 64 KiB … 16 MiB",
      "CONTENT_LENGTH and the bytes read are the size, each time",
      async () => {
        for (let size = 2 ** 15; size <= 2 ** 24; size *= 2) {
          const response = await askUsual("POST /cgi-bin/count.sh", [`Content-Length: ${size}`], text(size));
          expectText(response, `${size} ${size}\n`);
        }
      },
    ),
    test(
      "C4",
      "T",
      "Content-Length of 2^18 … 2^64, one byte sent, to a script that does not read",
      "an answer, or 400; nothing is set aside for the body",
      truncated,
    ),
    test("C5", "M", "POST, chunked: postfoo, =, postbar", "200, CONTENT_LENGTH=15", async () => {
      const body = concat([chunk("postfoo"), chunk("="), chunk("postbar"), chunk()]);
      expectText(await askUsual("POST /cgi-bin/count.sh", CHUNKED, body), "15 15\n");
    }),
    test(
      "C6",
      "T",
      "chunked, larger than limits.spoolMemory",
      "the whole echo; no temporary file is left",
      spooled,
    ),
    ...chunkSyntaxCases,
    test("C14", "T", "Expect: 100-continue, 4 bytes", "100, then 200", async () => {
      await talk(await usualServer(), async (connection) => {
        await connection.send(
          requestHead("POST", "/cgi-bin/count.sh", "Content-Length: 4", "Expect: 100-continue"),
        );
        const line = "HTTP/1.1 100 Continue\r\n";
        assert.equal(toLatin1(await connection.received(line.length)).slice(0, line.length), line);
        await connection.send("four");
        expectText(await connection.response({ method: "POST" }), "4 4\n");
      });
    }),
    test(
      "C15",
      "M",
      "the same over HTTP/1.0",
      "no 100",
      async () => assert.deepEqual(await interimOfOld(), []),
    ),
    test(
      "C16",
      "T",
      'a body that comes slowly: with a length, and chunked with chunked: "stream"',
      "the echo comes while the upload is open",
      async () => {
        await echoWhileOpen(["Content-Length: 8"], (data) => toBytes(data));
        await echoWhileOpen(CHUNKED, chunk, chunk());
      },
    ),
    test(
      "C17",
      "T",
      "the script reads one line and closes its input; the client sends on",
      "its whole output, and the connection is as it should be",
      closesInput,
    ),
    test(
      "C18",
      "T",
      "GET with a body of 14 bytes",
      "echoed",
      () => Promise.reject(new Error("not reached")),
      {
        impossible: [{
          runtimes: ["deno", "bun", "node"],
          reason: NO_GET_BODY,
          run: async () => {
            expectText(await askUsual("GET /cgi-bin/echo.sh", ["Content-Length: 14"], "fourteen bytes"), "");
            expectText(
              await askUsual("POST /cgi-bin/echo.sh", ["Content-Length: 14"], "fourteen bytes"),
              "fourteen bytes",
            );
          },
        }],
      },
    ),
    test(
      "C19",
      "T",
      "POST without Content-Length, and with Content-Length: 0",
      "the input ends at once, 200 both",
      async () => {
        expectText(await askUsual("POST /cgi-bin/count.sh"), " 0\n");
        expectText(await askUsual("POST /cgi-bin/count.sh", ["Content-Length: 0"]), "0 0\n");
      },
    ),
    test(
      "C20",
      "T",
      "Content-Length: 0100000, the body in two halves",
      "200, all 100000 bytes back, CONTENT_LENGTH=100000",
      async () => {
        const body = text(100_000);
        const path = shell("c20.sh", `${HEAD}; echo "$CONTENT_LENGTH"; cat`);
        await talk(await usualServer(), async (connection) => {
          await connection.send(requestHead("POST", path, "Content-Length: 0100000"));
          await connection.send(body.subarray(0, 50_000));
          await delay(50);
          await connection.send(body.subarray(50_000));
          const response = await connection.response({ method: "POST" });
          assert.equal(response.status, 200);
          assert.equal(response.text, `100000\n${toLatin1(body)}`);
        });
      },
    ),
    test(
      "C21",
      "T",
      "20 chunked uploads opened at once, finished in another order",
      "200 each, its own echo",
      parallelUploads,
    ),
    test(
      "C22",
      "C",
      "a body of 1 MiB to a script that writes 1 MiB before it reads",
      "both complete, no deadlock",
      async () => {
        const path = shell("c22.sh", `${HEAD}; head -c 1048576 /dev/zero | tr '\\0' x; cat`);
        const body = pattern(2 ** 20);
        const response = await askUsual(`POST ${path}`, [`Content-Length: ${body.length}`], body);
        assert.equal(response.body.length, 2 * 2 ** 20);
        assert.deepEqual(response.body.subarray(2 ** 20), body);
      },
    ),
    test(
      "C23",
      "C",
      "a body of 1 MiB to a script that does not read it",
      "200; the next request on the connection is read right, or the connection is closed",
      unread,
    ),
    test(
      "C24",
      "M",
      "two pipelined requests, the first a POST to a script that reads to the end",
      "it gets CONTENT_LENGTH bytes, and the second request is untouched",
      async () => {
        await talk(await usualServer(), async (connection) => {
          const first = requestHead("POST", "/cgi-bin/echo.sh", "Content-Length: 5");
          await connection.send(`${first}hello${requestHead("GET", "/cgi-bin/hello.sh")}`);
          expectText(await connection.response({ method: "POST" }), "hello");
          expectText(await connection.response(), "Hello World\n");
        });
      },
    ),
    test(
      "C25",
      "C",
      "a body over limits.body: with a length, and chunked",
      "413, and the script is not started",
      async () => {
        const server = await serving({ limits: { body: 10 } });
        const eleven = "12345678901";
        expectStatus(await ask(server, "POST /cgi-bin/echo.sh", ["Content-Length: 11"], eleven), 413);
        expectStatus(
          await ask(server, "POST /cgi-bin/echo.sh", CHUNKED, concat([chunk(eleven), chunk()])),
          413,
        );
        await ask(server, "POST /cgi-bin/count.sh", ["Content-Length: 10"], "1234567890");
        await server.exit("count.sh");
        assert.equal(server.hasRun("echo.sh"), false);
      },
    ),
    test(
      "C26",
      "M",
      "Content-Length: abc, -1, two different, or together with chunked",
      "400 (for the last also the chunks alone, and the connection closed); no second request comes of it",
      badLengths,
    ),
    test("C27", "M", "PUT, PATCH, DELETE, OPTIONS to a script", "run, with that REQUEST_METHOD", async () => {
      for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS"]) {
        expectVariables(await askUsual(`${method} /cgi-bin/env.sh`), { REQUEST_METHOD: method });
      }
    }),
    test(
      "C28",
      "T",
      "git push of more than 1 MiB (chunked), and a gzip body, through git-http-backend",
      "the push succeeds; HTTP_CONTENT_ENCODING and HTTP_GIT_PROTOCOL are there",
      async () => {
        const body = concat([chunk(pattern(100)), chunk()]);
        const headers = [...CHUNKED, "Content-Encoding: gzip", "Git-Protocol: version=2"];
        expectVariables(await askUsual("POST /cgi-bin/env.sh", headers, body), {
          HTTP_CONTENT_ENCODING: "gzip",
          HTTP_GIT_PROTOCOL: "version=2",
          CONTENT_LENGTH: "100",
        });
        await gitPush();
      },
      { unless: missing("git", "version") },
    ),
    test("C29", "T", "POST to a static file", "501 with Allow, as Python's CGI server", async () => {
      const response = await askUsual("POST /page.html", ["Content-Length: 3"], "a=b");
      expectStatus(response, 501);
      assert.match(response.header("allow") ?? "", /GET, HEAD/);
    }),
  ],
});

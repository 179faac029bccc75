/**
 * Group F: scripts that write the whole of HTTP, interim responses, upgrades.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { requestHead } from "../../_http.ts";
import { askUsual, expectStatus, expectText, expectVariables, talk, usualServer } from "./_ask.ts";
import { printing, shell } from "./_scripts.ts";
import { together } from "./_together.ts";

const WHOLE = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
const DROPPED =
  "never the final answer; 1xx blocks are dropped, since no runtime can send them for a Response";

/** NPH, interim responses, upgrades. */
export const wholeResponseCases: ConformanceSection = together({
  title: "F. NPH, interim responses, upgrades",
  cases: [
    test("F1", "M", "nph-test.sh: a whole HTTP/1.0 head, CRLF and LF mixed, and ok", "200, ok", async () => {
      const path = printing("nph-test.sh", "HTTP/1.0 200 OK\r\nContent-Type: text/plain\nX-A: b\r\n\nok");
      const response = await askUsual(`GET ${path}`);
      expectText(response, "ok");
      assert.equal(response.header("x-a"), "b");
    }),
    test(
      "F2",
      "T",
      "NPH: 8 KiB of standard error within the head, output closed, standard error again",
      "200, the body whole",
      async () => {
        const noise = "head -c 8192 /dev/zero | tr '\\0' e >&2";
        const path = shell(
          "nph-stderr.sh",
          `printf 'HTTP/1.0 200 OK\\r\\n'; ${noise}; printf 'Content-Type: text/plain\\r\\n\\r\\nok'; exec >&-; ${noise}`,
        );
        expectText(await askUsual(`GET ${path}`), "ok");
      },
    ),
    test(
      "F3",
      "T",
      "NPH: 5 times 100 Continue before the final head; 50 times",
      "200 with the body; 502",
      async () => {
        const interim = "HTTP/1.1 100 Continue\r\n\r\n";
        const few = await askUsual(`GET ${printing("nph-interim1.sh", `${interim.repeat(5)}${WHOLE}body`)}`);
        expectText(few, "body");
        expectStatus(
          await askUsual(`GET ${printing("nph-interim2.sh", `${interim.repeat(50)}${WHOLE}body`)}`),
          502,
        );
      },
    ),
    test("F4", "T", "NPH: 102 before 200", `200; ${DROPPED}`, async () => {
      expectText(
        await askUsual(
          `GET ${printing("nph-102.sh", `HTTP/1.1 102 Please Wait\r\nX-A: b\r\n\r\n${WHOLE}body`)}`,
        ),
        "body",
      );
    }),
    test("F5", "T", "NPH: chunks, byte by byte", "abcdef", async () => {
      const bytes = ["1\\r", "\\na\\r\\n", "5", "\\r\\nbcd", "ef\\r\\n", "0\\r\\n", "\\r\\n"];
      const drip = bytes.map((piece) => `printf '${piece}'; sleep 0.02`).join("; ");
      const path = shell(
        "nph-dripfeed.sh",
        `printf 'HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\nContent-Type: text/plain\\r\\n\\r\\n'; ${drip}`,
      );
      expectText(await askUsual(`GET ${path}`), "abcdef");
    }),
    test(
      "F6",
      "C",
      "NPH: 100 folded headers",
      "502: folded lines are refused from every script (D37)",
      async () => {
        const folded = Array.from({ length: 100 }, (_, at) => `X-${at}: a\r\n b\r\n`).join("");
        const path = printing(
          "nph-foldhdr.sh",
          `HTTP/1.1 200 OK\r\n${folded}Content-Type: text/plain\r\n\r\nHello`,
        );
        expectStatus(await askUsual(`GET ${path}`), 502);
      },
    ),
    test("F7", "C", "Status: 103 and Link, then a normal head", `200; ${DROPPED}`, async () => {
      const path = printing(
        "f7.sh",
        "Status: 103\nLink: </x.css>; rel=preload\n\nContent-Type: text/plain\n\nbody",
      );
      const response = await askUsual(`GET ${path}`);
      expectText(response, "body");
      assert.equal(response.header("link"), null);
      expectStatus(await askUsual(`GET ${printing("f7-only.sh", "Status: 103\nLink: </x>\n\n")}`), 502);
    }),
    test(
      "F8",
      "C",
      "Upgrade: websocket; Status: 101",
      "the request's Upgrade is hidden; 101 is refused with 502",
      async () => {
        const headers = [
          "Upgrade: websocket",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
          "Sec-WebSocket-Version: 13",
        ];
        const path = printing("f8.sh", "Status: 101\nUpgrade: websocket\nConnection: upgrade\n\n");
        expectStatus(await askUsual(`GET ${path}`, headers), 502);
        expectVariables(await askUsual("GET /cgi-bin/env.sh", headers), {
          HTTP_UPGRADE: null,
          HTTP_CONNECTION: null,
        });
      },
    ),
    test(
      "F9",
      "C",
      "a local redirect to an NPH script (there are no server-side includes)",
      "its head is parsed like any other: 200",
      async () => {
        printing("nph-f9.sh", `${WHOLE}body`);
        expectText(await askUsual(`GET ${printing("f9.sh", "Location: /cgi-bin/nph-f9.sh\n\n")}`), "body");
      },
    ),
    test(
      "F10",
      "M",
      "NPH on a connection that is kept",
      "framed by the server, and the connection can be used",
      async () => {
        const path = printing(
          "nph-f10.sh",
          `${WHOLE.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")}body`,
        );
        await talk(await usualServer(), async (connection) => {
          await connection.send(requestHead("GET", path) + requestHead("GET", "/cgi-bin/hello.sh"));
          expectText(await connection.response(), "body");
          expectText(await connection.response(), "Hello World\n");
        });
      },
    ),
  ],
});

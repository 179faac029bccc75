/**
 * Group D, second part: the body of a script's output, and conditions and ranges.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { concat, requestHead, toBytes } from "../../_http.ts";
import { askBroken, askUsual, expectStatus, expectText, requestBytes, talk, usualServer } from "./_ask.ts";
import { HEAD, pattern, printing, shell } from "./_scripts.ts";
import { prints } from "./response_head.ts";
import { together } from "./_together.ts";

const TYPE = "Content-Type: text/plain\n";
const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";

/** Bodies, lengths, conditions. */
export const responseBodyCases: ConformanceSection = together({
  title: "D. Response: conditions, lengths and the body",
  cases: [
    test(
      "D21",
      "C",
      "Last-Modified and Status: 200; If-Modified-Since of the same date",
      "200 with the body: the script has decided",
      async () => {
        const path = printing("d21.sh", `Status: 200\nLast-Modified: ${DATE}\n${TYPE}\nbody`);
        expectText(await askUsual(`GET ${path}`, [`If-Modified-Since: ${DATE}`]), "body");
      },
    ),
    test("D22", "C", "the same without Status", "304", async () => {
      const path = printing("d22.sh", `Last-Modified: ${DATE}\n${TYPE}\nbody`);
      expectStatus(await askUsual(`GET ${path}`, [`If-Modified-Since: ${DATE}`]), 304);
      expectText(await askUsual(`GET ${path}`, ["If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"]), "body");
    }),
    test(
      "D23",
      "T",
      "Range: bytes=5-10/10; the script sees HTTP_RANGE and answers Content-Range and hello",
      "hello, untouched",
      async () => {
        const path = shell(
          "d23.sh",
          `printf 'Content-Range: bytes 5-9/10\\nX-Range: %s\\n' "$HTTP_RANGE"; ${HEAD}; printf hello`,
        );
        const response = await askUsual(`GET ${path}`, ["Range: bytes=5-10/10"]);
        expectText(response, "hello");
        assert.equal(response.header("x-range"), "bytes=5-10/10");
        assert.equal(response.header("content-range"), "bytes 5-9/10");
      },
    ),
    test(
      "D31",
      "C",
      "Content-Length: 3 and 10 bytes",
      "exactly the three bytes; what follows is no second response",
      async () => {
        const path = printing(
          "d31.sh",
          `Content-Length: 3\n${TYPE}\nabcHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
        );
        await talk(await usualServer(), async (connection) => {
          await connection.send(requestHead("GET", path) + requestHead("GET", "/cgi-bin/hello.sh"));
          expectText(await connection.response(), "abc");
          expectText(await connection.response(), "Hello World\n");
        });
        await (await usualServer()).message("d31.sh", /more than its Content-Length/);
      },
    ),
    test("D32", "C", "Content-Length: 10 and 3 bytes, exit 0", "the transfer is visibly broken", async () => {
      const path = printing("d32.sh", `Content-Length: 10\n${TYPE}\nabc`);
      const server = await usualServer();
      for (const bytes of [requestBytes(`GET ${path}`), toBytes(requestHead("GET", path))]) {
        const response = await askBroken(server, bytes);
        assert.notEqual(response?.complete, true, response?.head);
      }
      await server.message(
        "d32.sh",
        /response broken off: the script wrote 3 bytes where it said Content-Length: 10/,
      );
    }),
    prints(
      "D33",
      "T",
      "Content-Length: abc, -3, 3x, 0x3, 3 and 4, 99999999999999999999",
      [
        "abc",
        "-3",
        "3x",
        "0x3",
        "3\nContent-Length: 4",
        "3, 4",
        "99999999999999999999",
      ].map((length) => `Content-Length: ${length}\n${TYPE}\nHello`),
      { status: 502 },
    ),
    test("D42", "M", "text/html and bytes of every value", "the same bytes", async () => {
      const body = concat([pattern(256), toBytes("\0\0\n\n\r\n"), pattern(100_000)]);
      const path = printing("d42.sh", concat([toBytes("Content-Type: text/html\n\n"), body]));
      const response = await askUsual(`GET ${path}`);
      assert.deepEqual(response.body, body);
      assert.equal(response.header("content-type"), "text/html");
    }),
    test(
      "D44",
      "T",
      "bodies of 0, 1, 1291, 1292, 80000 … 98452 and 1001 x 2^k up to 1025024 bytes",
      "the number of bytes, each time",
      async () => {
        const sizes = [0, 1, 1291, 1292, 80_000, 80_123, 81_087, 98_452];
        for (let size = 1001; size <= 1_025_024; size *= 2) sizes.push(size);
        const path = shell("d44.sh", `${HEAD}; head -c "$QUERY_STRING" /dev/zero`);
        for (const size of sizes) {
          const response = await askUsual(`GET ${path}?${size}`);
          assert.deepEqual([response.status, response.body.length], [200, size]);
        }
      },
    ),
    test(
      "D45",
      "T",
      "10, 100, 1000 lines with pauses before the head, the body and the end",
      "all of them",
      async () => {
        const path = shell("d45.sh", `sleep 0.05; ${HEAD}; sleep 0.05; seq "$QUERY_STRING"; sleep 0.05`);
        for (const count of [10, 100, 1000]) {
          const { text } = await askUsual(`GET ${path}?${count}`);
          assert.equal(text, Array.from({ length: count }, (_, at) => `${at + 1}\n`).join(""));
        }
      },
    ),
    test("D46", "T", "20,000,000 lines of y", "the SHA-1 of the body is right", async () => {
      const path = shell("d46.sh", `${HEAD}; yes | head -n 20000000`);
      const expected = createHash("sha1");
      const piece = new Uint8Array(2_000_000).map((_, at) => at % 2 === 0 ? 0x79 : 0x0a);
      for (let count = 0; count < 20; count++) expected.update(piece);
      const { body } = await askUsual(`GET ${path}`);
      assert.equal(body.length, 40_000_000);
      assert.equal(createHash("sha1").update(body).digest("hex"), expected.digest("hex"));
    }),
  ],
});

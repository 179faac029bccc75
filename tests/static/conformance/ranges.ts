/**
 * Section 5.10: range requests (RFC 9110 section 14).
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceSection, test } from "../../_conformance.ts";
import type { RawResponse } from "../../_http.ts";
import {
  ask,
  entityTag,
  expectHeaders,
  expectNotModified,
  expectPart,
  expectStatus,
  expectUnsatisfiable,
  expectWhole,
} from "../_ask.ts";
import { LAST_MODIFIED } from "../_site_fixture.ts";
import { freshFile } from "./conditional.ts";

const OLD = "Mon, 18 Nov 1974 00:00:00 GMT";

/** Ranges of `/hello.txt`, ten bytes, unless said. */
export const ranges: ConformanceSection = {
  title: "Ranges",
  cases: [
    part(114, "T", "bytes=0-0", "0-0", "0"),
    part(115, "T", "bytes=2-5", "2-5", "2345"),
    part(116, "T", "bytes=7-", "7-9", "789"),
    part(117, "T", "bytes=-3", "7-9", "789"),
    part(118, "C", "bytes=-999", "0-9", "0123456789"),
    part(119, "M", "bytes=5-99999999999999999999999", "5-9", "56789"),
    test(
      120,
      "S",
      "Range: bytes=10-; bytes=99-100",
      "416, Content-Range: bytes */10, nothing of the file",
      async () => {
        expectUnsatisfiable(await range("bytes=10-"));
        expectUnsatisfiable(await range("bytes=99-100"));
        const huge = "bytes=99999999999999999999999-";
        expectUnsatisfiable(await range(huge));
      },
    ),
    test(
      121,
      "T",
      "Range: bytes=-0",
      "416, bytes */10",
      async () => expectUnsatisfiable(await range("bytes=-0")),
    ),
    test(
      122,
      "C",
      "Range: bytes=5-2",
      "200 full: an invalid range is ignored",
      async () => expectWhole(await range("bytes=5-2")),
    ),
    test(
      123,
      "C",
      "Range: bytes=a-b; bytes=; bytes=5; bytes=-; hello; bytes 0-1",
      "200 full each",
      async () => {
        const invalid = [
          "bytes=a-b",
          "bytes=",
          "bytes=5",
          "bytes=-",
          "hello",
          "bytes 0-1",
          "bytes=0x0-1",
          "bytes=+0-1",
          "bytes=--1",
          "bytes=1.0-2",
          "bytes=0-1,5-2",
          "bytes=0-1;2-3",
        ];
        for (const value of invalid) expectWhole(await range(value));
      },
    ),
    test(
      124,
      "M",
      "Range: items=0-1",
      "200 full",
      async () => expectWhole(await range("items=0-1")),
    ),
    part(125, "M", "BYTES=0-1", "0-1", "01"),
    part(126, "C", "bytes= 0-1", "0-1", "01"),
    test(
      127,
      "M",
      "Range: bytes=0-1,5-6",
      "206 multipart/byteranges: no Content-Range of its own, two parts with Content-Type and Content-Range, closed, exact Content-Length",
      twoParts,
    ),
    test(
      128,
      "C",
      "Range: bytes=0-1,50-60",
      "206 with the satisfiable part alone, bytes 0-1/10",
      async () => expectPart(await range("bytes=0-1,50-60"), "0-1", "01"),
    ),
    test(
      129,
      "S",
      "Range: bytes=50-60,70-80",
      "416, bytes */10",
      async () => expectUnsatisfiable(await range("bytes=50-60,70-80")),
    ),
    test(
      130,
      "C",
      "Range: bytes=0-2,3-5",
      "206, bytes 0-5/10 or two parts",
      async () => {
        const response = await range("bytes=0-2,3-5");
        expectStatus(response, 206);
        if (response.header("content-range") === null) {
          assert.deepEqual(parts(response).map(({ body }) => body), [
            "012",
            "345",
          ]);
        } else expectPart(response, "0-5", "012345");
      },
    ),
    test(
      131,
      "S",
      "Range: bytes= and 500 times 0-",
      "200 full: no more bytes than a plain GET",
      async () => {
        const many = new Array(500).fill("0-").join(",");
        expectWhole(await range(`bytes=${many}`));
        const tiny = Array.from({ length: 500 }, (_, at) => `${at % 10}-`);
        expectWhole(await range(`bytes=${tiny.join(",")}`));
      },
    ),
    test(
      132,
      "C",
      "GET /empty.txt, Range: bytes=0-0",
      "200, Content-Length: 0",
      async () => {
        const response = await ask({}, "GET /empty.txt", "Range: bytes=0-0");
        expectStatus(response, 200);
        expectHeaders(response, {
          "content-length": "0",
          "content-range": null,
        });
      },
    ),
    test(
      133,
      "M",
      "HEAD with Range: bytes=0-1",
      "200, Content-Length: 10, no Content-Range: ranges are for GET",
      async () => {
        const range = "Range: bytes=0-1";
        const response = await ask({}, "HEAD /hello.txt", range);
        expectStatus(response, 200);
        expectHeaders(response, {
          "content-length": "10",
          "content-range": null,
        });
      },
    ),
    test(
      134,
      "T",
      "Range: bytes=0-1 and If-None-Match: E",
      "304",
      async () => {
        const tag = await entityTag();
        const response = await range("bytes=0-1", `If-None-Match: ${tag}`);
        expectNotModified(response);
      },
    ),
    test(
      135,
      "M",
      "Range: bytes=0-1 and If-Range: LM",
      "206",
      async () => {
        const response = await range(
          "bytes=0-1",
          `If-Range: ${LAST_MODIFIED}`,
        );
        expectPart(response, "0-1", "01");
      },
    ),
    test(
      136,
      "M",
      "Range: bytes=0-1 and If-Range: 1974; LM + 1 s",
      "200 full both: the date must be the same",
      async () => {
        const later = new Date(Date.parse(LAST_MODIFIED) + 1000).toUTCString();
        for (const date of [OLD, later, "soon"]) {
          expectWhole(await range("bytes=0-1", `If-Range: ${date}`));
        }
      },
    ),
    test(
      137,
      "M",
      "Range: bytes=0-1 and If-Range: E",
      "206 with a strong E; 200 full with a weak one",
      async () => {
        const strong = await entityTag();
        const same = await range("bytes=0-1", `If-Range: ${strong}`);
        expectPart(same, "0-1", "01");
        expectWhole(await range("bytes=0-1", `If-Range: W/${strong}`));
        const { root, tag } = await freshFile();
        const weak = await ask(
          { root },
          "GET /hello.txt",
          "Range: bytes=0-1",
          `If-Range: ${tag}`,
        );
        expectStatus(weak, 200);
        assert.equal(weak.text, "0123456789");
      },
    ),
    test(
      138,
      "M",
      'If-Range: "x" without Range',
      "200 full",
      async () => expectWhole(await ask({}, "GET /hello.txt", 'If-Range: "x"')),
    ),
    test(
      139,
      "M",
      "any of the 206 above",
      "ETag, Last-Modified, Cache-Control, Vary, Accept-Ranges and Content-Type as the 200 has them",
      async () => {
        const whole = await ask({}, "GET /hello.txt");
        const response = await range("bytes=0-1");
        const multiple = await range("bytes=0-1,5-6");
        const names = ["etag", "last-modified", "cache-control", "vary"];
        for (const name of [...names, "content-type", "accept-ranges"]) {
          assert.equal(response.header(name), whole.header(name), name);
        }
        for (const name of names) {
          assert.equal(multiple.header(name), whole.header(name), name);
        }
      },
    ),
    test(
      140,
      "M",
      'Range: bytes=99- and If-Range: "x"',
      "200 full: the range is dropped before it is judged",
      async () => expectWhole(await range("bytes=99-", 'If-Range: "x"')),
    ),
  ],
};

function part(
  id: number,
  authority: "M" | "T" | "C",
  value: string,
  span: string,
  body: string,
): ReturnType<typeof test> {
  return test(
    id,
    authority,
    `Range: ${value}`,
    `206, bytes ${span}/10, ${body}`,
    async () => expectPart(await range(value), span, body),
  );
}

function range(value: string, ...headers: string[]): Promise<RawResponse> {
  return ask({}, "GET /hello.txt", `Range: ${value}`, ...headers);
}

async function twoParts(): Promise<void> {
  const response = await range("bytes=0-1,5-6");
  expectStatus(response, 206);
  expectHeaders(response, {
    "content-range": null,
    "content-length": String(response.body.length),
    "content-type": /^multipart\/byteranges; boundary=/,
  });
  assert.deepEqual(parts(response), [
    {
      headers: [
        "content-range: bytes 0-1/10",
        "content-type: text/plain; charset=utf-8",
      ],
      body: "01",
    },
    {
      headers: [
        "content-range: bytes 5-6/10",
        "content-type: text/plain; charset=utf-8",
      ],
      body: "56",
    },
  ]);
}

interface Part {
  readonly headers: readonly string[];
  readonly body: string;
}

/** Takes a multipart body apart (RFC 2046 section 5.1.1), strictly. */
function parts(response: RawResponse): Part[] {
  const type = response.header("content-type") ?? "";
  const match = /boundary="?([^";]+)"?$/.exec(type);
  assert.ok(match, type);
  const delimiter = `--${match[1]}`;
  const pieces = `\r\n${response.text}`.split(`\r\n${delimiter}`);
  assert.match(pieces[0]!, /^(\r\n)?$/, "no preamble");
  assert.match(pieces.at(-1)!, /^--(\r\n)?$/, "closed");
  return pieces.slice(1, -1).map((piece) => {
    const end = piece.indexOf("\r\n\r\n");
    assert.ok(piece.startsWith("\r\n") && end > 0, "a part has headers");
    return {
      headers: piece.slice(2, end).split("\r\n").map((line) =>
        line.replace(/^[^:]+/, (name) => name.toLowerCase())
      ).sort(),
      body: piece.slice(end + 4),
    };
  });
}

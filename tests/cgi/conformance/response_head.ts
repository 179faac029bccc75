/**
 * Group D, first part: the head of a script's output.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Authority, type ConformanceCase, type ConformanceSection, test } from "../../_conformance.ts";
import { type RawResponse, requestHead } from "../../_http.ts";
import type { SiteCgiOptions } from "../../../src/site.ts";
import { ask, askUsual, expectStatus, expectText, serving, talk, usualServer } from "./_ask.ts";
import { HEAD, printing, shell } from "./_scripts.ts";
import { together } from "./_together.ts";

const TYPE = "Content-Type: text/plain\n";

/** What must come of a script's output: a status, a body, headers (`null`: absent). */
interface Outcome {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** A case: a script that prints exactly this. */
export function prints(
  id: string,
  authority: Authority,
  what: string,
  output: string | readonly string[],
  outcome: Outcome,
  options: SiteCgiOptions = {},
): ConformanceCase {
  const { status, body, headers = {} } = outcome;
  const expect = [
    `${status}`,
    ...(status === 502 ? ["never 200"] : []),
    ...(body === undefined ? [] : [body === "" ? "no body" : `body ${JSON.stringify(body)}`]),
    ...Object.entries(headers).map(([name, value]) => value === null ? `no ${name}` : `${name}: ${value}`),
  ].join(", ");
  return test(id, authority, what, expect, async () => {
    const server = Object.keys(options).length === 0 ? await usualServer() : await serving(options);
    for (const [at, text] of [output].flat().entries()) {
      const path = printing(`${id.toLowerCase()}-${at}.sh`, text);
      const response = await ask(server, `GET ${path}`);
      expectStatus(response, status);
      if (body !== undefined) assert.equal(response.text, body);
      for (const [name, value] of Object.entries(headers)) {
        assert.equal(response.header(name), value, response.head);
      }
      if (status === 502) assert.doesNotMatch(response.text, /Hello|secret/);
    }
  });
}

const BAD: Outcome = { status: 502 };
/** The head of the output. */
export const responseHeadCases: ConformanceSection = together({
  title: "D. Response: the head",
  cases: [
    prints("D1", "M", "a head with LF", `${TYPE}X-A: b\n\nbody\n\n`, {
      status: 200,
      body: "body\n\n",
      headers: { "x-a": "b" },
    }),
    prints("D2", "M", "a head with CRLF", `Content-Type: text/plain\r\nX-A: b\r\n\r\nbody`, {
      status: 200,
      body: "body",
      headers: { "x-a": "b", "content-type": "text/plain" },
    }),
    test(
      "D3",
      "T",
      "the blank line comes in two writes with a pause, LF and CRLF",
      "200, body test123",
      async () => {
        for (const [name, end] of [["lf", "\\n"], ["crlf", "\\r\\n"]] as const) {
          const path = shell(
            `d3-${name}.sh`,
            `printf 'Content-Type: text/plain${end}'; sleep 0.05; printf '${end}test'; printf 123`,
          );
          expectText(await askUsual(`GET ${path}`), "test123");
        }
        const split = shell(
          "d3-split.sh",
          `printf 'Content-Type: text/plain\\r\\n\\r'; sleep 0.05; printf '\\ntest123'`,
        );
        expectText(await askUsual(`GET ${split}`), "test123");
      },
    ),
    prints("D4", "M", "a head without a body", `${TYPE}X-A: b\n\n`, {
      status: 200,
      body: "",
      headers: { "x-a": "b" },
    }),
    test("D5", "C", "nothing, exit 0", "502", async () => {
      expectStatus(await askUsual(`GET ${shell("d5.sh", "exit 0")}`), 502);
    }),
    prints("D6", "M", "Content-Length: 6 without a Content-Type", "Content-Length: 6\n\nHello\n", BAD),
    prints("D7", "M", "a blank line first", "\nHello", BAD),
    prints("D8", "C", "text without a head", ["perl cgi\n", "Hello", "Hello World\nsecret\n\n"], BAD),
    prints("D9", "C", "text without a head, strict: false", "hello\nworld\n", {
      status: 200,
      body: "hello\nworld\n",
    }, { strict: false }),
    prints("D10", "M", "the end before the blank line", [
      `${TYPE}`,
      `${TYPE}X-A: Hello`,
      "Content-Type: text/plain\r\n\r",
    ], BAD),
    prints("D11", "M", "Status: 404 and a text", `Status: 404 Not Found\n${TYPE}\nmine`, {
      status: 404,
      body: "mine",
    }),
    test(
      "D12",
      "M",
      "Status: 304",
      "304 without a body, and the connection can be used",
      () => withoutBody("d12.sh", 304),
    ),
    prints("D13", "T", "Status: 30", `Status: 30\n${TYPE}\nHello`, BAD),
    prints(
      "D14",
      "M",
      "Status: abc, none, 99, 1000, 600, -200, 200x",
      ["abc", "99", "1000", "600", "-200", "200x", "0x0C8"].map((status) =>
        `Status: ${status}\n${TYPE}\nHello`
      ),
      BAD,
    ),
    prints("D15", "M", "status: 404, STATUS: 404, last of the head", [
      `${TYPE}status: 404\n\nx`,
      `${TYPE}STATUS: 404\n\nx`,
    ], {
      status: 404,
      body: "x",
      headers: { status: null },
    }),
    test("D16", "S", "Status: 404 Not Here", "404, the reason phrase Not Here", () => reason("Not Here")),
    test(
      "D17",
      "T",
      "Status: 204, and a body",
      "204, no body, and the connection can be used",
      () => withoutBody("d17.sh", 204),
    ),
    test("D18", "M", "HEAD", "the headers of GET, no body, and the script ends", head),
    prints("D19", "M", "X-Foo: bar before Content-Type", `X-Foo: bar\n${TYPE}\n`, {
      status: 200,
      headers: { "x-foo": "bar" },
    }),
    test("D20", "C", "two Set-Cookie", "two Set-Cookie", async () => {
      const path = printing("d20.sh", `Set-Cookie: a=b; Path=/\nSet-Cookie: c=d, e\n${TYPE}\n`);
      const { headers } = await askUsual(`GET ${path}`);
      const cookies = headers.filter(([name]) => name.toLowerCase() === "set-cookie").map(([, value]) =>
        value
      );
      assert.deepEqual(cookies, ["a=b; Path=/", "c=d, e"]);
    }),
    prints(
      "D24",
      "T",
      "a control character in a header's name, each of them",
      controls((byte) => `X-a${byte}b: Hello\n${TYPE}\nHello`),
      BAD,
    ),
    prints(
      "D25",
      "T",
      "a control character in a header's value, each but TAB",
      controls((byte) => `X-a: b${byte}c\n${TYPE}\nHello`).filter((text) => !/\t|\n(?=c)/.test(text)),
      BAD,
    ),
    prints("D26", "T", "a line without a colon", ["X-a\nb: c\n\nHello", `${TYPE}secret\n\nHello`], BAD),
    prints("D27", "C", "Transfer-Encoding: chunked", [
      `${TYPE}Transfer-Encoding: chunked\n\nHello`,
      `${TYPE}transfer-encoding: gzip, chunked\n\nHello`,
    ], BAD),
    prints(
      "D28",
      "C",
      "well-formed chunks with a trailer, Transfer-Encoding: chunked",
      `${TYPE}Transfer-Encoding: chunked\n\n5\r\nHello\r\n0\r\nTest-Trailer: testing\r\n\r\n`,
      BAD,
    ),
    test(
      "D29",
      "M",
      "Connection, Keep-Alive, Upgrade, Trailer, TE, Proxy-Connection, and what Connection names",
      "removed",
      async () => {
        const path = printing(
          "d29.sh",
          `Connection: keep-alive, X-Named\nKeep-Alive: timeout=5\nUpgrade: x\nTrailer: y\nTE: z\nProxy-Connection: p\nX-Named: n\nX-Kept: k\n${TYPE}\nbody`,
        );
        const response = await askUsual(`GET ${path}`);
        expectText(response, "body");
        for (const name of ["keep-alive", "upgrade", "trailer", "te", "proxy-connection", "x-named"]) {
          assert.equal(response.header(name), null, name);
        }
        assert.doesNotMatch(response.header("connection") ?? "", /keep-alive|X-Named/);
        assert.equal(response.header("x-kept"), "k");
      },
    ),
    test("D30", "T", "Bad_head: 123", "502; passed with strict: false", async () => {
      const path = printing("d30.sh", `Bad_head: 123\n${TYPE}\nbody`);
      expectStatus(await askUsual(`GET ${path}`), 502);
      const lenient = await ask(await serving({ strict: false }), `GET ${path}`);
      expectText(lenient, "body");
      assert.equal(lenient.header("bad_head"), "123");
    }),
    prints(
      "D34",
      "T",
      "Location: http://www.example.org/, CRLF and two LF",
      "Location: http://www.example.org/\r\n\n\n",
      {
        status: 302,
        headers: { location: "http://www.example.org/" },
      },
    ),
    prints(
      "D35",
      "C",
      "a header of 5000 bytes, and one of 60000",
      [5000, 60000].map((size) => `Set-Cookie: a=${"x".repeat(size)}\n${TYPE}\nbody`),
      {
        status: 200,
        body: "body",
      },
    ),
    test("D36", "C", "headers without an end", "502, the script is ended, nothing grows", async () => {
      const path = shell("d36.sh", "exec yes 'X-A: b'");
      expectStatus(await askUsual(`GET ${path}`), 502);
      const server = await usualServer();
      await server.message("d36.sh", /more than 65536 bytes of headers/);
      await server.exit("d36.sh");
    }),
    prints("D37", "M", "a continuation line", [
      `${TYPE}X-A: b\n c\n\nHello`,
      `${TYPE}X-A: b\n\tc\n\nHello`,
      ` X-A: b\n${TYPE}\nHello`,
    ], BAD),
    prints("D38", "M", "X-CGI-Foo: 1", `X-CGI-Foo: 1\n${TYPE}\nbody`, {
      status: 200,
      body: "body",
      headers: { "x-cgi-foo": null },
    }),
    prints("D39", "M", "X-Empty:", `X-Empty:\nX-Blank:  \n${TYPE}\nbody`, {
      status: 200,
      body: "body",
      headers: { "x-empty": null, "x-blank": null },
    }),
    prints("D40", "M", "a space before the colon", [
      "Content-Type : text/plain\n\nHello",
      `${TYPE}X-A\t: b\n\nHello`,
    ], BAD),
    test("D41", "T", "Latin-1 and UTF-8 in a value", "the same bytes reach the client", async () => {
      const path = printing("d41.sh", `X-Latin: caf\xe9\nX-Utf: caf\xc3\xa9 \xe2\x82\xac\n${TYPE}\nbody`);
      const response = await askUsual(`GET ${path}`);
      assert.equal(response.header("x-latin"), "caf\xe9");
      assert.equal(response.header("x-utf"), "caf\xc3\xa9 \xe2\x82\xac");
    }),
    prints("D43", "S", "Status: 200 and a body, without a Content-Type", "Status: 200\n\nbody", {
      status: 200,
      body: "body",
      headers: { "content-type": null },
    }),
  ],
});

function controls(text: (byte: string) => string): string[] {
  const codes = [...Array.from({ length: 32 }, (_, code) => code), 0x7f].filter((code) =>
    code !== 0x0a && code !== 0x0d
  );
  return codes.map((code) => text(String.fromCharCode(code)));
}

async function withoutBody(name: string, status: number): Promise<void> {
  const path = printing(name, `Status: ${status}\nX-A: b\n\nHello`);
  await talk(await usualServer(), async (connection) => {
    await connection.send(requestHead("GET", path) + requestHead("GET", "/cgi-bin/hello.sh"));
    const first = await connection.response();
    expectStatus(first, status);
    assert.equal(first.header("x-a"), "b");
    expectText(await connection.response(), "Hello World\n");
  });
}

async function reason(expected: string): Promise<void> {
  const response = await askUsual(`GET ${printing("d16.sh", `Status: 404 Not Here\n${TYPE}\nmine`)}`);
  assert.equal(response.statusLine, `HTTP/1.1 404 ${expected}`);
}

async function head(): Promise<void> {
  const path = shell("d18.sh", `printf 'X-A: b\\n'; ${HEAD}; echo Hello`);
  const response: RawResponse = await askUsual(`HEAD ${path}`);
  expectStatus(response, 200);
  assert.equal(response.header("x-a"), "b");
  assert.equal(response.header("content-type"), "text/plain");
  assert.equal(response.body.length, 0);
  assert.equal((await (await usualServer()).exit("d18.sh")).code, 0);
}

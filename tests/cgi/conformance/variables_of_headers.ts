/**
 * Group A, second part: the meta-variables of headers, of the two ends of the connection, and of the protocol.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Handler } from "../../../src/handler.ts";
import { makeCertificate } from "../../contract/_certificate.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { chunk } from "../../_http.ts";
import {
  ask,
  askUsual,
  environmentIn,
  expectStatus,
  expectVariables,
  serving,
  talk,
  usualServer,
} from "./_ask.ts";
import { missing } from "./_scripts.ts";
import { together } from "./_together.ts";
import { variables } from "./variables.ts";

const ENV = "GET /cgi-bin/env.sh";
/** The web platform's rule. */
export const NO_GET_BODY =
  "A Request with GET or HEAD has no body: what comes with one is dropped, the script is told of none, and the next request on the connection is read right. POST passes.";

/** Variables of headers, ends and protocol. */
export const headerVariableCases: ConformanceSection = together({
  title: "A. Meta-variables: headers, ends and protocol",
  cases: [
    variables("A19", "M", ENV, ["xx-yy123: foo"], { HTTP_XX_YY123: "foo" }),
    test(
      "A21",
      "M",
      "Hello:World with every kind of white space around the value",
      "HTTP_HELLO=World each time",
      async () => {
        for (const field of ["Hello:World", "Hello:  World", "Hello:  World   ", "Hello:  World \t "]) {
          expectVariables(await askUsual(ENV, [field]), { HTTP_HELLO: "World" });
        }
      },
    ),
    test(
      "A22",
      "M",
      "Hello: Foo, folded onto a second line with blanks, tabs or both",
      "HTTP_HELLO=Foo Bar, or 400, the same for all",
      async () => {
        const outcomes = await Promise.all(
          ["\r\n ", "\r\n\t", "\r\n    ", "\r\n \t ", " \t \r\n "].map(async (fold) => {
            const response = await askUsual(ENV, [`Hello: Foo${fold}Bar`]);
            return response.status === 200
              ? environmentIn(response).variables.get("HTTP_HELLO")
              : response.status;
          }),
        );
        assert.ok(outcomes[0] === "Foo Bar" || outcomes[0] === 400, `${outcomes[0]}`);
        assert.deepEqual(outcomes, outcomes.map(() => outcomes[0]));
      },
    ),
    test(
      "A23",
      "C",
      "Host: righthost, righthost:123, Righthost, Righthost:123",
      "SERVER_NAME=righthost; SERVER_PORT is the socket's",
      () =>
        hosts([
          ["righthost", "righthost"],
          ["righthost:123", "righthost"],
          ["Righthost", "righthost"],
          ["Righthost:123", "righthost"],
        ]),
    ),
    test(
      "A24",
      "M",
      "Host: an IPv4 or IPv6 address, with and without a port",
      "SERVER_NAME is it, in brackets and lower case",
      () =>
        hosts([
          ["128.0.0.1", "128.0.0.1"],
          ["128.0.0.1:123", "128.0.0.1"],
          ["[::1]", "[::1]"],
          ["[::1]:123", "[::1]"],
          ["[a::1]", "[a::1]"],
          ["[a::1]:123", "[a::1]"],
          ["[A::1]", "[a::1]"],
          ["[A::1]:123", "[a::1]"],
        ]),
    ),
    test(
      "A25",
      "M",
      "GET http://righthost/cgi-bin/env.sh; Host: wronghost",
      "SERVER_NAME=righthost: the target wins",
      async () => {
        const response = await askUsual("GET http://righthost/cgi-bin/env.sh?x", ["Host: wronghost"]);
        expectVariables(response, {
          SERVER_NAME: "righthost",
          SCRIPT_NAME: "/cgi-bin/env.sh",
          QUERY_STRING: "x",
        });
      },
    ),
    test(
      "A26",
      "C",
      "Host: localhost:8000, fake.com:8000, [::1]:8000",
      "SERVER_NAME without the port, SERVER_PORT of the socket (RFC 3875 section 4.1.15)",
      () =>
        hosts([
          ["localhost:8000", "localhost"],
          ["fake.com:8000", "fake.com"],
          ["[::1]:8000", "[::1]"],
        ]),
    ),
    test("A27", "M", `${ENV} HTTP/1.0 without Host`, "SERVER_NAME is the server's address", async () => {
      expectVariables(await askUsual(`${ENV} HTTP/1.0`), { SERVER_NAME: "127.0.0.1" });
    }),
    test(
      "A28",
      "M",
      `${ENV} over HTTP/1.0 and HTTP/1.1`,
      "SERVER_PROTOCOL=HTTP/1.0, HTTP/1.1",
      protocols,
    ),
    test(
      "A29",
      "M",
      "POST and GET with Content-Length: 14, Content-Type: text/plain and 14 bytes",
      "CONTENT_LENGTH=14, CONTENT_TYPE=text/plain, no HTTP_CONTENT_LENGTH, no HTTP_CONTENT_TYPE",
      () => bodyOfGet("14"),
      {
        impossible: [{ runtimes: ["deno", "bun", "node"], reason: NO_GET_BODY, run: () => bodyOfGet(null) }],
      },
    ),
    variables("A30", "M", ENV, [], { CONTENT_LENGTH: null, CONTENT_TYPE: null }),
    variables("A31", "S", ENV, [
      "Authorization: Basic YWFhOmJiYg==",
      "Proxy-Authorization: Basic YWFhOmJiYg==",
    ], {
      AUTH_TYPE: null,
      REMOTE_USER: null,
      HTTP_AUTHORIZATION: null,
      HTTP_PROXY_AUTHORIZATION: null,
    }),
    test(
      "A32",
      "M",
      "the server has verified the user aaa",
      "AUTH_TYPE=Basic, REMOTE_USER=aaa, no HTTP_AUTHORIZATION",
      async () => {
        const server = await serving({}, { around: basicAuth });
        expectVariables(await ask(server, ENV, ["Authorization: Basic YWFhOmJiYg=="]), {
          AUTH_TYPE: "Basic",
          REMOTE_USER: "aaa",
          HTTP_AUTHORIZATION: null,
        });
      },
    ),
    test("A33", "M", "as A32, with a wrong password", "401, and the script is not started", async () => {
      const server = await serving({}, { around: basicAuth });
      expectStatus(await ask(server, ENV, ["Authorization: Basic YWFhOmNjYw=="]), 401);
      await ask(server, "GET /cgi-bin/hello.sh", ["Authorization: Basic YWFhOmJiYg=="]);
      await server.exit("hello.sh");
      assert.equal(server.hasRun("env.sh"), false);
    }),
    variables("A34", "C", ENV, ["Authorization: Basic YWFhOmJiYg=="], {
      HTTP_AUTHORIZATION: "Basic YWFhOmJiYg==",
    }, {
      passAuthorization: true,
    }),
    variables("A35", "S", ENV, ["Proxy: http://evil:1"], { HTTP_PROXY: null }),
    variables("A36", "T", ENV, [
      "forwarded: for=a",
      "x-forwarded-for: b",
      "user-agent: c",
      "something-else: d",
    ], {
      HTTP_FORWARDED: "for=a",
      HTTP_X_FORWARDED_FOR: "b",
      HTTP_USER_AGENT: "c",
      HTTP_SOMETHING_ELSE: "d",
    }),
    variables("A37", "T", ENV, ["X-Forwarded_For: 6.6.6.6", "Content_Type: x", "User_Agent: x"], {
      HTTP_X_FORWARDED_FOR: null,
      HTTP_CONTENT_TYPE: null,
      CONTENT_TYPE: null,
      HTTP_USER_AGENT: null,
    }),
    test(
      "A38",
      "T",
      "Something-Else: . together with Something_Else, Something+Else, Something.Else",
      "only the field with the hyphen is passed",
      async () => {
        for (const name of ["Something_Else", "Something+Else", "Something.Else"]) {
          for (const headers of [["Something-Else: .", `${name}: x`], [`${name}: x`, "Something-Else: ."]]) {
            expectVariables(await askUsual(ENV, headers), { HTTP_SOMETHING_ELSE: "." });
          }
        }
      },
    ),
    test(
      "A39",
      "T",
      "X-Forwarded-For and Forwarded through trusted proxies",
      "REMOTE_ADDR is the nearest address that is not one of them",
      forwarded,
    ),
    variables("A40", "C", ENV, ["X-Forwarded-For: 127.0.10.1"], {
      REMOTE_ADDR: "127.0.0.1",
      HTTP_X_FORWARDED_FOR: "127.0.10.1",
    }),
    test(
      "A41",
      "T",
      `${ENV} over TLS`,
      "HTTPS=on, REQUEST_SCHEME=https, SERVER_PROTOCOL of the request",
      async () => {
        const certificate = makeCertificate()!;
        try {
          const { cert, key } = certificate;
          const server = await serving({}, { tls: { cert, key } });
          expectVariables(await ask(server, ENV), {
            HTTPS: "on",
            REQUEST_SCHEME: "https",
            SERVER_PROTOCOL: "HTTP/1.1",
            SERVER_PORT: `${server.port}`,
          });
          expectVariables(await askUsual(ENV), { HTTPS: null, REQUEST_SCHEME: "http" });
        } finally {
          certificate.remove();
        }
      },
      { unless: missing("openssl", "version") },
    ),
    test(
      "A56",
      "T",
      "POST, chunked, with an empty body",
      "CONTENT_LENGTH=0, no HTTP_TRANSFER_ENCODING",
      async () => {
        const response = await askUsual("POST /cgi-bin/env.sh", ["Transfer-Encoding: chunked"], chunk());
        expectVariables(response, { HTTP_TRANSFER_ENCODING: null, CONTENT_LENGTH: /^0$/ });
      },
    ),
  ],
});

async function hosts(rows: readonly (readonly [field: string, name: string])[]): Promise<void> {
  const server = await usualServer();
  for (const [field, name] of rows) {
    expectVariables(await ask(server, ENV, [`Host: ${field}`]), {
      SERVER_NAME: name,
      SERVER_PORT: `${server.port}`,
      HTTP_HOST: field,
    });
  }
}

async function protocols(): Promise<void> {
  expectVariables(await askUsual(`${ENV} HTTP/1.0`), { SERVER_PROTOCOL: "HTTP/1.0" });
  expectVariables(await askUsual(`${ENV} HTTP/1.1`), { SERVER_PROTOCOL: "HTTP/1.1" });
}

/** The next request on the connection must not begin with the body of this one. */
async function bodyOfGet(length: string | null): Promise<void> {
  const fields = ["Host: x", "Content-Length: 14", "Content-Type: text/plain"];
  await talk(await usualServer(), async (connection) => {
    for (const method of ["POST", "GET"]) {
      const head = [`${method} /cgi-bin/env.sh HTTP/1.1`, ...fields, "", ""].join("\r\n");
      await connection.send(`${head}fourteen bytes`);
      expectVariables(await connection.response(), {
        REQUEST_METHOD: method,
        CONTENT_LENGTH: method === "POST" ? "14" : length,
        CONTENT_TYPE: "text/plain",
        HTTP_CONTENT_LENGTH: null,
        HTTP_CONTENT_TYPE: null,
      });
    }
  });
}

function basicAuth(handler: Handler): Handler {
  return (request, connection) => {
    if (request.headers.get("authorization") !== "Basic YWFhOmJiYg==") {
      return new Response("no", { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } });
    }
    return handler(request, { ...connection, user: { name: "aaa", scheme: "Basic" } });
  };
}

async function forwarded(): Promise<void> {
  const server = await serving({ trustedProxies: ["127.0.0.1", "127.0.30.1"] });
  const rows = [
    ["X-Forwarded-For: 127.0.10.1", "127.0.10.1"],
    ["X-Forwarded-For: 127.0.10.1, 127.0.20.1", "127.0.20.1"],
    ["X-Forwarded-For: 127.0.10.1, 127.0.20.1, 127.0.30.1", "127.0.20.1"],
    ["Forwarded: for=127.0.10.1", "127.0.10.1"],
    ["Forwarded: for=127.0.10.1, for=127.0.20.1;proto=https", "127.0.20.1"],
    ["Forwarded: for=127.0.10.1, for=127.0.20.1, for=127.0.30.1", "127.0.20.1"],
  ] as const;
  for (const [field, address] of rows) {
    expectVariables(await ask(server, ENV, [field]), { REMOTE_ADDR: address });
  }
}

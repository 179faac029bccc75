/**
 * What group A does that takes more than one line.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ask, environmentIn, expectVariables, serving, talk, usualServer } from "./_ask.ts";
import { pathOf, script } from "./_scripts.ts";

export async function basicGet(): Promise<void> {
  await talk(await usualServer(), async (connection) => {
    const { localPort } = connection.socket;
    await connection.send("GET /test.cgi?foo=bar&a=b HTTP/1.0\r\nHost: example.com\r\n\r\n");
    const response = await connection.response();
    expectVariables(response, {
      GATEWAY_INTERFACE: "CGI/1.1",
      HTTP_HOST: "example.com",
      PATH_INFO: null,
      QUERY_STRING: "foo=bar&a=b",
      REMOTE_ADDR: "127.0.0.1",
      REMOTE_HOST: "127.0.0.1",
      REMOTE_PORT: `${localPort}`,
      REQUEST_METHOD: "GET",
      REQUEST_URI: "/test.cgi?foo=bar&a=b",
      SCRIPT_NAME: "/test.cgi",
      SCRIPT_FILENAME: pathOf("site/test.cgi"),
      SERVER_NAME: "example.com",
      SERVER_SOFTWARE: /^htbin\/\d/,
    });
    assert.equal(response.header("content-type"), "text/plain");
    assert.equal(response.header("x-test-header"), "X-Test-Value");
  });
}

/** RFC 3875 section 3.3. */
export async function scriptUri(): Promise<void> {
  script("deep/a b;c=d.sh", shellSource(), 0o755);
  const server = await usualServer();
  const words = [
    "a",
    "Z9",
    "%20",
    "%3B",
    "%3F",
    "%23",
    "%25",
    "%C3%A9",
    "=",
    "&",
    "+",
    ";",
    "%2B",
    "'",
    "~",
    "%22",
    "%3C",
  ];
  let state = 42;
  const pick = () => words[(state = (state * 1103515245 + 12345) % 2147483648) % words.length]!;
  const make = () => `${pick()}${pick()}${pick()}`;
  for (let round = 0; round < 20; round++) {
    const name = round % 2 === 0 ? "/cgi-bin/env.sh" : "/cgi-bin/deep/a%20b;c%3Dd.sh";
    const path = round % 3 === 0 ? "" : `/${make()}/${make()}`;
    const first = await ask(server, `GET ${name}${path}?${make()}=${make()}`);
    const { variables } = environmentIn(first);
    const part = (text: string) => text.split("/").map(encodeURIComponent).join("/");
    const again = await ask(
      server,
      `GET ${part(variables.get("SCRIPT_NAME")!)}${part(variables.get("PATH_INFO") ?? "")}?${
        variables.get("QUERY_STRING")
      }`,
      [`Host: ${variables.get("SERVER_NAME")}:${variables.get("SERVER_PORT")}`],
    );
    expectVariables(again, {
      SCRIPT_NAME: variables.get("SCRIPT_NAME")!,
      PATH_INFO: variables.get("PATH_INFO") ?? null,
      QUERY_STRING: variables.get("QUERY_STRING")!,
    });
  }
}

function shellSource(): string {
  return "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'; exec /usr/bin/env\n";
}

export async function rewritten(): Promise<void> {
  const originals = new WeakMap<Request, string>();
  const server = await serving({
    env: ({ request }) => ({ REQUEST_URI: originals.get(request) }),
  }, {
    around: (handler) => (request, connection) => {
      const { pathname, search, origin } = new URL(request.url, "http://localhost");
      const inner = new Request(origin + pathname.replace(/^\/cgi\//, "/cgi-bin/") + search, request);
      originals.set(inner, pathname + search);
      return handler(inner, connection);
    },
  });
  const response = await ask(server, "GET /cgi/env.sh?asdf=1");
  expectVariables(response, { REQUEST_URI: "/cgi/env.sh?asdf=1", SCRIPT_NAME: "/cgi-bin/env.sh" });
}

/** What a script is told of its request. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvironment, translatePath } from "../../src/cgi/environment.ts";
import type { CgiOptions } from "../../src/cgi/options.ts";
import { VERSION } from "../../src/version.ts";
import { type CallChanges, variablesOf } from "./_call.ts";
import { fakeProcesses } from "./_fakes.ts";

type Expected = Readonly<Record<string, string | undefined>>;
type Case = readonly [name: string, changes: CallChanges, expected: Expected, options?: CgiOptions];

/** Only the variables that are named; `undefined` stands for one that is not set. */
function table(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    for (const [name, changes, expected, options] of cases) {
      it(name, () => {
        const variables = variablesOf(changes, options);
        const actual = Object.fromEntries(Object.keys(expected).map((key) => [key, variables[key]]));
        assert.deepEqual(actual, expected);
      });
    }
  });
}

const local = { hostname: "192.0.2.1", port: 8080 };
const remote = { hostname: "1.2.3.4", port: 1234 };

describe("the whole environment", () => {
  it("of a GET request is this and nothing else (A1)", () => {
    assert.deepEqual(
      variablesOf({
        target: "/cgi-bin/env/extra?foo=bar&a=b",
        headers: { host: "example.com", accept: "text/html" },
        script: { pathInfo: "/extra" },
        connection: { remote, local, requestId: "r-1", protocol: "HTTP/1.0" },
        deadlineMs: 1500.7,
        fake: { environment: { PATH: "/bin", SECRET: "x", LANG: "C.UTF-8" } },
      }),
      {
        DOCUMENT_ROOT: "/site",
        GATEWAY_INTERFACE: "CGI/1.1",
        HTTP_ACCEPT: "text/html",
        HTTP_HOST: "example.com",
        LANG: "C.UTF-8",
        PATH: "/bin",
        PATH_INFO: "/extra",
        PATH_TRANSLATED: "/site/extra",
        QUERY_STRING: "foo=bar&a=b",
        REDIRECT_STATUS: "200",
        REMOTE_ADDR: "1.2.3.4",
        REMOTE_HOST: "1.2.3.4",
        REMOTE_PORT: "1234",
        REQUEST_METHOD: "GET",
        REQUEST_SCHEME: "http",
        REQUEST_URI: "/cgi-bin/env/extra?foo=bar&a=b",
        SCRIPT_FILENAME: "/site/cgi-bin/env",
        SCRIPT_NAME: "/cgi-bin/env",
        SERVER_ADDR: "192.0.2.1",
        SERVER_NAME: "example.com",
        SERVER_PORT: "8080",
        SERVER_PROTOCOL: "HTTP/1.0",
        SERVER_SOFTWARE: `htbin/${VERSION}`,
        X_REQUEST_ID: "r-1",
        X_TIME_LIMIT_MS: "1500",
      },
    );
  });
});

table("the request", [
  ["query untouched (A14, A15)", { target: "/x?k=aa%2F%2Fbb&//q//p//=//a//b//?c=d" }, {
    QUERY_STRING: "k=aa%2F%2Fbb&//q//p//=//a//b//?c=d",
    REQUEST_URI: "/x?k=aa%2F%2Fbb&//q//p//=//a//b//?c=d",
  }],
  ["no query (A16)", { target: "/x" }, { QUERY_STRING: "", REQUEST_URI: "/x" }],
  ["empty query", { target: "/x?" }, { QUERY_STRING: "", REQUEST_URI: "/x" }],
  [
    "query as it was sent, where the runtime tells",
    {
      request: Object.defineProperty(new Request("http://example.com/x"), "url", {
        value: `http://example.com/x?a="b"&c='d'<e>`,
      }),
    },
    { QUERY_STRING: `a="b"&c='d'<e>`, REQUEST_URI: `/x?a="b"&c='d'<e>` },
  ],
  [
    "no control character from a query as it was sent",
    {
      request: Object.defineProperty(new Request("http://example.com/x"), "url", {
        value: "http://example.com/x?a\n=b",
      }),
    },
    { QUERY_STRING: "a=b" },
  ],
  ["path encoded in REQUEST_URI only", { target: "/cgi-bin/env/a%20b%2Fc", script: { pathInfo: "/a b/c" } }, {
    REQUEST_URI: "/cgi-bin/env/a%20b%2Fc",
    PATH_INFO: "/a b/c",
    PATH_TRANSLATED: "/site/a b/c",
  }],
  ["any method", { method: "PROPFIND" }, { REQUEST_METHOD: "PROPFIND" }],
  ["no protocol told", { connection: {} }, { SERVER_PROTOCOL: "HTTP/1.1" }],
  ["no body (A30)", {}, { CONTENT_LENGTH: undefined, CONTENT_TYPE: undefined }],
  [
    "a body (A29)",
    { method: "POST", headers: { "content-type": "text/plain", "content-length": "99" }, contentLength: 14 },
    {
      CONTENT_LENGTH: "14",
      CONTENT_TYPE: "text/plain",
      HTTP_CONTENT_LENGTH: undefined,
      HTTP_CONTENT_TYPE: undefined,
    },
  ],
  ["an empty body", { method: "POST", contentLength: 0 }, { CONTENT_LENGTH: "0", CONTENT_TYPE: undefined }],
  [
    "a body of unknown length (C11)",
    { method: "POST", headers: { "content-type": "a/b", "transfer-encoding": "chunked" } },
    { CONTENT_LENGTH: undefined, CONTENT_TYPE: "a/b", HTTP_TRANSFER_ENCODING: undefined },
  ],
  ["without a limit", { deadlineMs: Infinity }, { X_TIME_LIMIT_MS: undefined }],
]);

table("the script", [
  ["mounted at the root (A6)", { script: { scriptName: "", pathInfo: "/bar" } }, {
    SCRIPT_NAME: "",
    PATH_INFO: "/bar",
  }],
  ["no extra path (A43)", {}, { PATH_INFO: undefined, PATH_TRANSLATED: undefined }],
  ["extra path without a file (A42)", { script: { pathInfo: "/this.is.the.path;info" } }, {
    PATH_INFO: "/this.is.the.path;info",
    PATH_TRANSLATED: "/site/this.is.the.path;info",
  }],
]);

describe("PATH_TRANSLATED", () => {
  for (
    const [root, pathInfo, expected] of [
      ["/site", "/", "/site/"],
      ["/site", "/a/b", "/site/a/b"],
      ["/site", "/a/b/", "/site/a/b/"],
      ["/site", "//a//b", "/site/a/b"],
      ["/", "/a", "/a"],
      ["/", "/", "/"],
      ["/site", "/../etc/passwd", null],
      ["/site", "/a/../../x", null],
      ["/site", "/./a", null],
      ["/site", "/a\\..\\b", "/site/a\\..\\b"],
      ["C:\\site", "/a/b", "C:\\site\\a\\b"],
      ["C:\\site", "/a/b/", "C:\\site\\a\\b\\"],
      ["C:\\site", "/a\\..\\..\\b", null],
      ["C:\\site", "/C:/x", null],
    ] as const
  ) {
    it(`of ${pathInfo} in ${root} is ${expected}`, () => {
      assert.equal(translatePath(root, pathInfo), expected);
    });
  }
});

table("the peers", [
  ["IPv6 (A2)", { connection: { remote: { hostname: "[2000::3000]", port: 12345 } } }, {
    REMOTE_ADDR: "2000::3000",
    REMOTE_HOST: "2000::3000",
    REMOTE_PORT: "12345",
  }],
  [
    "IPv4 on a socket for both",
    {
      connection: {
        remote: { hostname: "::ffff:1.2.3.4", port: 5 },
        local: { hostname: "::ffff:127.0.0.1", port: 80 },
      },
    },
    { REMOTE_ADDR: "1.2.3.4", SERVER_ADDR: "127.0.0.1" },
  ],
  ["nothing known", { connection: {}, target: "http://example.com:81/x" }, {
    REMOTE_ADDR: "",
    REMOTE_PORT: undefined,
    SERVER_ADDR: undefined,
    SERVER_NAME: "example.com",
    SERVER_PORT: "81",
  }],
  ["no user (A31)", { headers: { authorization: "Basic YWFhOmJiYg==" } }, {
    AUTH_TYPE: undefined,
    REMOTE_USER: undefined,
    HTTP_AUTHORIZATION: undefined,
  }],
  [
    "a verified user (A32)",
    {
      headers: { authorization: "Basic YWFhOmJiYg==" },
      connection: { user: { name: "aaa", scheme: "Basic" } },
    },
    { AUTH_TYPE: "Basic", REMOTE_USER: "aaa", HTTP_AUTHORIZATION: undefined },
  ],
  ["over TLS (A41)", { connection: { secure: true, protocol: "HTTP/2.0" } }, {
    HTTPS: "on",
    REQUEST_SCHEME: "https",
    SERVER_PROTOCOL: "HTTP/2.0",
    SERVER_PORT: "443",
  }],
  ["by the URL", { target: "https://example.com/x", connection: {} }, {
    HTTPS: "on",
    REQUEST_SCHEME: "https",
  }],
  ["not over TLS", { target: "https://example.com/x", connection: { secure: false } }, {
    HTTPS: undefined,
    REQUEST_SCHEME: "http",
  }],
]);

/** The URL that the runtimes make of a request, and its Host field. */
const hosts: readonly (readonly [url: string, host: string | null, name: string])[] = [
  ["http://righthost/x", "righthost", "righthost"],
  ["http://righthost:123/x", "righthost:123", "righthost"],
  ["http://righthost/x", "Righthost", "righthost"],
  ["http://righthost:123/x", "Righthost:123", "righthost"],
  ["http://128.0.0.1/x", "128.0.0.1", "128.0.0.1"],
  ["http://128.0.0.1:123/x", "128.0.0.1:123", "128.0.0.1"],
  ["http://[::1]/x", "[::1]", "[::1]"],
  ["http://[::1]:123/x", "[::1]:123", "[::1]"],
  ["http://[a::1]/x", "[A::1]:123", "[a::1]"],
  ["http://localhost:8000/x", "localhost:8000", "localhost"],
  // An absolute-form target wins over Host, where the runtime tells of it (A25).
  ["http://righthost/x", "wronghost", "righthost"],
  ["http://righthost/x", null, "righthost"],
  // HTTP/1.0 without Host (A27).
  ["http://localhost:8080/x", null, "192.0.2.1"],
  ["/x", null, "192.0.2.1"],
  ["http://localhost:8080/x", "", "192.0.2.1"],
  // No host at all.
  ["http://other.com/x", "example.com@other.com", "192.0.2.1"],
  ["http://localhost/x", "exa mple", "192.0.2.1"],
  ["http://localhost/x", "<script>", "192.0.2.1"],
  ["http://localhost/x", "a/b", "192.0.2.1"],
  ["http://localhost/x", "$(id)", "192.0.2.1"],
  ["http://localhost/x", "[::1", "192.0.2.1"],
  ["http://localhost/x", "[zz::1]", "192.0.2.1"],
  ["http://localhost/x", "h:99999", "192.0.2.1"],
];

describe("SERVER_NAME (A23 to A27)", () => {
  for (const [url, host, name] of hosts) {
    it(`of ${url} with Host: ${host} is ${name}`, () => {
      const headers = new Headers(host === null ? {} : { host });
      const request = { url, method: "GET", headers } as Request;
      const variables = variablesOf({ request });
      assert.equal(variables["SERVER_NAME"], name);
      assert.equal(variables["SERVER_PORT"], "8080");
      // A host that is none is kept from the script.
      const isHost = host !== null && (host === "" || name !== "192.0.2.1");
      assert.equal(variables["HTTP_HOST"], isHost ? host : undefined);
    });
  }
  it("of an IPv6 socket is in brackets", () => {
    const request = { url: "/x", method: "GET", headers: new Headers() } as Request;
    const at = (hostname: string) =>
      variablesOf({ request, connection: { local: { hostname, port: 80 } } })["SERVER_NAME"];
    assert.equal(at("::1"), "[::1]");
    assert.equal(at("fe80::1%eth0"), "[fe80::1]");
    assert.equal(at("::ffff:127.0.0.1"), "127.0.0.1");
  });
});

table("the request's fields", [
  ["joined (A7)", {
    headers: [["cookie", "nom=NOM; yum=YUM"], ["x-foo", "val1"], ["x-foo", "val2"]],
  }, { HTTP_COOKIE: "nom=NOM; yum=YUM", HTTP_X_FOO: "val1, val2" }],
  ["with digits (A19)", { headers: { "xx-yy123": "foo" } }, { HTTP_XX_YY123: "foo" }],
  ["Proxy (A35)", { headers: { Proxy: "http://evil:1" } }, { HTTP_PROXY: undefined }],
  ["ordinary (A36)", {
    headers: { forwarded: "for=x", "x-forwarded-for": "y", "user-agent": "z", "something-else": "w" },
  }, {
    HTTP_FORWARDED: "for=x",
    HTTP_X_FORWARDED_FOR: "y",
    HTTP_USER_AGENT: "z",
    HTTP_SOMETHING_ELSE: "w",
  }],
  ["that would collide (A37, A38)", {
    headers: {
      "x-forwarded_for": "6.6.6.6",
      "content_type": "x",
      "user_agent": "x",
      "something-else": ".",
      "something_else": "x",
      "something+else": "x",
      "something.else": "x",
    },
  }, {
    HTTP_X_FORWARDED_FOR: undefined,
    CONTENT_TYPE: undefined,
    HTTP_CONTENT_TYPE: undefined,
    HTTP_USER_AGENT: undefined,
    HTTP_SOMETHING_ELSE: ".",
  }],
  ["of the connection", {
    headers: {
      te: "trailers",
      "keep-alive": "x",
      "proxy-authorization": "Basic x",
      "proxy-connection": "x",
      "http2-settings": "x",
      "x-kept": "x",
    },
  }, {
    HTTP_TE: undefined,
    HTTP_KEEP_ALIVE: undefined,
    HTTP_PROXY_AUTHORIZATION: undefined,
    HTTP_PROXY_CONNECTION: undefined,
    HTTP_HTTP2_SETTINGS: undefined,
    HTTP_X_KEPT: "x",
  }],
  [
    "Authorization when asked for (A34)",
    {
      headers: { authorization: "Bearer t", "proxy-authorization": "Basic x" },
    },
    { HTTP_AUTHORIZATION: "Bearer t", HTTP_PROXY_AUTHORIZATION: undefined },
    { passAuthorization: true },
  ],
  ["UTF-8, which arrives as one character per byte", {
    headers: { "x-name": "caf\u00c3\u00a9", "x-latin": "caf\u00e9" },
  }, { HTTP_X_NAME: "caf\u00e9", HTTP_X_LATIN: "caf\u00e9" }],
  ["trace context", { headers: { traceparent: "00-1-2-01" } }, { HTTP_TRACEPARENT: "00-1-2-01" }],
]);

table("after a local redirect", [
  [
    "where it came from",
    { target: "/cgi-bin/env?x=1", redirectedFrom: { url: "/first%20one", query: "y=2" } },
    {
      REDIRECT_URL: "/first%20one",
      REDIRECT_QUERY_STRING: "y=2",
      REDIRECT_STATUS: "200",
      QUERY_STRING: "x=1",
      REQUEST_URI: "/cgi-bin/env?x=1",
    },
  ],
  ["not without one", {}, { REDIRECT_URL: undefined, REDIRECT_QUERY_STRING: undefined }],
]);

const fake = {
  environment: {
    PATH: "/opt/bin",
    TZ: "Europe/Paris",
    LC_ALL: "C",
    SECRET: "x",
    LD_LIBRARY_PATH: "/lib",
    HOME: "/root",
  },
};

table("what is inherited (A55)", [
  ["a short list", { fake }, {
    PATH: "/opt/bin",
    TZ: "Europe/Paris",
    LC_ALL: "C",
    LD_LIBRARY_PATH: "/lib",
    SECRET: undefined,
    HOME: undefined,
  }],
  ["PATH is never empty (A54)", { fake: { environment: { PATH: "" } } }, {
    PATH: "/usr/local/bin:/usr/bin:/bin",
  }],
  ["what is asked for", { fake }, { SECRET: "x", HOME: undefined, NOT_THERE: undefined }, {
    inheritEnv: ["SECRET", "NOT_THERE"],
  }],
  [
    "never over what is computed",
    {
      fake: { environment: { SERVER_SOFTWARE: "mine", QUERY_STRING: "mine" } },
    },
    { SERVER_SOFTWARE: `htbin/${VERSION}`, QUERY_STRING: "" },
    { inheritEnv: ["SERVER_SOFTWARE", "QUERY_STRING"] },
  ],
]);

table("the env option", [
  ["wins (A8, A9, A54)", { fake, target: "/x?a" }, {
    SCRIPT_FILENAME: "/foo/bar",
    REQUEST_URI: "/foo/bar",
    PATH: "/wibble",
    QUERY_STRING: "123",
    BLANK_VALUE: "",
  }, {
    env: {
      SCRIPT_FILENAME: "/foo/bar",
      REQUEST_URI: "/foo/bar",
      PATH: "/wibble",
      QUERY_STRING: "123",
      BLANK_VALUE: "",
    },
  }],
  [
    "removes with undefined, also what is inherited",
    { fake },
    { TZ: undefined, SERVER_SOFTWARE: undefined },
    {
      env: { TZ: undefined, SERVER_SOFTWARE: undefined },
    },
  ],
  ["may be a function", { fake, headers: { "x-a": "b" }, script: { pathInfo: "/p" } }, {
    SEEN: "/site/cgi-bin/env /cgi-bin/env /p b 1.2.3.4",
  }, {
    env: ({ scriptFilename, scriptName, pathInfo, request, connection }) => ({
      SEEN: [scriptFilename, scriptName, pathInfo, request.headers.get("x-a"), connection.remote?.hostname]
        .join(" "),
    }),
  }],
  ["software", {}, { SERVER_SOFTWARE: "mine/1" }, { serverSoftware: "mine/1" }],
]);

describe("createEnvironment() refuses", () => {
  const cases: readonly (readonly [string, CgiOptions])[] = [
    ["a name with =", { env: { "A=B": "x" } }],
    ["an empty name", { env: { "": "x" } }],
    ["NUL in a value", { env: { A: "a\0b" } }],
    ["a value that is no text", { env: { A: 1 as unknown as string } }],
    ["a proxy that is no address", { trustedProxies: ["example.com"] }],
  ];
  for (const [name, options] of cases) {
    it(name, () => assert.throws(() => createEnvironment(options, fakeProcesses()), TypeError));
  }
});

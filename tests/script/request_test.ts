/** The request and the connection that an environment makes. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { requestFromEnv, type RequestOptions, ScriptRequestError } from "../../src/script/mod.ts";
import { scriptConnection } from "../../src/script/connection.ts";
import { readRequest } from "../../src/script/request.ts";
import * as recorded from "./_environments.ts";

type Environment = Readonly<Record<string, string>>;

const plain: Environment = { REQUEST_METHOD: "GET", HTTP_HOST: "example.com", SCRIPT_NAME: "/s" };

function urlOf(env: Environment, options?: RequestOptions): string {
  return requestFromEnv({ ...plain, ...env }, null, options).url;
}

function headersOf(env: Environment): Headers {
  return requestFromEnv({ ...plain, ...env }, null).headers;
}

function connectionOf(env: Environment, options: RequestOptions = {}) {
  return scriptConnection(env, readRequest(env, options), "");
}

function streamOf(...pieces: readonly string[]): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  }, { highWaterMark: 0 });
}

function refused(env: Environment): number {
  let status = 0;
  assert.throws(() => requestFromEnv({ ...plain, ...env }, streamOf()), (error) => {
    assert.ok(error instanceof ScriptRequestError, String(error));
    status = error.status;
    return true;
  });
  return status;
}

describe("environments as servers make them", () => {
  const urls: readonly (readonly [string, Environment, string])[] = [
    ["Apache", recorded.apache, "http://127.0.0.1:18090/cgi-bin/env/a%2Fb/%C3%BC/c%20d?q=%22a+b&r"],
    ["Apache, a path it has cleaned", recorded.apacheChunked, "http://127.0.0.1:18090/cgi-bin/env/a/c?q"],
    ["nginx", recorded.nginx, "http://127.0.0.1/cgi-bin/env/a%2Fb/%C3%BC/c%20d?q=%22a+b&r"],
    ["lighttpd", recorded.lighttpd, "http://127.0.0.1:18091/cgi-bin/env/a%2Fb/%C3%BC/c%20d?q=%22a+b&r"],
    ["busybox", recorded.busybox, "http://127.0.0.1:18092/cgi-bin/env/ab/%C3%BC/c%20d%3Fx?q=%22a+b&r"],
    ["Python", recorded.python, "http://localhost:18093/cgi-bin/env/a/b/%C3%BC/c%20d?q=%22a+b&r"],
    ["IIS", recorded.iis, "https://example.com/cgi-bin/env.exe/a%20b"],
  ];
  for (const [name, env, url] of urls) {
    it(`${name}: the URL`, () => assert.equal(requestFromEnv(env, streamOf()).url, url));
  }

  for (const name of ["apache", "nginx", "lighttpd", "busybox", "python"] as const) {
    it(`${name}: the body, the type, the cookies`, async () => {
      const request = requestFromEnv(recorded[name], streamOf("x", "=1", "more"));
      assert.equal(request.method, "POST");
      assert.equal(request.headers.get("content-type"), "application/x-www-form-urlencoded");
      assert.equal(request.headers.get("content-length"), "3");
      assert.equal(request.headers.get("cookie"), "a=1; b=2");
      assert.equal(request.headers.get("referer"), null);
      assert.equal((await request.formData()).get("x"), "1");
    });
  }

  it("a user is one that the server has verified", () => {
    assert.deepEqual(connectionOf(recorded.apache).user, { name: "ada", scheme: "Basic" });
    for (const name of ["nginx", "lighttpd", "busybox", "python", "iis"] as const) {
      assert.equal(connectionOf(recorded[name]).user, null, name);
    }
  });

  it("the connection of a request", () => {
    const connection = connectionOf({ ...recorded.apache, http_proxy: "http://proxy/", DATABASE_URL: "x" });
    assert.deepEqual(connection.remote, { hostname: "127.0.0.1", port: 33506 });
    assert.deepEqual(connection.local, { hostname: "127.0.0.1", port: 18090 });
    assert.equal(connection.secure, false);
    assert.equal(connection.protocol, "HTTP/1.1");
    assert.equal(connection.requestId, "aSB0QX8AAAEAAF3nAAAAAAAB");
    assert.equal(connection.DATABASE_URL, "x");
    assert.equal(connection.REMOTE_ADDR, "127.0.0.1");
    assert.ok(!("http_proxy" in connection));
    const { local, secure, remote } = connectionOf(recorded.iis);
    assert.deepEqual([local, secure, remote], [
      { hostname: "192.0.2.1", port: 443 },
      true,
      { hostname: "198.51.100.7", port: 49771 },
    ]);
  });

  it("a body in chunks is read to its end where the server decodes it, and refused where it does not", async () => {
    assert.equal(await requestFromEnv(recorded.apacheChunked, streamOf("x=", "1")).text(), "x=1");
    assert.equal(refused(recorded.busyboxChunked), 411);
  });
});

describe("the host", () => {
  const cases: readonly (readonly [Environment, string])[] = [
    [{ HTTP_HOST: "Example.COM:8080" }, "http://example.com:8080"],
    [{ HTTP_HOST: "example.com:80" }, "http://example.com"],
    [{ HTTP_HOST: "example.com:" }, "http://example.com"],
    [{ HTTP_HOST: "[2001:DB8::1]:81" }, "http://[2001:db8::1]:81"],
    // Its port may be an inner one.
    [{ SERVER_PORT: "8080" }, "http://example.com"],
    [{ HTTP_HOST: "", SERVER_NAME: "inner", SERVER_PORT: "8080" }, "http://inner:8080"],
    [{ HTTP_HOST: "", SERVER_NAME: "inner", SERVER_PORT: "" }, "http://inner"],
    [{ HTTP_HOST: "", SERVER_NAME: "::1", SERVER_PORT: "80" }, "http://[::1]"],
    [{ HTTP_HOST: "", SERVER_NAME: "[::1]", SERVER_PORT: "81" }, "http://[::1]:81"],
    [{ HTTP_HOST: "", SERVER_NAME: "a b" }, "http://localhost"],
    [{ HTTP_HOST: "" }, "http://localhost"],
    [{ HTTPS: "on" }, "https://example.com"],
    [{ HTTPS: "ON" }, "https://example.com"],
    [{ HTTPS: "1" }, "https://example.com"],
    [{ HTTPS: "off" }, "http://example.com"],
    [{ HTTPS: "off", SERVER_PORT_SECURE: "0" }, "http://example.com"],
    [{ SERVER_PORT_SECURE: "1" }, "https://example.com"],
    [{ REQUEST_SCHEME: "https" }, "https://example.com"],
    [{ HTTPS: "on", HTTP_HOST: "", SERVER_NAME: "inner", SERVER_PORT: "443" }, "https://inner"],
    [{ HTTP_X_FORWARDED_PROTO: "https", HTTP_X_FORWARDED_HOST: "evil" }, "http://example.com"],
  ];
  for (const [env, origin] of cases) {
    it(`${JSON.stringify(env)} is ${origin}`, () => assert.equal(urlOf(env), `${origin}/s`));
  }

  for (
    const host of [
      "example.com@other.com",
      "a/b",
      "a b",
      "a\\b",
      "a?b",
      "a#b",
      "x:99999",
      "[::1",
      "256.256.256.256",
    ]
  ) {
    it(`${host} is none`, () => assert.equal(refused({ HTTP_HOST: host }), 400));
  }

  it("is what trusted proxies say", () => {
    const env = {
      REMOTE_ADDR: "10.0.0.1",
      HTTP_X_FORWARDED_FOR: "198.51.100.7",
      HTTP_X_FORWARDED_PROTO: "https",
      HTTP_X_FORWARDED_HOST: "public.example",
    };
    const options = { trustedProxies: ["10.0.0.0/8"] };
    assert.equal(urlOf(env, options), "https://public.example/s");
    const { remote, secure } = connectionOf({ ...plain, ...env }, options);
    assert.deepEqual([remote, secure], [{ hostname: "198.51.100.7", port: 0 }, true]);
    assert.equal(urlOf({ ...env, REMOTE_ADDR: "192.0.2.1" }, options), "http://example.com/s");
    assert.throws(() => urlOf(env, { trustedProxies: ["x"] }), TypeError);
  });
});

describe("the path", () => {
  const cases: readonly (readonly [Environment, string])[] = [
    [{ SCRIPT_NAME: "" }, "/"],
    [{ SCRIPT_NAME: "", PATH_INFO: "/a" }, "/a"],
    [{ SCRIPT_NAME: "/", PATH_INFO: "" }, "/"],
    [{ SCRIPT_NAME: "/", PATH_INFO: "/a" }, "/a"],
    [{ SCRIPT_NAME: "/s/", PATH_INFO: "" }, "/s/"],
    [{ PATH_INFO: "/a b?c#d%41\\e" }, "/s/a%20b%3Fc%23d%2541%5Ce"],
    [{ PATH_INFO: "/a;b=c&d,e+f@g:h!$'()*" }, "/s/a;b=c&d,e+f@g:h!$'()*"],
    [{ PATH_INFO: "//evil.example/x" }, "/s//evil.example/x"],
    [{ SCRIPT_NAME: "", PATH_INFO: "//evil.example/x" }, "//evil.example/x"],
    // No dot leads out of the script.
    [{ PATH_INFO: "/../../admin" }, "/s/admin"],
    [{ PATH_INFO: "/%2e%2e/admin" }, "/s/%252e%252e/admin"],
    [{ PATH_INFO: "/\u65e5" }, "/s/%E6%97%A5"],
    // Bytes that are no UTF-8, as surrogates.
    [{ PATH_INFO: "/\udcff\u00fc\udcc3x" }, "/s/%FF%C3%BC%C3x"],
    // REQUEST_URI, where it means the same.
    [{ PATH_INFO: "/a/b", REQUEST_URI: "/s/a%2fb" }, "/s/a%2fb"],
    [{ PATH_INFO: "/ab", REQUEST_URI: "/%73/%61b?x" }, "/%73/%61b?x"],
    [{ PATH_INFO: "/a", REQUEST_URI: "http://other.com/s/a" }, "/s/a"],
    [{ PATH_INFO: "/c", REQUEST_URI: "/s/a/../c" }, "/s/c"],
    [{ PATH_INFO: "/\udcff", REQUEST_URI: "/s/%FF" }, "/s/%FF"],
    [{ PATH_INFO: "/a", REQUEST_URI: "/public/a" }, "/s/a"],
    [{ PATH_INFO: "/a", REQUEST_URI: "@other.com/p" }, "/s/a"],
    [{ PATH_INFO: "/a", REQUEST_URI: "//other.com/s/a" }, "/s/a"],
    [{ PATH_INFO: "/a", REQUEST_URI: "/s%2Fa" }, "/s/a"],
    [{ PATH_INFO: "/a", REQUEST_URI: "*" }, "/s/a"],
    // IIS alone repeats the script's path.
    [{ PATH_INFO: "/s/a", SERVER_SOFTWARE: "Microsoft-IIS/10.0" }, "/s/a"],
    [{ PATH_INFO: "/s", SERVER_SOFTWARE: "Microsoft-IIS/10.0" }, "/s"],
    [{ PATH_INFO: "/sx", SERVER_SOFTWARE: "Microsoft-IIS/10.0" }, "/s/sx"],
    [{ PATH_INFO: "/s/a", SERVER_SOFTWARE: "Apache" }, "/s/s/a"],
  ];
  for (const [env, path] of cases) {
    it(`${JSON.stringify(env)} is ${path}`, () => assert.equal(urlOf(env), `http://example.com${path}`));
  }

  it("is refused when it is none", () => {
    assert.equal(refused({ PATH_INFO: "a" }), 400);
    assert.equal(refused({ SCRIPT_NAME: "@other.com" }), 400);
    // What stands for bytes that the runtime hides.
    assert.equal(refused({ PATH_INFO: "\ufffd" }), 400);
  });

  it("begins with `basePath` where that is given", () => {
    const env = { SCRIPT_NAME: "/cgi-bin/s", PATH_INFO: "/a", REQUEST_URI: "/api/a" };
    assert.equal(urlOf(env), "http://example.com/cgi-bin/s/a");
    assert.equal(urlOf(env, { basePath: "/api" }), "http://example.com/api/a");
    assert.equal(urlOf(env, { basePath: "/api/" }), "http://example.com/api/a");
    assert.equal(urlOf(env, { basePath: "" }), "http://example.com/cgi-bin/s/a");
    // A server that says the whole path in SCRIPT_NAME.
    const whole = { SCRIPT_NAME: "/api/a", PATH_INFO: "" };
    assert.equal(urlOf(whole, { basePath: "/api" }), "http://example.com/api/a");
    assert.equal(readRequest({ ...plain, ...whole }, { basePath: "/api" }).url.pathInfo, "/a");
    assert.equal(urlOf({ SCRIPT_NAME: "/apis" }, { basePath: "/api" }), "http://example.com/api");
  });
});

describe("the query", () => {
  const cases: readonly (readonly [Environment, string])[] = [
    [{ QUERY_STRING: "a=b+c&d=%zz;%2F?" }, "?a=b+c&d=%zz;%2F?"],
    [{ QUERY_STRING: "" }, ""],
    [{ QUERY_STRING: "a#b" }, "?a%23b"],
    [{ QUERY_STRING: "\u00fc \udcff" }, "?%C3%BC%20%FF"],
    [{ REQUEST_URI: "/s?a=b" }, "?a=b"],
    [{ REQUEST_URI: "/s?a=b", QUERY_STRING: "" }, ""],
  ];
  for (const [env, query] of cases) {
    it(`${JSON.stringify(env)} is ${query}`, () => assert.equal(urlOf(env), `http://example.com/s${query}`));
  }
});

describe("the fields", () => {
  it("are the HTTP_ variables, each byte a character", () => {
    const headers = headersOf({
      HTTP_FOO_BAR: "baz",
      HTTP_X_UMLAUT: "\u00fc\udcff",
      HTTP_EMPTY: "",
      HTTP_BAD: "a\r\nb: c",
      HTTP_: "x",
      "HTTP_A B": "x",
    });
    assert.equal(headers.get("foo-bar"), "baz");
    assert.equal(headers.get("x-umlaut"), "\u00c3\u00bc\u00ff");
    assert.deepEqual([...headers.keys()].sort(), ["foo-bar", "host", "x-umlaut"]);
  });

  it("never hold what would be a proxy, or a coding that the server has removed", () => {
    const headers = headersOf({
      HTTP_PROXY: "http://evil/",
      HTTP_TRANSFER_ENCODING: "chunked",
      CONTENT_LENGTH: "0",
      HTTP_CONTENT_LENGTH: "7",
    });
    assert.deepEqual([...headers], [["content-length", "0"], ["host", "example.com"]]);
  });

  it("have Authorization from where a rewriting has put it", () => {
    assert.equal(
      headersOf({ HTTP_AUTHORIZATION: "a", REDIRECT_HTTP_AUTHORIZATION: "b" }).get("authorization"),
      "a",
    );
    assert.equal(headersOf({ REDIRECT_HTTP_AUTHORIZATION: "b" }).get("authorization"), "b");
    assert.equal(headersOf({ REDIRECT_REDIRECT_HTTP_AUTHORIZATION: "c" }).get("authorization"), "c");
  });
});

describe("the body", () => {
  const post = { ...plain, REQUEST_METHOD: "POST" };

  it("is no more than CONTENT_LENGTH, and the rest is left alone", async () => {
    let pulled = 0;
    let isCancelled = false;
    const stdin = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new TextEncoder().encode("abc"));
      },
      cancel() {
        isCancelled = true;
      },
    }, { highWaterMark: 0 });
    const request = requestFromEnv({ ...post, CONTENT_LENGTH: "5" }, stdin);
    assert.equal(pulled, 0);
    assert.equal(await request.text(), "abcab");
    assert.equal(pulled, 2);
    assert.ok(isCancelled);
  });

  it("fails when it ends before that", async () => {
    await assert.rejects(
      requestFromEnv({ ...post, CONTENT_LENGTH: "5" }, streamOf("abc")).text(),
      /ended after 3 of 5 bytes/,
    );
  });

  it("is absent without a length", () => {
    for (const CONTENT_LENGTH of ["", "0", "00"]) {
      const request = requestFromEnv({ ...post, CONTENT_LENGTH }, streamOf("abc"));
      assert.equal(request.body, null, CONTENT_LENGTH);
    }
    assert.equal(requestFromEnv(post, streamOf("abc")).body, null);
    assert.equal(requestFromEnv({ ...plain, CONTENT_LENGTH: "3" }, streamOf("abc")).body, null);
  });

  it("of a length that is none is refused", () => {
    for (const length of ["-1", "1.5", "0x10", "1e3", "99999999999999999999", " 3"]) {
      assert.equal(refused({ REQUEST_METHOD: "POST", CONTENT_LENGTH: length }), 400, length);
    }
  });
});

describe("the method", () => {
  it("is any that a Request may have", () => {
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
      assert.equal(requestFromEnv({ ...plain, REQUEST_METHOD: method }, null).method, method);
    }
    for (const method of ["CONNECT", "TRACE", "a b"]) {
      assert.equal(refused({ REQUEST_METHOD: method }), 501, method);
    }
    assert.equal(refused({ REQUEST_METHOD: "" }), 400);
    // Bun would make GET of it.
    if ("Bun" in globalThis) assert.equal(refused({ REQUEST_METHOD: "BREW" }), 501);
    else assert.equal(requestFromEnv({ ...plain, REQUEST_METHOD: "BREW" }, null).method, "BREW");
  });
});

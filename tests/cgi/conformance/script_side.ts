/**
 * Group K: the script's side.
 *
 * @module
 */

import assert from "node:assert/strict";
import { scriptConnection } from "../../../src/script/connection.ts";
import { requestFromEnv, ScriptRequestError, writeResponse } from "../../../src/script/mod.ts";
import { readRequest } from "../../../src/script/request.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { runModule } from "../../_runtime.ts";
import { serveScripts } from "../_served.ts";

type Environment = Readonly<Record<string, string>>;

const PLAIN: Environment = {
  SERVER_PROTOCOL: "HTTP/1.1",
  REQUEST_METHOD: "GET",
  HTTP_HOST: "example.com",
  REQUEST_URI: "/path?a=b",
  SCRIPT_NAME: "/path",
  QUERY_STRING: "a=b",
};

function urlOf(env: Environment): string {
  return requestFromEnv({ ...PLAIN, ...env }, null).url;
}

function remoteOf(env: Environment): unknown {
  return scriptConnection(env, readRequest(env, {}), "").remote;
}

/** The head of a response as the script writes it. */
async function headOf(body: BodyInit): Promise<string> {
  const decoder = new TextDecoder("latin1");
  let text = "";
  const response = new Response(body);
  response.headers.delete("content-type");
  await writeResponse(
    response,
    new WritableStream({
      write(bytes) {
        text += decoder.decode(bytes);
      },
    }),
  );
  return text.slice(0, text.indexOf("\r\n\r\n") + 2);
}

interface Report {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly remote: { readonly hostname: string; readonly port: number } | null;
  readonly proxy: string | null;
}

/** What a program that runs as a script of this server says of a request. */
async function hosted(path: string, env: Environment, ...headers: string[]): Promise<Report> {
  // The compiled tests have another extension.
  const extension = /\.[a-z]+$/.exec(import.meta.url)?.[0] ?? ".ts";
  const [script = "", ...args] = runModule(new URL(`./_script_program${extension}`, import.meta.url), []);
  const server = await serveScripts({ script, args, env, inheritEnv: ["HOME"] });
  try {
    const { status, body } = await server.get(path, ...headers);
    assert.equal(status, 200, server.messages().join("\n"));
    return JSON.parse(new TextDecoder().decode(body as Uint8Array)) as Report;
  } finally {
    await server.close();
  }
}

/** `runAsCgi()`. */
export const scriptCases: ConformanceSection = {
  title: "K. The script's side",
  cases: [
    test(
      "K1",
      "T",
      "SERVER_PROTOCOL, REQUEST_METHOD, HTTP_HOST, REQUEST_URI, CONTENT_LENGTH, CONTENT_TYPE, HTTP_FOO_BAR, REMOTE_ADDR, REMOTE_PORT",
      "a Request with that URL, those headers and that client",
      () => {
        const env = {
          ...PLAIN,
          CONTENT_LENGTH: "123",
          CONTENT_TYPE: "text/xml",
          HTTP_FOO_BAR: "baz",
          REMOTE_ADDR: "5.6.7.8",
          REMOTE_PORT: "54321",
        };
        const { method, url, headers } = requestFromEnv(env, null);
        assert.deepEqual([method, url], ["GET", "http://example.com/path?a=b"]);
        assert.equal(headers.get("foo-bar"), "baz");
        assert.equal(headers.get("content-length"), "123");
        assert.equal(headers.get("content-type"), "text/xml");
        assert.deepEqual(remoteOf(env), { hostname: "5.6.7.8", port: 54321 });
      },
    ),
    test("K2", "T", "HTTPS=1, on, ON", "an https URL", () => {
      for (const HTTPS of ["1", "on", "ON"]) assert.equal(urlOf({ HTTPS }), "https://example.com/path?a=b");
    }),
    test("K3", "T", "HTTP_HOST empty", "the URL's path is right, its host is SERVER_NAME", () => {
      assert.equal(urlOf({ HTTP_HOST: "", SERVER_NAME: "inner.test" }), "http://inner.test/path?a=b");
    }),
    test(
      "K4",
      "T",
      "no REQUEST_URI",
      "the URL is made from SCRIPT_NAME, PATH_INFO and QUERY_STRING",
      () => {
        const { REQUEST_URI: _, ...env } = PLAIN;
        const given = {
          ...env,
          SCRIPT_NAME: "/dir/scriptname",
          PATH_INFO: "/p1/p2",
          QUERY_STRING: "a=1&b=2",
        };
        assert.equal(requestFromEnv(given, null).url, "http://example.com/dir/scriptname/p1/p2?a=1&b=2");
      },
    ),
    test("K5", "T", "no REMOTE_PORT", "port 0", () => {
      assert.deepEqual(remoteOf({ ...PLAIN, REMOTE_ADDR: "5.6.7.8" }), { hostname: "5.6.7.8", port: 0 });
    }),
    test(
      "K6",
      "T",
      "a response without a Content-Type",
      "none is guessed from the bytes, whatever they look like",
      async () => {
        for (const body of ["<html>", "text", "\xff\xd8\xff"]) {
          assert.doesNotMatch(await headOf(body), /content-type: *(text\/html|image)/i);
        }
      },
    ),
    test("K7", "T", "this server runs itself as its script", "the values of A1", async () => {
      const { method, url, headers, remote } = await hosted("/test.cgi?foo=bar&a=b", {}, "X-Test: 1");
      assert.equal(method, "GET");
      assert.match(url, /^http:\/\/[^/]+\/test\.cgi\?foo=bar&a=b$/);
      assert.equal(headers["x-test"], "1");
      assert.equal(new URL(url).host, headers["host"]);
      assert.equal(remote?.hostname, "127.0.0.1");
      assert.ok(remote.port > 0);
    }),
    test(
      "K8",
      "T",
      "HTTP_HOST=example.com@other.com, REQUEST_URI=@other.com/p",
      "the host is never other.com",
      () => {
        assert.throws(() => urlOf({ HTTP_HOST: "example.com@other.com" }), ScriptRequestError);
        assert.equal(new URL(urlOf({ REQUEST_URI: "@other.com/p" })).host, "example.com");
      },
    ),
    test(
      "K9",
      "T",
      "HTTP_PROXY and REQUEST_METHOD set",
      "the program's own requests ignore HTTP_PROXY",
      async () => {
        const { proxy, headers } = await hosted("/", { HTTP_PROXY: "http://evil.test/" });
        assert.equal(proxy, null);
        assert.equal(headers["proxy"], undefined);
      },
    ),
    test("K10", "T", "bytes in PATH_INFO that are not UTF-8", "recoverable", () => {
      assert.equal(
        urlOf({ SCRIPT_NAME: "/s", PATH_INFO: "/\udcff", REQUEST_URI: "" }),
        "http://example.com/s/%FF?a=b",
      );
    }),
    test(
      "K11",
      "T",
      "a PATH_INFO that repeats SCRIPT_NAME",
      "the prefix is removed where the server is IIS",
      () => {
        const env = { SCRIPT_NAME: "/s", PATH_INFO: "/s/a", REQUEST_URI: "" };
        assert.equal(urlOf({ ...env, SERVER_SOFTWARE: "Microsoft-IIS/10.0" }), "http://example.com/s/a?a=b");
        assert.equal(urlOf({ ...env, SERVER_SOFTWARE: "Apache" }), "http://example.com/s/s/a?a=b");
      },
    ),
  ],
};

/** What CPython's own tests held its CGI server to (Lib/test/test_httpservers.py, CGIHTTPServerTestCase). */

import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { exchange, get, requestHead } from "../_http.ts";
import { missingProgram } from "./_command.ts";
import { type ServedSite, serveSite } from "./_served_site.ts";

const SOURCE = /A line of source/;

describe(
  "the CGI cases of Python's http.server",
  { skip: await missingProgram("python3", "-c", "1") },
  () => {
    let server: ServedSite;

    before(async () => {
      server = await serveSite("python", {
        user: null,
        directories: ["cgi-bin", "htbin", "sub/dir/cgi-bin"],
      });
    });
    after(() => server.close());

    async function environment(path: string, ...headers: string[]): Promise<Record<string, string>> {
      const response = await exchange(server, get(path, ...headers));
      assert.equal(response.status, 200);
      return JSON.parse(response.text);
    }

    it("test_headers_and_content", async () => {
      const response = await exchange(server, get("/cgi-bin/file1.py"));
      assert.equal(response.status, 200);
      assert.equal(response.header("content-type"), "text/html");
      assert.equal(response.text, "Hello World\n");
    });

    it("test_issue19435: nothing outside of the CGI area runs on the way", async () => {
      const started = server.log.length;
      const response = await exchange(server, get("///////////nocgi.py/../cgi-bin/nothere.sh"));
      assert.equal(response.status, 404);
      assert.doesNotMatch(response.text, /Hello World/);
      assert.ok(server.log.slice(started).every(({ type }) => type !== "script-exit"));
    });

    it("test_post", async () => {
      const response = await fetch(`${server.url}cgi-bin/file2.py`, {
        method: "POST",
        body: new URLSearchParams({ spam: "1", eggs: "python", bacon: "123456" }),
      });
      assert.equal(await response.text(), "1, python, 123456\n");
    });

    it("test_large_content_length", async () => {
      for (let exponent = 15; exponent < 25; exponent++) {
        const size = 2 ** exponent;
        const response = await fetch(`${server.url}cgi-bin/length.py`, {
          method: "POST",
          body: new Uint8Array(size),
        });
        assert.equal(await response.text(), `${size} ${size}\n`);
      }
    });

    it("test_invaliduri", async () => {
      assert.equal((await exchange(server, get("/cgi-bin/invalid"))).status, 404);
    });

    it("test_authorization: withheld from scripts unless asked for", async () => {
      // Python verified nothing either, yet told scripts of a user. Nobody is told of one that nobody has checked.
      const credentials = btoa("username:pass");
      const env = await environment("/cgi-bin/env.py", `Authorization: Basic ${credentials}`);
      assert.deepEqual(
        ["HTTP_AUTHORIZATION", "AUTH_TYPE", "REMOTE_USER"].map((name) => env[name]),
        [undefined, undefined, undefined],
      );
      assert.equal(
        (await exchange(server, get("/cgi-bin/file1.py", `Authorization: Basic ${credentials}`))).status,
        200,
      );
    });

    it("test_no_leading_slash: a target that is no path runs nothing by accident and shows no source", async () => {
      const response = await exchange(server, get("cgi-bin/file1.py"));
      assert.ok(response.status === 400 || response.text === "Hello World\n", response.head);
      assert.doesNotMatch(response.text, SOURCE);
    });

    it("test_os_environ_is_not_altered", async () => {
      const before = { ...process.env };
      process.env["SERVER_SOFTWARE"] = "untouched";
      try {
        const env = await environment("/cgi-bin/env.py");
        assert.match(env["SERVER_SOFTWARE"] ?? "", /^htbin\//);
        assert.equal(process.env["SERVER_SOFTWARE"], "untouched");
      } finally {
        delete process.env["SERVER_SOFTWARE"];
      }
      assert.deepEqual({ ...process.env }, before);
    });

    it("test_urlquote_decoding_in_cgi_check: an encoded slash never shows the source", async () => {
      for (
        const path of [
          "/cgi-bin%2ffile1.py",
          "/cgi-bin%2Ffile1.py",
          "/%63gi-bin/file1.py",
          "/cgi-bin/file1%2Epy",
        ]
      ) {
        const response = await exchange(server, get(path));
        assert.ok(response.status === 404 || response.text === "Hello World\n", path);
        assert.doesNotMatch(response.text, SOURCE);
      }
    });

    it("test_nested_cgi_path_issue21323", async () => {
      const response = await exchange(server, get("/cgi-bin/child-dir/file3.py"));
      assert.equal(response.status, 200);
      assert.equal(response.text, "Hello World\n");
    });

    it("test_cgi_path_in_sub_directories", async () => {
      const response = await exchange(server, get("/sub/dir/cgi-bin/file5.py"));
      assert.equal(response.status, 200);
      assert.equal(response.text, "Hello World\n");
    });

    it("test_query_with_multiple_question_mark", async () => {
      assert.equal((await environment("/cgi-bin/env.py?a=b?c=d"))["QUERY_STRING"], "a=b?c=d");
    });

    it("test_query_with_continuous_slashes", async () => {
      const query = "k=aa%2F%2Fbb&//q//p//=//a//b//";
      assert.equal((await environment(`/cgi-bin/env.py?${query}`))["QUERY_STRING"], query);
    });

    it("test_accept", async () => {
      const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
      assert.equal((await environment("/cgi-bin/env.py", `Accept: ${browser}`))["HTTP_ACCEPT"], browser);
      assert.equal((await environment("/cgi-bin/env.py"))["HTTP_ACCEPT"] ?? "", "");
      const both = await environment("/cgi-bin/env.py", "Accept: text/html", "ACCEPT: text/plain");
      assert.match(both["HTTP_ACCEPT"] ?? "", /^text\/html, ?text\/plain$/);
    });

    it("do_POST outside of the CGI areas is 501", async () => {
      for (const path of ["/nocgi.py", "/nowhere", "/"]) {
        const response = await exchange(server, requestHead("POST", path, "Content-Length: 0"));
        assert.equal(response.status, 501, path);
        assert.match(response.text, /Can only POST to CGI scripts/);
      }
    });

    it("a folder in a CGI area is 403, as is the area itself", async () => {
      for (const path of ["/cgi-bin/child-dir", "/cgi-bin/child-dir/", "/cgi-bin/"]) {
        assert.equal((await exchange(server, get(path))).status, 403, path);
      }
    });
  },
);

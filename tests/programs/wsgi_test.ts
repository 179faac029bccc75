/**
 * A WSGI application under Python's `wsgiref.handlers.CGIHandler`.
 *
 * The application is wrapped in `wsgiref.validate.validator`, so the environment that each request gets is also checked
 * against PEP 3333: a violation is a 500.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, get, requestHead, toLatin1 } from "../_http.ts";
import { missingProgram } from "./_command.ts";
import { type ServedSite, serveSite } from "./_served_site.ts";

describe(
  "wsgiref's CGIHandler",
  { skip: await missingProgram("python3", "-c", "import wsgiref.handlers") },
  () => {
    let server: ServedSite;
    const app = (path: string) => `${server.url}cgi-bin/app.py${path}`;

    before(async () => {
      server = await serveSite("wsgi");
    });
    after(() => server.close());

    it("gets an environment that it can rebuild the URL from", async () => {
      for (const path of ["", "/", "/a/b", "/caf%C3%A9", "/a%20b;c=d", "/a%2Fb"]) {
        const response = await fetch(app(`${path}?x=1&y=%2F`));
        const environ = await response.json();
        assert.equal(response.status, 200, path);
        assert.equal(environ.SCRIPT_NAME, "/cgi-bin/app.py");
        assert.equal(environ.QUERY_STRING, "x=1&y=%2F");
        assert.equal(environ["wsgi.url_scheme"], "http");
        // WSGI has the decoded path only: an encoded slash cannot be told from a plain one.
        assert.equal(environ.request_uri, app(`${path.replace("%2F", "/")}?x=1&y=%2F`));
      }
    });

    it("gets the request's headers", async () => {
      const response = await fetch(app("/headers"), {
        headers: { "x-custom": "one", "accept-language": "de", cookie: "a=1; b=2" },
      });
      const environ = await response.json();
      assert.equal(environ.HTTP_X_CUSTOM, "one");
      assert.equal(environ.HTTP_ACCEPT_LANGUAGE, "de");
      assert.equal(environ.HTTP_COOKIE, "a=1; b=2");
      assert.equal(environ.HTTP_HOST, `127.0.0.1:${server.port}`);
    });

    it("reads a form", async () => {
      const response = await fetch(app("/form"), {
        method: "POST",
        body: new URLSearchParams({ name: "Grüße & Küsse", empty: "", again: "x" }),
      });
      assert.equal(response.headers.get("x-method"), "POST");
      assert.deepEqual(await response.json(), { name: ["Grüße & Küsse"], again: ["x"] });
    });

    it("sets several cookies", async () => {
      const response = await fetch(app("/cookies"));
      assert.deepEqual(response.headers.getSetCookie(), [
        "first=1; Path=/",
        "second=2; Path=/; HttpOnly",
        'third="a,b"; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT',
      ]);
      await response.text();
    });

    it("chooses the status", async () => {
      const missing = await fetch(app("/missing"));
      assert.equal(missing.status, 404);
      assert.equal(await missing.text(), "The application found nothing");
      const teapot = await fetch(app("/teapot"));
      assert.equal(teapot.status, 418);
      assert.equal(await teapot.text(), "short and stout");
      const redirect = await fetch(app("/redirect"), { redirect: "manual" });
      assert.equal(redirect.status, 302);
      assert.equal(redirect.headers.get("location"), "http://elsewhere.example/");
      await redirect.text();
    });

    it("streams: each part of the answer is here before the next part of the request is sent", async () => {
      const connection = await connect(server);
      try {
        const head = requestHead("POST", "/cgi-bin/app.py/stream", "Content-Length: 3", "Connection: close");
        await connection.send(head + "a");
        let seen = toLatin1((await receivedUntil(connection, "<a>")).bytes);
        assert.match(seen, /^HTTP\/1\.1 200 /);
        for (const letter of ["b", "c"]) {
          await connection.send(letter);
          seen = toLatin1((await receivedUntil(connection, `<${letter}>`)).bytes);
        }
        assert.match(seen, /<a>[^]*<b>[^]*<c>/);
      } finally {
        connection.close();
      }
    });

    it("sends a large answer whole, and its head alone to HEAD", async () => {
      const response = await fetch(app("/large"));
      const bytes = new Uint8Array(await response.arrayBuffer());
      assert.equal(bytes.length, 4 << 20);
      assert.ok(bytes.every((byte, index) => byte === Math.floor(index / 65536)));
      const connection = await connect(server);
      try {
        await connection.send(requestHead("HEAD", "/cgi-bin/app.py/large"));
        const head = await connection.response({ method: "HEAD" });
        assert.equal(head.status, 200);
        assert.equal(head.body.length, 0);
        // The connection is in order: the next request gets its own answer.
        await connection.send(get("/cgi-bin/app.py/missing"));
        assert.equal((await connection.response()).status, 404);
      } finally {
        connection.close();
      }
    });

    it("answers 500 for an application that fails, with the traceback in the log alone", async () => {
      const response = await fetch(app("/fail"));
      assert.equal(response.status, 500);
      assert.doesNotMatch(await response.text(), /on purpose|Traceback/);
      const event = await server.logged("script-stderr", ({ line }) => line.includes("on purpose"));
      assert.match(event.script, /app\.py$/);
    });
  },
);

/** Waits until the unread bytes hold the text, and leaves them unread. */
async function receivedUntil(
  connection: Awaited<ReturnType<typeof connect>>,
  text: string,
): Promise<{ bytes: Uint8Array }> {
  for (let length = 1;;) {
    const bytes = await connection.received(length);
    if (toLatin1(bytes).includes(text)) return { bytes };
    length = bytes.length + 1;
  }
}

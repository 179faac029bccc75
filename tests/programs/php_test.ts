/** `php-cgi` as the interpreter of `.php` files. */

import assert from "node:assert/strict";
import { createHash, randomFillSync } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { missingProgram } from "./_command.ts";
import { type ServedSite, serveSite } from "./_served_site.ts";

describe("php-cgi", { skip: await missingProgram("php-cgi", "-v") }, () => {
  let server: ServedSite;
  const app = (path: string) => `${server.url}app.php${path}`;

  before(async () => {
    server = await serveSite("php", {
      user: null,
      directories: [],
      extensions: [".php"],
      interpreters: { ".php": "php-cgi" },
    });
  });
  after(() => server.close());

  it("answers GET with what the URL says", async () => {
    const response = await fetch(app("/extra/path?name=A%26B&list[]=1&list[]=2"), {
      headers: { cookie: "a=1; b=2" },
    });
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.deepEqual(await response.json(), {
      get: { name: "A&B", list: ["1", "2"] },
      post: [],
      cookie: { a: "1", b: "2" },
      sapi: "cgi-fcgi",
      file: "app.php",
      method: "GET",
      script: "/app.php",
      self: "/app.php/extra/path",
      path: "/extra/path",
      uri: "/app.php/extra/path?name=A%26B&list[]=1&list[]=2",
    });
  });

  it("answers POST with the form's fields", async () => {
    const response = await fetch(app(""), { method: "POST", body: new URLSearchParams({ name: "Grüße" }) });
    const answer = await response.json();
    assert.deepEqual(answer.post, { name: "Grüße" });
    assert.equal(answer.method, "POST");
    assert.equal(answer.path, null);
  });

  it("takes an upload", async () => {
    const content = randomFillSync(new Uint8Array(1024 * 1024));
    const body = new FormData();
    body.set("note", "a note");
    body.set("file", new Blob([content]), "random.bin");
    const response = await fetch(app("/upload"), { method: "POST", body });
    assert.deepEqual(await response.json(), {
      name: "random.bin",
      size: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
      note: "a note",
    });
  });

  it("reads a body of unknown length", async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const part of ["one ", "two ", "three"]) controller.enqueue(new TextEncoder().encode(part));
        controller.close();
      },
    });
    const init = { method: "POST", body, duplex: "half", headers: { "content-type": "text/plain" } };
    const response = await fetch(app("/input"), init as RequestInit);
    assert.equal(await response.text(), "eerht owt eno");
  });

  it("chooses status, redirect and cookies", async () => {
    const gone = await fetch(app("/status"));
    assert.equal(gone.status, 410);
    assert.equal(await gone.text(), "gone");
    const redirect = await fetch(app("/redirect"), { redirect: "manual" });
    assert.equal(redirect.status, 303);
    assert.equal(redirect.headers.get("location"), "http://elsewhere.example/");
    await redirect.text();
    const cookies = await fetch(app("/cookies"));
    assert.deepEqual(cookies.headers.getSetCookie(), ["first=1", "second=2; HttpOnly"]);
    await cookies.text();
  });

  it("answers 500 for a program that fails", async () => {
    const response = await fetch(app("/fatal"));
    assert.equal(response.status, 500);
    // PHP then ends with status 255. It has said that it failed, so the transfer is none the worse for it.
    assert.doesNotMatch(await response.text(), /nowhere/);
    await server.logged("script-stderr", ({ line }) => line.includes("nowhere"));
  });

  it("is never bypassed: the source of a .php file is not sent", async () => {
    for (const path of ["app.php", "app.php/", "app.php%20", "APP.PHP", "app.php?-s", "app.php?-s+x"]) {
      const response = await fetch(`${server.url}${path}`);
      assert.doesNotMatch(await response.text(), /switch|<\?php/, path);
    }
  });
});

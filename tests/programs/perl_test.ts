/** Scripts in Perl, the language that CGI grew up with. */

import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { connect, exchange, get, requestHead, toLatin1 } from "../_http.ts";
import { missingProgram } from "./_command.ts";
import { type ServedSite, serveSite } from "./_served_site.ts";

describe("Perl scripts", { skip: await missingProgram("perl", "-e", "1") }, () => {
  let server: ServedSite;
  const script = (path: string) => `${server.url}cgi-bin/${path}`;

  before(async () => {
    server = await serveSite("perl");
  });
  after(() => server.close());

  it("see the request", async () => {
    const response = await fetch(script("env.pl/one/two?a=%3Cb%3E"), { headers: { "x-greeting": "Grüße" } });
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    const lines = (await response.text()).split("\n");
    for (
      const line of [
        "GATEWAY_INTERFACE=CGI/1.1",
        "PATH_INFO=/one/two",
        "QUERY_STRING=a=%3Cb%3E",
        "REMOTE_ADDR=127.0.0.1",
        "REQUEST_METHOD=GET",
        "REQUEST_URI=/cgi-bin/env.pl/one/two?a=%3Cb%3E",
        "SCRIPT_NAME=/cgi-bin/env.pl",
        `SERVER_PORT=${server.port}`,
        "SERVER_PROTOCOL=HTTP/1.1",
      ]
    ) {
      assert.ok(lines.includes(line), `${line} is missing in\n${lines.join("\n")}`);
    }
  });

  it("give a body back bit by bit, whatever is in it", async () => {
    const body = randomFillSync(new Uint8Array(3 * 1024 * 1024 + 1));
    const response = await fetch(script("echo.pl"), {
      method: "PUT",
      body,
      headers: { "content-type": "application/x-anything" },
    });
    assert.equal(response.headers.get("x-was"), "application/x-anything");
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body);
  });

  it("may print the whole response, status line included", async () => {
    const response = await exchange(server, get("/cgi-bin/nph-whole.pl"));
    assert.equal(response.status, 203);
    assert.equal(response.text, "all of it\n");
    assert.equal(response.header("content-type"), "text/plain");
  });

  it("redirect the client", async () => {
    const response = await fetch(script("redirect.pl"), { redirect: "manual" });
    assert.equal(response.status, 302);
    assert.equal(response.headers.get("location"), "http://elsewhere.example/");
    await response.text();
  });

  it("redirect the server, which then asks the other script with GET and without the body", async () => {
    const response = await fetch(script("redirect.pl?local"), {
      method: "POST",
      body: "gone",
      redirect: "manual",
    });
    const text = await response.text();
    assert.equal(response.status, 200);
    assert.match(text, /^PATH_INFO=\/from\/redirect$/m);
    assert.match(text, /^QUERY_STRING=a=b$/m);
    assert.match(text, /^REQUEST_METHOD=GET$/m);
    assert.doesNotMatch(text, /^CONTENT_LENGTH=/m);
  });

  it("that die before they have said anything are a 502, and the log has what they said", async () => {
    const response = await fetch(script("die.pl?before"));
    assert.equal(response.status, 502);
    assert.doesNotMatch(await response.text(), /before the head/);
    const event = await server.logged("script-stderr", ({ line }) => line === "before the head");
    assert.match(event.script, /die\.pl$/);
  });

  it("that die in the middle are a broken transfer, never a short page", async () => {
    const connection = await connect(server);
    try {
      await connection.send(requestHead("POST", "/cgi-bin/die.pl?after", "Content-Length: 1"));
      assert.equal((await connection.head()).status, 200);
      await connection.received("half of the ".length);
      // The script waits for this.
      await connection.send("!");
      const end = await connection.ended();
      const rest = toLatin1(connection.take());
      assert.match(rest, /half of the /);
      assert.doesNotMatch(rest, /\r\n0\r\n\r\n$/, `ended by ${end}, and looks whole`);
    } finally {
      connection.close();
    }
    await server.logged("script-stderr", ({ line }) => line === "after the head");
  });

  it("that die on the heels of their head never look like a success either", async () => {
    const response = await exchange(server, get("/cgi-bin/die.pl?after")).catch((error) => String(error));
    if (typeof response === "string") assert.match(response, /The connection ended/);
    else assert.ok(!response.complete || response.status >= 500, response.head);
  });

  it("may write to standard error and still answer", async () => {
    const response = await fetch(script("die.pl?warn"));
    assert.equal(await response.text(), "half of the page\n");
    await server.logged("script-stderr", ({ line }) => line === "a warning");
  });
});

/** The `Host` field: a host, or a request that is refused. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parseHost } from "../src/host.ts";
import { serve, type Server } from "../src/serve.ts";
import { connect } from "./_http.ts";
import { runtime } from "./_runtime.ts";

describe("parseHost()", () => {
  const cases: readonly (readonly [string, string | null, number | null])[] = [
    ["example.com", "example.com", null],
    ["Example.COM:80", "example.com", 80],
    ["example.com:", "example.com", null],
    ["my_host-1.", "my_host-1.", null],
    ["127.0.0.1:8000", "127.0.0.1", 8000],
    ["[::1]", "[::1]", null],
    ["[2001:DB8::1]:443", "[2001:db8::1]", 443],
    ["", null, null],
    [":80", null, null],
    ["a b", null, null],
    ["a,b", null, null],
    ["user@example.com", null, null],
    ["a/b", null, null],
    ["a?b", null, null],
    ["a#b", null, null],
    ["a\\b", null, null],
    ["a%2fb", null, null],
    ["caf\u00e9", null, null],
    ["<script>", null, null],
    ["::1", null, null],
    ["[::1", null, null],
    ["[:::1]", null, null],
    ["[1.2.3.4]", null, null],
    ["example.com:65536", null, null],
    ["example.com:8x", null, null],
    ["example.com:80:80", null, null],
    ["a\n", null, null],
  ];
  for (const [text, host, port] of cases) {
    it(JSON.stringify(text), () => {
      assert.deepEqual(parseHost(text), host === null ? null : { host, port });
    });
  }
});

describe("serve()", () => {
  let server: Server;
  const seen: string[] = [];
  before(async () => {
    server = await serve({
      port: 0,
      network: runtime.network,
      log: () => {},
      handler(request) {
        seen.push(request.url);
        return new Response("answered");
      },
    });
  });
  after(() => server.close(0));

  async function statusFor(...lines: readonly string[]): Promise<number> {
    const connection = await connect(server.address);
    try {
      await connection.send(["GET /public HTTP/1.1", ...lines, "Connection: close", "", ""].join("\r\n"));
      return (await connection.response()).status;
    } finally {
      connection.close();
    }
  }

  for (const host of ["x/cgi-bin/admin?", "x/cgi-bin/admin#", "user@x", "a b", "<x>", "x:99999", "x\\y"]) {
    it(`answers 400 to Host: ${host}, and no handler sees it`, async () => {
      seen.length = 0;
      assert.equal(await statusFor(`Host: ${host}`), 400);
      assert.deepEqual(seen, []);
    });
  }
  it("answers 400 to two of them", async () => {
    assert.equal(await statusFor("Host: a", "Host: b"), 400);
  });
  for (const host of ["example.com", "Example.com:81", "[::1]:82"]) {
    it(`takes Host: ${host}`, async () => assert.equal(await statusFor(`Host: ${host}`), 200));
  }
});

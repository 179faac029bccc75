/** Who a request came from, when it came through proxies. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createForwarded } from "../../src/cgi/forwarded.ts";
import { isInBlock, parseIp, parseIpBlock, plainAddress } from "../../src/cgi/ip_address.ts";
import { variablesOf } from "./_call.ts";

const peer = "127.0.0.1";
const trusted = ["127.0.0.1", "127.0.30.1", "10.0.0.0/8", "2001:db8::/32"];

type Fields = Readonly<Record<string, string>>;

function addressOf(fields: Fields, from = peer, proxies: readonly string[] = trusted): string {
  const read = createForwarded(proxies);
  return read(new Headers(fields), { hostname: from, port: 1 })?.address ?? "peer";
}

const xff = (value: string): Fields => ({ "x-forwarded-for": value });
const forwarded = (value: string): Fields => ({ forwarded: value });

describe("the client's address", () => {
  const cases: readonly (readonly [Fields, string])[] = [
    // lighttpd's cases (A39).
    [xff("127.0.10.1"), "127.0.10.1"],
    [xff("127.0.10.1, 127.0.20.1"), "127.0.20.1"],
    [xff("127.0.10.1, 127.0.20.1, 127.0.30.1"), "127.0.20.1"],
    [forwarded("for=127.0.10.1, for=127.0.20.1;proto=https, for=127.0.30.1"), "127.0.20.1"],
    [xff("6.6.6.6,1.2.3.4,10.1.2.3"), "1.2.3.4"],
    [xff(" 1.2.3.4 "), "1.2.3.4"],
    [xff("1.2.3.4:5678"), "1.2.3.4"],
    [xff("2001:db9::1"), "2001:db9::1"],
    [xff("[2001:db9::1]:5678"), "2001:db9::1"],
    [xff("::ffff:1.2.3.4"), "1.2.3.4"],
    // All of them trusted: the farthest.
    [xff("10.0.0.1, 10.0.0.2"), "10.0.0.1"],
    [xff("2001:db8::5, 10.0.0.2"), "2001:db8::5"],
    // What cannot be an address ends the chain at the last one that is.
    [xff("1.2.3.4, unknown"), "127.0.0.1"],
    [xff("1.2.3.4, rubbish, 10.0.0.2"), "10.0.0.2"],
    [xff("1.2.3.4, , 10.0.0.2"), "10.0.0.2"],
    [xff("1.2.3.4.5"), "127.0.0.1"],
    [xff("01.2.3.4"), "127.0.0.1"],
    [xff("1.2.3.256"), "127.0.0.1"],
    [xff("::1%eth0"), "127.0.0.1"],
    [xff(""), "127.0.0.1"],
    [{}, "127.0.0.1"],
    [forwarded("for=1.2.3.4"), "1.2.3.4"],
    [forwarded("FOR=1.2.3.4;By=10.0.0.1"), "1.2.3.4"],
    [forwarded('for="1.2.3.4:80"'), "1.2.3.4"],
    [forwarded('for="[2001:db9::1]:4711"'), "2001:db9::1"],
    [forwarded('for="[2001:db9::1]"'), "2001:db9::1"],
    [forwarded('by="a,b" ; for=1.2.3.4 ,  for=10.0.0.9'), "1.2.3.4"],
    [forwarded("for=_hidden, for=10.0.0.2"), "10.0.0.2"],
    [forwarded("for=unknown"), "127.0.0.1"],
    [forwarded("by=10.0.0.1"), "127.0.0.1"],
    [forwarded("rubbish"), "127.0.0.1"],
    [forwarded("for=1.2.3.4;for=5.6.7.8"), "127.0.0.1"],
    // A client's open quote swallows nothing that a proxy wrote behind it.
    [forwarded('for="127.0.0.1, for=1.2.3.4'), "1.2.3.4"],
    [forwarded('for=", for=1.2.3.4;host="h"'), "1.2.3.4"],
    [forwarded("for=9.9.9.9;;;, for=1.2.3.4"), "1.2.3.4"],
    // The field that most proxies write; the other one is then the client's.
    [{ ...xff("1.2.3.4"), ...forwarded("for=127.0.0.1") }, "1.2.3.4"],
  ];
  for (const [fields, expected] of cases) {
    it(`of ${JSON.stringify(fields)} is ${expected}`, () => {
      assert.equal(addressOf(fields), expected);
    });
  }
  it("is the peer's when nobody is trusted (A40)", () => {
    assert.equal(addressOf(xff("1.2.3.4"), peer, []), "peer");
    assert.equal(addressOf(xff("1.2.3.4"), "8.8.8.8"), "peer");
    assert.equal(createForwarded(trusted)(new Headers(xff("1.2.3.4")), null), null);
  });
  it("is told by a proxy on a socket for both", () => {
    assert.equal(addressOf(xff("1.2.3.4"), "::ffff:127.0.0.1"), "1.2.3.4");
  });
  it("is found in a field made to be slow", () => {
    const started = performance.now();
    assert.equal(addressOf(forwarded(`${'for="\\'.repeat(20_000)},`.repeat(3) + "for=1.2.3.4")), "1.2.3.4");
    assert.equal(addressOf(forwarded(",".repeat(100_000) + "x")), "127.0.0.1");
    assert.equal(addressOf(xff("10.0.0.1,".repeat(20_000) + "1.2.3.4")), "1.2.3.4");
    assert.ok(performance.now() - started < 1000);
  });
});

describe("variables behind a proxy", () => {
  const names = [
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "REQUEST_SCHEME",
    "HTTPS",
    "SERVER_NAME",
    "SERVER_PORT",
  ] as const;
  type Values = readonly (string | undefined)[];
  const cases: readonly (readonly [string, Fields, Values])[] = [
    ["that says nothing", {}, ["127.0.0.1", "4", "http", undefined, "inner", "8000"]],
    ["that says the address", xff("1.2.3.4"), ["1.2.3.4", undefined, "http", undefined, "inner", "8000"]],
    ["that says the port", xff("1.2.3.4:99"), ["1.2.3.4", "99", "http", undefined, "inner", "8000"]],
    [
      "that speaks TLS",
      { ...xff("1.2.3.4"), "x-forwarded-proto": "https" },
      ["1.2.3.4", undefined, "https", "on", "inner", "443"],
    ],
    [
      "that says it all",
      {
        ...xff("1.2.3.4"),
        "x-forwarded-proto": "https",
        "x-forwarded-host": "Example.com",
        "x-forwarded-port": "8443",
      },
      ["1.2.3.4", undefined, "https", "on", "example.com", "8443"],
    ],
    [
      "that says a host with a port",
      { ...xff("1.2.3.4"), "x-forwarded-host": "example.com:81" },
      ["1.2.3.4", undefined, "http", undefined, "example.com", "81"],
    ],
    [
      "that says it all in one field",
      forwarded('for="1.2.3.4:99";proto=https;host="example.com:444"'),
      ["1.2.3.4", "99", "https", "on", "example.com", "444"],
    ],
    [
      "whose client lies on the left",
      {
        ...xff("127.0.0.1, 1.2.3.4"),
        "x-forwarded-proto": "https, http",
        "x-forwarded-host": "evil.example, example.com",
      },
      ["1.2.3.4", undefined, "http", undefined, "example.com", "80"],
    ],
    [
      "behind another one",
      {
        ...xff("1.2.3.4, 10.0.0.1"),
        "x-forwarded-proto": "https, http",
      },
      ["1.2.3.4", undefined, "https", "on", "inner", "443"],
    ],
    [
      "with nonsense",
      {
        ...xff("1.2.3.4"),
        "x-forwarded-proto": "gopher",
        "x-forwarded-host": "a b",
        "x-forwarded-port": "0",
      },
      ["1.2.3.4", undefined, "http", undefined, "inner", "8000"],
    ],
  ];
  for (const [name, fields, expected] of cases) {
    it(name, () => {
      const variables = variablesOf({
        target: "http://inner/x",
        headers: { host: "inner", ...fields },
        connection: { remote: { hostname: peer, port: 4 }, local: { hostname: "10.9.9.9", port: 8000 } },
      }, { trustedProxies: trusted });
      assert.deepEqual(names.map((key) => variables[key]), expected);
    });
  }
  it("that is not trusted are the connection's own", () => {
    const variables = variablesOf({
      headers: { "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https", forwarded: "for=7.7.7.7" },
    });
    assert.equal(variables["REMOTE_ADDR"], "1.2.3.4");
    assert.equal(variables["HTTPS"], undefined);
    assert.equal(variables["HTTP_X_FORWARDED_FOR"], "6.6.6.6");
  });
});

describe("addresses", () => {
  for (
    const [text, expected] of [
      ["127.0.0.1", "127.0.0.1"],
      ["::", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"],
      ["::1", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1"],
      ["1::", "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0"],
      ["[1:2:3:4:5:6:7:8]", "0.1.0.2.0.3.0.4.0.5.0.6.0.7.0.8"],
      ["fe80::1%eth0", "254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1"],
      ["::FFFF:1.2.3.4", "1.2.3.4"],
      ["::ffff:102:304", "1.2.3.4"],
      ["64:ff9b::1.2.3.4", "0.100.255.155.0.0.0.0.0.0.0.0.1.2.3.4"],
      ["1:2:3:4:5:6:7", null],
      ["1:2:3:4:5:6:7:8:9", null],
      ["1::2::3", null],
      ["1:2:3:4:5:6:7::8", null],
      [":::", null],
      ["12345::", null],
      ["::1.2.3", null],
      ["1.2.3.4::", null],
      ["1.2.3", null],
      ["1.2.3.4.", null],
      ["1..3.4", null],
      ["a.b.c.d", null],
      ["", null],
    ] as const
  ) {
    it(`${text} is ${expected}`, () => {
      assert.equal(parseIp(text)?.join(".") ?? null, expected);
    });
  }

  for (
    const [block, inside, outside] of [
      ["10.0.0.0/8", "10.255.0.1", "11.0.0.0"],
      ["192.168.4.0/22", "192.168.7.255", "192.168.8.0"],
      ["1.2.3.4", "1.2.3.4", "1.2.3.5"],
      ["0.0.0.0/0", "9.9.9.9", "::1"],
      ["2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"],
      ["::1/128", "::1", "::2"],
      ["::/0", "::1", "1.2.3.4"],
      ["::ffff:10.0.0.0/104", "10.1.1.1", "11.1.1.1"],
    ] as const
  ) {
    it(`${block} holds ${inside} and not ${outside}`, () => {
      const parsed = parseIpBlock(block);
      assert.ok(parsed !== null);
      assert.equal(isInBlock(parseIp(inside) ?? [], parsed), true);
      assert.equal(isInBlock(parseIp(outside) ?? [], parsed), false);
    });
  }
  for (
    const bad of ["", "x", "1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/8/8", "1.2.3.4/a", "::ffff:1.2.3.4/8"]
  ) {
    it(`"${bad}" is no block`, () => {
      assert.equal(parseIpBlock(bad), null);
      assert.throws(() => createForwarded([bad]), TypeError);
    });
  }
  it("are plain", () => {
    assert.equal(plainAddress("[::1]"), "::1");
    assert.equal(plainAddress("::ffff:1.2.3.4"), "1.2.3.4");
    assert.equal(plainAddress("2001:db8::ffff:1"), "2001:db8::ffff:1");
    assert.equal(plainAddress("/run/socket"), "/run/socket");
  });
});

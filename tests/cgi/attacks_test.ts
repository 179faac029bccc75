/**
 * Attempts to read a script's source, to smuggle requests, to split responses, to make scripts outlive their request, and
 * to fill memory or disk. After each of them the server serves on.
 */

import assert from "node:assert/strict";
import { linkSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import type { SiteCgiOptions } from "../../src/site.ts";
import { chunk, concat, get, requestHead, toBytes, toLatin1 } from "../_http.ts";
import {
  ask,
  askBroken,
  closeServers,
  expectStatus,
  expectText,
  requestBytes,
  type Served,
  type Serving,
  serving,
  talk,
} from "./conformance/_ask.ts";
import {
  allGone,
  delay,
  file,
  freshPath,
  HEAD,
  isRunning,
  missing,
  numbersIn,
  pathOf,
  removeScripts,
  root,
  shell,
  SOURCE,
  text,
} from "./conformance/_scripts.ts";

after(async () => {
  await closeServers();
  removeScripts();
});

async function servesOn(server: Served): Promise<void> {
  expectText(await ask(server, "GET /cgi-bin/hello.sh"), "Hello World\n");
}

/** Bytes of a script's source, or of what lies outside, also when they are compressed. */
const SECRETS = [SOURCE, "#!/bin/sh", "OUTSIDE-OF-THE-ROOT"];

describe("a script's source", () => {
  const targets = [
    "/cgi-bin/seen.sh",
    "/cgi-bin/seen.sh/",
    "/cgi-bin/seen.sh/../seen.sh",
    "/cgi-bin/./seen.sh",
    "/x/../cgi-bin/seen.sh",
    "/x/.y/../../cgi-bin/seen.sh",
    "//cgi-bin/seen.sh",
    "/cgi-bin//seen.sh",
    "/cgi-bin%2fseen.sh",
    "/cgi-bin%5cseen.sh",
    "/cgi-bin\\seen.sh",
    "/cgi%2dbin/seen%2Esh",
    "/cgi-bin/seen.sh%00",
    "/cgi-bin/seen.sh%00.html",
    "/cgi-bin/seen.sh%20",
    "/cgi-bin/seen.sh.",
    "/cgi-bin/seen.sh::$DATA",
    "/cgi-bin/seen.sh;x",
    "/cgi-bin/seen",
    "/cgi-bin/seen.sh.gz",
    "/cgi-bin/seen.sh.br",
    "/cgi-bin/plain.txt",
    "/cgi-bin/",
    "/cgi-bin",
    "/cgi-bin?list",
    "/cgi-bin/?sort=name",
    "/CGI-BIN/seen.sh",
    "/Cgi-Bin/",
    "/cgi-bin./seen.sh",
    "/linked/seen.sh",
    "/linked/",
    "/linked.sh",
    "/hard/../linked.sh",
    "/seen.cgi",
    "/seen.CGI",
    "/seen",
    "/seen.cgi.gz",
    "/seen.cgi.br",
    "/seen.cgi.zst",
    "/seen.cgi%20",
    "/seen.cgi/",
    "/seen.cgi?x.html",
    "/interpreted.php",
    "/interpreted.php.gz",
    "/interpreted.PHP",
    "/outside.sh",
    "/cgi-bin/outside.sh",
    "/.hidden.cgi",
    "/cgi-bin/.hidden.sh",
    "http://localhost/cgi-bin/seen.sh",
    "http://localhost/linked/seen.sh",
    "/cgi-bin/seen.sh?-s",
    "/cgi-bin/seen.sh?--version",
    "/cgi-bin/sender.sh",
  ];
  const methods = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "PROPFIND",
    "COPY",
    "SEARCH",
    "TRACE",
  ];
  const headers: readonly (readonly string[])[] = [
    [],
    ["Range: bytes=0-99"],
    ["Range: bytes=0-1,2-3"],
    ["Accept-Encoding: gzip, br, zstd"],
    ["Accept: application/json"],
    ["If-None-Match: *"],
    ["If-Range: x", "Range: bytes=0-"],
    ["Translate: f"],
    ["X-HTTP-Method-Override: GET", "X-Method-Override: GET"],
    ["X-Original-URL: /cgi-bin/seen.sh", "X-Rewrite-URL: /cgi-bin/seen.sh"],
    ["X-Sendfile: /cgi-bin/seen.sh", "X-Accel-Redirect: /cgi-bin/seen.sh"],
    ["Host: localhost:80"],
  ];
  const sites: readonly (readonly [name: string, cgi: SiteCgiOptions, more: Serving])[] = [
    ["as it comes", {}, {}],
    ["with scripts off", { run: false }, {}],
    ["with every convenience", { index: ["seen.sh"] }, {
      static: {
        listing: true,
        precompressed: true,
        compress: true,
        cleanUrls: true,
        spa: true,
        index: ["seen.sh", "seen.cgi", "index.html"],
      },
    }],
    ["with every convenience, scripts off", { run: false }, {
      dotfiles: true,
      followSymlinks: true,
      static: {
        listing: true,
        precompressed: true,
        compress: true,
        cleanUrls: true,
        spa: "seen.cgi",
        index: ["seen.sh", "seen.cgi"],
        types: { ".sh": "text/plain" },
      },
    }],
  ];

  /** Scripts that print nothing of themselves, links to them, and what a build may leave beside them. */
  function fixture(): void {
    const ran = `printf 'Content-Type: text/plain\\n\\n'; echo it ran`;
    shell("seen.sh", ran);
    const script = `#!/bin/sh\n# ${SOURCE}\n${ran}\n`;
    for (const name of ["seen.cgi", "interpreted.php", ".hidden.cgi", "cgi-bin/.hidden.sh"]) {
      file(`site/${name}`, script, 0o755);
    }
    file("site/cgi-bin/plain.txt", SOURCE);
    for (const name of ["cgi-bin/seen.sh", "seen.cgi", "interpreted.php"]) {
      for (const ending of ["gz", "br", "zst"]) {
        file(`site/${name}.${ending}`, gzipSync(script, { level: 0 }));
      }
    }
    file("outside.sh", `#!/bin/sh\n# OUTSIDE-OF-THE-ROOT\n${ran}\n`, 0o755);
    // What it asks for is in no folder of the option sendfile.
    shell("sender.sh", `printf 'X-Sendfile: %s\\n\\n' '${pathOf("site/cgi-bin/seen.sh")}'`);
    const links = [
      ["linked", pathOf("site/cgi-bin")],
      ["linked.sh", pathOf("site/cgi-bin/seen.sh")],
      ["cgi-bin/outside.sh", pathOf("outside.sh")],
    ] as const;
    for (const [name, to] of links) {
      rmSync(join(root(), name), { force: true });
      symlinkSync(to, join(root(), name));
    }
  }

  for (const [name, cgi, more] of sites) {
    it(`of a site ${name} does not come back, whatever is asked`, async () => {
      root();
      fixture();
      const server = await serving({ interpreters: { ".php": "/bin/sh" }, ...cgi }, more);
      const plain = targets.map((target) => [`GET ${target}`, [] as readonly string[]] as const);
      const verbs = methods.flatMap((method) =>
        ["/cgi-bin/seen.sh", "/seen.cgi", "/cgi-bin/", "/seen.cgi.gz"].map((target) =>
          [`${method} ${target}`, [] as readonly string[]] as const
        )
      );
      const fields = headers.flatMap((each) =>
        ["/cgi-bin/seen.sh", "/linked/seen.sh", "/seen.cgi", "/seen.cgi.gz", "/"].map((target) =>
          [`GET ${target}`, each] as const
        )
      );
      for (const [request, lines] of [...plain, ...verbs, ...fields]) {
        const response = await askBroken(server, requestBytes(request, lines), request.split(" ", 1)[0]);
        const seen = response === null ? "" : response.head + toLatin1(response.body);
        for (const secret of SECRETS) {
          assert.ok(!seen.includes(secret), `${request} ${lines}:\n${seen.slice(0, 300)}`);
        }
        assert.ok((response?.status ?? 404) !== 500, `${request} ${lines}: 500`);
        // A listing names no script, and no folder of them.
        if (response?.status === 200 && /text\/html/.test(response.header("content-type") ?? "")) {
          assert.doesNotMatch(response.text, /href="[^"]*(?:seen|cgi-bin|htbin|interpreted|linked)/, request);
        }
      }
    });
  }

  it("is not found through a hard link by chance: such a file is what its place makes of it", async () => {
    root();
    fixture();
    rmSync(pathOf("site/cgi-bin/hard.sh"), { force: true });
    linkSync(pathOf("site/cgi-bin/seen.sh"), pathOf("site/cgi-bin/hard.sh"));
    expectText(await ask(await serving(), "GET /cgi-bin/hard.sh"), "it ran\n");
  });
});

describe("smuggled requests", () => {
  const SECOND = "GET /cgi-bin/smuggled.sh HTTP/1.1\r\nHost: x\r\n\r\n";
  const POST = "POST /cgi-bin/echo.sh HTTP/1.1\r\nHost: x\r\n";
  const length = SECOND.length;
  const chunks = `Transfer-Encoding: chunked\r\nContent-Length: ${5 + length}\r\n\r\n0\r\n\r\n`;
  const rows: readonly (readonly [name: string, head: string])[] = [
    [
      "a length and chunks",
      `${POST}Content-Length: ${5 + length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ["chunks and a length", `${POST}${chunks}`],
    ["chunks and a short length", `${POST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`],
    ["two lengths, the shorter first", `${POST}Content-Length: 0\r\nContent-Length: ${length}\r\n\r\n`],
    ["two lengths, the longer first", `${POST}Content-Length: ${length}\r\nContent-Length: 0\r\n\r\n`],
    ["a list of lengths", `${POST}Content-Length: 0, ${length}\r\n\r\n`],
    ["an unknown coding", `${POST}Transfer-Encoding: xchunked\r\n\r\n`],
    ["identity", `${POST}Transfer-Encoding: identity\r\n\r\n`],
    ["chunked, identity", `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ["two codings", `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`],
    [
      "a blank before the colon",
      `${POST}Transfer-Encoding : chunked\r\nContent-Length: ${5 + length}\r\n\r\n0\r\n\r\n`,
    ],
    [
      "a vertical tab",
      `${POST}Transfer-Encoding:\x0bchunked\r\nContent-Length: ${5 + length}\r\n\r\n0\r\n\r\n`,
    ],
    ["quotes", `${POST}Transfer-Encoding: "chunked"\r\nContent-Length: ${5 + length}\r\n\r\n0\r\n\r\n`],
    [
      "a folded coding",
      `${POST}Transfer-Encoding:\r\n chunked\r\nContent-Length: ${5 + length}\r\n\r\n0\r\n\r\n`,
    ],
    [
      "a bare LF",
      `${POST}Foo: bar\nTransfer-Encoding: chunked\r\nContent-Length: ${5 + length}\r\n\r\n0\r\n\r\n`,
    ],
    [
      "a bare CR",
      `${POST}Foo: bar\rTransfer-Encoding: chunked\r\nContent-Length: ${5 + length}\r\n\r\n0\r\n\r\n`,
    ],
    ["a NUL", `${POST}Foo: b\0ar\r\nContent-Length: ${length}\r\n\r\n`],
    [
      "chunks over HTTP/1.0",
      `POST /cgi-bin/echo.sh HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ["GET with a body", `GET /cgi-bin/echo.sh HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`],
    [
      "GET with chunks",
      `GET /cgi-bin/echo.sh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${
        length.toString(16)
      }\r\n`,
    ],
    ["HEAD with a body", `HEAD /cgi-bin/echo.sh HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`],
    [
      "a body to a script that does not read",
      `POST /cgi-bin/hello.sh HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`,
    ],
    [
      "a body to what is not there",
      `POST /cgi-bin/none HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`,
    ],
    ["a body to a file", `POST /page.html HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`],
    ["a chunk with 0x", `${POST}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n`],
    ["a chunk with a sign", `${POST}Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n`],
    ["a chunk with the wrong end", `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n`],
    ["a chunk that is too large", `${POST}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n`],
    ["an LF in an extension", `${POST}Transfer-Encoding: chunked\r\n\r\n5;\nxx\r\nhello\r\n0\r\n\r\n`],
    ["an upgrade", `${POST}Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: ${length}\r\n\r\n`],
    ["two hosts", `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: ${length}\r\n\r\n`],
    [
      "a host with a path",
      `GET /x HTTP/1.1\r\nHost: x/cgi-bin/smuggled.sh?\r\nContent-Length: ${length}\r\n\r\n`,
    ],
    [
      "a host with a fragment",
      `GET /x HTTP/1.1\r\nHost: x/cgi-bin/smuggled.sh#\r\nContent-Length: ${length}\r\n\r\n`,
    ],
  ];

  it("are not run", async () => {
    const server = await serving();
    shell("smuggled.sh", `${HEAD}; echo smuggled`);
    const outcomes = await Promise.all(rows.map(async ([name, head]) => {
      const bytes = Uint8Array.from(head + SECOND, (character) => character.charCodeAt(0));
      return await talk(server, async (connection) => {
        await connection.send(bytes).catch(() => {});
        // There is no event for a second answer that does not come.
        await connection.ended(700).catch(() => {});
        return [name, toLatin1(connection.take())] as const;
      });
    }));
    for (const [name, seen] of outcomes) {
      assert.doesNotMatch(seen, /\nsmuggled\n/, name);
      const statuses = Array.from(seen.matchAll(/HTTP\/1\.[01] (\d{3}) /g), ([, status]) => Number(status));
      assert.ok(!statuses.includes(500), `${name}: ${statuses}`);
    }
    assert.equal(server.hasRun("smuggled.sh"), false);
    await servesOn(server);
  });

  it("are not made of a coding that nobody decodes: 501", async () => {
    const server = await serving();
    const headers = ["Transfer-Encoding: gzip, chunked"];
    const response = await ask(server, "POST /cgi-bin/echo.sh", headers, concat([chunk("x"), chunk()]));
    expectStatus(response, 501);
    await servesOn(server);
    assert.equal(server.hasRun("echo.sh"), false);
  });

  it("are not made of what a script writes", async () => {
    const server = await serving();
    const second = "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nbad";
    const outputs = [
      `printf 'Content-Length: 0\\nContent-Type: text/plain\\n\\n${second}'`,
      `printf 'Status: 204\\n\\n${second}'`,
      `printf 'Status: 304\\n\\n${second}'`,
      `printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n${second}'`,
      `printf 'HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n${second}'`,
      `printf 'Content-Type: text/plain\\nX-A: b\\r${second}'`,
      `printf 'Content-Length: 0\\nContent-Length: 40\\nContent-Type: text/plain\\n\\n${second}'`,
    ];
    for (const [at, output] of outputs.entries()) {
      const path = shell(`split-${at}.sh`, output);
      await talk(server, async (connection) => {
        await connection.send(get(path) + get("/page.html"));
        const first = await connection.response();
        assert.notEqual(first.text, "bad");
        // Broken off, or followed by the answer to the second request and nothing else.
        const next = await connection.response().catch(() => null);
        if (next !== null) expectText(next, "PAGE");
      });
    }
  });
});

describe("response splitting", () => {
  it("by what a client sends is in nothing that this server writes itself", async () => {
    const server = await serving();
    for (
      const target of [
        "/sub?a%0d%0aX-Bad:%20b",
        "/sub%0d%0aX-Bad:%20b",
        "//sub%0d%0aX-Bad:b",
        "/cgi-bin/%0d%0aX-Bad:b",
      ]
    ) {
      const response = await ask(server, `GET ${target}`);
      assert.equal(response.header("x-bad"), null);
    }
    await servesOn(server);
  });
});

describe("scripts that want to outlive their request", () => {
  it("are ended with all of their process group, also after a double fork", async () => {
    const pids = freshPath();
    const path = shell(
      "double.sh",
      `( (trap '' HUP; sleep 300 >/dev/null 2>&1 & echo $! >'${pids}') & ); ${HEAD}; echo ok`,
    );
    const server = await serving({ timeouts: { grace: 0.2 } });
    expectText(await ask(server, `GET ${path}`), "ok\n");
    await allGone(await numbersIn(pids, 1));
  });

  it("with a session of their own are not this server's any more, and hold nothing of it", {
    skip: missing("setsid", "true") ?? false,
  }, async () => {
    const pids = freshPath();
    const path = shell("session.sh", `setsid sh -c 'echo $$ >"${pids}"; exec sleep 300' & ${HEAD}; echo ok`);
    const server = await serving({ limits: { concurrent: 1, queue: 0 } });
    try {
      // It holds the script's pipes: the answer ends after a grace, and the place is free again.
      expectText(await ask(server, `GET ${path}`), "ok\n");
      await server.exit("session.sh");
      await servesOn(server);
      const [pid] = await numbersIn(pids, 1);
      assert.equal(isRunning(pid!), true);
    } finally {
      for (const pid of await numbersIn(pids, 1)) process.kill(pid, "SIGKILL");
    }
  });

  it("and ignore every signal they can are ended when the client leaves", async () => {
    const pids = freshPath();
    const path = shell(
      "stubborn.sh",
      `trap '' TERM HUP INT PIPE; echo $$ >'${pids}'; while :; do sleep 0.1; done`,
    );
    const server = await serving({ timeouts: { grace: 0.2 } });
    await talk(server, async (connection) => {
      await connection.send(get(path));
      await numbersIn(pids, 1);
    });
    await allGone(await numbersIn(pids, 1));
    await servesOn(server);
  });
});

describe("floods", () => {
  it("of places: scripts that fail in every way give theirs back", async () => {
    const server = await serving({
      limits: { concurrent: 1, queue: 0 },
      timeouts: { firstByte: 0.5, idle: 0.5, grace: 0.1 },
    });
    const bodies = [
      "exit 1",
      "echo no head",
      "printf 'Status: 30\\n\\nrest of the output'",
      "printf 'Status: 204\\n\\nrest of the output'",
      "printf 'Content-Length: 1\\nContent-Type: a/b\\n\\nrest of the output'",
      "printf 'Content-Length: 100\\nContent-Type: a/b\\n\\nshort'",
      "printf 'Location: /nothing\\n\\n'",
      "printf 'X-Sendfile: /etc/passwd\\n\\nrest of the output'",
      `${HEAD}; echo x; kill -9 $$`,
      "echo no head; exec sleep 300",
      "exec yes",
      "exec sleep 300",
      "sleep 300 & echo no head",
    ];
    for (const [at, body] of bodies.entries()) {
      const path = shell(`flood-${at}.sh`, body);
      await askBroken(server, requestBytes(`GET ${path}`));
      await server.exit(`flood-${at}.sh`);
      await servesOn(server);
      await server.exit("hello.sh");
    }
  });

  it("of a chunked body without an end meet limits.spoolDisk, and leave nothing behind", async () => {
    const server = await serving({ limits: { spoolDisk: 2 ** 20, spoolMemory: 1000 } });
    const before = temporaryFiles();
    for (let round = 0; round < 3; round++) {
      await talk(server, async (connection) => {
        await connection.send(requestHead("POST", "/cgi-bin/echo.sh", "Transfer-Encoding: chunked"));
        const response = connection.response({ method: "POST" }).catch(() => null);
        const piece = chunk(text(65_536));
        for (let count = 0; count < 64; count++) await connection.send(piece).catch(() => {});
        expectStatus((await response)!, 413);
      });
    }
    // All of the room is there again.
    const body = concat([chunk(text(900_000)), chunk()]);
    const response = await ask(server, "POST /cgi-bin/count.sh", ["Transfer-Encoding: chunked"], body);
    expectText(response, "900000 900000\n");
    assert.deepEqual(temporaryFiles().filter((name) => !before.includes(name)), []);
    assert.equal(server.hasRun("echo.sh"), false);
  });

  it("of bodies that stop coming hold no place and are answered 408", async () => {
    const server = await serving({ limits: { concurrent: 1, queue: 0 }, timeouts: { idle: 0.4 } });
    await talk(server, async (connection) => {
      const head = requestHead("POST", "/cgi-bin/echo.sh", "Transfer-Encoding: chunked");
      await connection.send(concat([toBytes(head), chunk("begin")]));
      await delay(50);
      await servesOn(server);
      expectStatus(await connection.response({ method: "POST" }), 408);
    });
  });

  it("of output to a client that does not read stop the script, not the server", async () => {
    const server = await serving({ timeouts: { idle: 0.5, grace: 0.1 } });
    const path = shell("endless.sh", `${HEAD}; exec yes`);
    const before = process.memoryUsage().rss;
    await talk(server, async (connection) => {
      await connection.send(get(path));
      await connection.head();
      connection.pause();
      await server.exit("endless.sh");
    });
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 200 * 2 ** 20, `${grown} bytes more memory`);
    await servesOn(server);
  });

  it("of requests by one client leave room for others: limits.perClient", async () => {
    const server = await serving({ limits: { concurrent: 4, queue: 4, perClient: 0.5 }, trustedProxies: [] });
    const path = shell("slow.sh", `sleep 0.3; ${HEAD}; echo ok`);
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async () => (await ask(server, `GET ${path}`)).status),
    );
    // Two run and two wait for this address; the places of others stay free.
    assert.equal(statuses.filter((status) => status === 200).length, 4);
    assert.equal(statuses.filter((status) => status === 503).length, 8);
  });
});

/** Files of bodies that somebody could still see. */
function temporaryFiles(): readonly string[] {
  return readdirSync(process.env["TMPDIR"] ?? "/tmp").filter((name) =>
    /^htbin-(?!cgi-|test-|site-|cache-|tls-)/.test(name)
  );
}

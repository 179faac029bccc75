/**
 * What stands before the site, seen on the wire.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect, exchange, get, type RawResponse, requestHead } from "../_http.ts";
import { makeFolder, script } from "./_folder.ts";
import { runHere, type RunningHere, startHere } from "./_in_process.ts";

const folder = makeFolder({
  "index.html": "HOME",
  "file.txt": "0123456789",
  "folder/file.txt": "FILE",
  "cgi-bin/env": script("env"),
  "cgi-bin/hello": script("echo HELLO"),
  "cgi-bin/bad": "#!/bin/sh\necho no head\n",
  "cgi-bin/local": "#!/bin/sh\nprintf 'Location: /file.txt\\n\\n'\n",
  "cgi-bin/cookie":
    "#!/bin/sh\nprintf 'Content-Type: text/plain\\nSet-Cookie: theirs=1\\nX-A: theirs\\n\\n'\n",
});
after(folder.remove);

async function serving(
  flags: readonly string[],
  use: (server: RunningHere) => Promise<void>,
): Promise<string> {
  const server = await startHere(["0", "--directory", folder.path, ...flags]);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
  return server.stderr();
}

function ask(server: RunningHere, request: string): Promise<RawResponse> {
  return exchange({ hostname: "127.0.0.1", port: server.port }, request);
}

function values(response: RawResponse, name: string): string[] {
  return response.headers.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
}

test("-H is on every kind of answer, once, and in place of what would be there", async () => {
  const flags = ["--cgi", "-H", "X-A", "b:c", "--header", "Cache-Control: no-store", "-H", "X-Empty", ""];
  await serving(flags, async (server) => {
    const tag = values(await ask(server, get("/file.txt")), "etag")[0] ?? "";
    const kinds: readonly (readonly [request: string, status: number])[] = [
      [get("/file.txt"), 200],
      [requestHead("HEAD", "/file.txt"), 200],
      [get("/file.txt", "Range: bytes=2-3"), 206],
      [get("/file.txt", `If-None-Match: ${tag}`), 304],
      [get("/folder/"), 200],
      [get("/folder"), 301],
      [requestHead("OPTIONS", "/file.txt"), 204],
      [get("/missing"), 404],
      [requestHead("PUT", "/file.txt"), 405],
      [requestHead("POST", "/file.txt", "Content-Length: 0"), 501],
      [get("/a%00b"), 400],
      [get("/", "Host: evil.test"), 421],
      [get("/cgi-bin/hello"), 200],
      [get("/cgi-bin/local"), 200],
      [get("/cgi-bin/cookie"), 200],
      [get("/cgi-bin/bad"), 502],
      [get("/cgi-bin/missing"), 404],
    ];
    for (const [request, status] of kinds) {
      const response = await ask(server, request);
      const what = request.split("\r\n", 1)[0];
      assert.equal(response.status, status, what);
      assert.deepEqual(values(response, "x-a"), ["b:c"], what);
      assert.deepEqual(values(response, "cache-control"), ["no-store"], what);
      assert.deepEqual(values(response, "x-empty"), [""], what);
    }
  });
});

test("-H Set-Cookie stands beside a script's own", async () => {
  await serving(["--cgi", "-H", "Set-Cookie", "a=1", "-H", "Set-Cookie", "b=2"], async (server) => {
    assert.deepEqual(values(await ask(server, get("/cgi-bin/cookie")), "set-cookie"), [
      "theirs=1",
      "a=1",
      "b=2",
    ]);
    assert.deepEqual(values(await ask(server, get("/cgi-bin/local")), "set-cookie"), ["a=1", "b=2"]);
  });
});

test("--protocol HTTP/1.0 closes the connection after each answer, HTTP/1.1 does not", async () => {
  for (const path of ["/file.txt", "/missing", "/folder/", "/cgi-bin/hello"]) {
    await serving(["--cgi", "--protocol", "HTTP/1.0"], async ({ port }) => {
      const connection = await connect({ hostname: "127.0.0.1", port });
      await connection.send(get(path));
      assert.deepEqual(values(await connection.response(), "connection"), ["close"], path);
      assert.equal(await connection.ended(), "fin", path);
      connection.close();
    });
  }
  await serving(["-p", "HTTP/1.1"], async ({ port }) => {
    const connection = await connect({ hostname: "127.0.0.1", port });
    for (let time = 0; time < 2; time++) {
      await connection.send(get("/file.txt"));
      assert.equal((await connection.response()).status, 200);
    }
    connection.close();
  });
});

test("a loopback address answers to this machine's names and to addresses; --allow-host names others", async () => {
  const host = (name: string) => get("/file.txt", `Host: ${name}`);
  const log = await serving([], async (server) => {
    for (const name of ["localhost", "127.0.0.1:8000", "[::1]", "192.0.2.7"]) {
      assert.equal((await ask(server, host(name))).status, 200, name);
    }
    assert.equal((await ask(server, host("wiki.test"))).status, 421);
    assert.equal((await ask(server, host("wiki.test"))).status, 421);
  });
  assert.equal(log.match(/^htbin: warning: refused a request for the host wiki\.test, /gm)?.length, 1);
  await serving(["--allow-host", "wiki.test"], async (server) => {
    assert.equal((await ask(server, host("wiki.test:8000"))).status, 200);
    assert.equal((await ask(server, host("localhost"))).status, 200);
    assert.equal((await ask(server, host("evil.test"))).status, 421);
  });
  await serving(["--allow-host", "*"], async (server) => {
    assert.equal((await ask(server, host("evil.test"))).status, 200);
  });
});

test("an address that others can reach answers to any name, unless some are given", async () => {
  const host = (name: string) => get("/file.txt", `Host: ${name}`);
  await serving(["--bind", "0.0.0.0", "-q"], async (server) => {
    assert.equal((await ask(server, host("any.test"))).status, 200);
  });
  await serving(["--bind", "0.0.0.0", "-q", "--allow-host", ".wiki.test"], async (server) => {
    assert.equal((await ask(server, host("a.wiki.test"))).status, 200);
    assert.equal((await ask(server, host("any.test"))).status, 421);
  });
});

function basic(credentials: string): string {
  return `Authorization: Basic ${btoa(credentials)}`;
}

test("--auth: 401 for everything without the password, and what is there with it", async () => {
  const log = await serving(["--cgi", "--auth", "ada:1815", "--auth", "bob:a:b"], async (server) => {
    for (const path of ["/file.txt", "/missing", "/folder/", "/folder", "/cgi-bin/hello", "/a%00b"]) {
      for (
        const headers of [[], [basic("ada:1816")], [basic("eve:1815")], [basic("ada")], [
          "Authorization: Basic !",
        ]]
      ) {
        const response = await ask(server, get(path, ...headers));
        assert.equal(response.status, 401, `${path} ${headers}`);
        assert.deepEqual(values(response, "www-authenticate"), ['Basic realm="htbin", charset="UTF-8"']);
      }
    }
    assert.equal((await ask(server, get("/file.txt", basic("ada:1815")))).text, "0123456789");
    assert.equal(
      (await ask(server, get("/file.txt", basic("bob:a:b").replace("Basic", "bAsIc")))).status,
      200,
    );
    assert.equal((await ask(server, get("/missing", basic("ada:1815")))).status, 404);
    assert.equal((await ask(server, get("/cgi-bin/local", basic("ada:1815")))).text, "0123456789");
    assert.equal((await ask(server, requestHead("HEAD", "/file.txt"))).status, 401);
  });
  assert.match(log, /^127\.0\.0\.1 - ada \[[^\]]+\] "GET \/file\.txt HTTP\/1\.1" 200 10$/m);
  assert.match(log, /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/file\.txt HTTP\/1\.1" 401 /m);
  assert.doesNotMatch(log, /1815|YWRh|1816/);
});

test("scripts know the user, and not the password", async () => {
  await serving(["--cgi-pass-auth", "--auth", "ada:topsecret"], async (server) => {
    const { text } = await ask(server, get("/cgi-bin/env", basic("ada:topsecret")));
    assert.match(text, /^REMOTE_USER=ada$/m);
    assert.match(text, /^AUTH_TYPE=Basic$/m);
    assert.doesNotMatch(text, /AUTHORIZATION|topsecret/);
    assert.ok(!text.includes(btoa("ada:topsecret")));
  });
});

const HTPASSWD = makeFolder({
  "users": `# made with htpasswd -B
ada:$2y$04$4TsU8DDLLMEkEh2VT/zCvO5jnIvlm7AKIcmfkTlv7f9FkFXOYP2Nu

bob:$2b$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2
`,
  "md5": "ada:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00\n",
  "not-a-file/": "",
});
after(HTPASSWD.remove);

test("--auth-file and --auth with a hash", async () => {
  const hash = "$2b$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2";
  await serving(["--auth-file", `${HTPASSWD.path}/users`, "--auth", `eve:${hash}`], async (server) => {
    const status = async (credentials: string) =>
      (await ask(server, get("/file.txt", basic(credentials)))).status;
    assert.equal(await status("bob:1815"), 200);
    assert.equal(await status("bob:1815"), 200);
    assert.equal(await status("bob:1816"), 401);
    assert.equal(await status("ada:1815"), 401);
    assert.equal(await status("nobody:1815"), 401);
    assert.equal(await status("eve:1815"), 200);
    assert.equal(await status(`eve:${hash}`), 401);
  });
});

test("a password file that cannot be used: exit status 1 and one line that shows no hash", async () => {
  for (
    const [name, message] of [
      ["md5", "line 1, user ada: MD5 (apr1); only bcrypt is taken: htpasswd -B FILE ada"],
      ["missing", "there is no file"],
      ["not-a-file", "there is no file"],
    ]
  ) {
    const { code, stdout, stderr } = await runHere(["0", "--auth-file", `${HTPASSWD.path}/${name}`]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^htbin: --auth-file: [^\n]*\n$/);
    assert.ok(stderr.includes(message as string), stderr);
    assert.doesNotMatch(stderr, /lZL6V/);
  }
});

test("passwords that travel in the clear are warned of", async () => {
  const warning = /^htbin: warning: passwords are sent in the clear/m;
  assert.match(await serving(["--auth", "a:b", "--bind", "0.0.0.0"], async () => {}), warning);
  assert.doesNotMatch(await serving(["--auth", "a:b"], async () => {}), warning);
});

test("--cors is on every kind of answer, and answers preflights without a password", async () => {
  const origin = "Origin: https://app.test";
  await serving(["--cgi", "--cors", "--auth", "ada:1815"], async (server) => {
    const preflight = await ask(
      server,
      requestHead(
        "OPTIONS",
        "/cgi-bin/hello",
        origin,
        "Access-Control-Request-Method: PUT",
        "Access-Control-Request-Headers: authorization,x-a",
      ),
    );
    assert.equal(preflight.status, 204);
    assert.deepEqual(values(preflight, "access-control-allow-origin"), ["*"]);
    assert.match(values(preflight, "access-control-allow-methods")[0] ?? "", /\bPUT\b/);
    assert.deepEqual(values(preflight, "access-control-allow-headers"), ["authorization,x-a"]);
    for (
      const [request, status] of [
        [get("/file.txt", origin), 401],
        [get("/file.txt", origin, basic("ada:1815")), 200],
        [get("/file.txt", basic("ada:1815"), "Range: bytes=0-1"), 206],
        [get("/missing", origin, basic("ada:1815")), 404],
        [get("/folder", origin, basic("ada:1815")), 301],
        [get("/cgi-bin/hello", origin, basic("ada:1815")), 200],
        [get("/cgi-bin/bad", origin, basic("ada:1815")), 502],
        [requestHead("OPTIONS", "/file.txt", origin, basic("ada:1815")), 204],
      ] as const
    ) {
      const response = await ask(server, request);
      assert.equal(response.status, status, request);
      assert.deepEqual(values(response, "access-control-allow-origin"), ["*"], request);
      assert.match(values(response, "access-control-expose-headers")[0] ?? "", /\*.*\bETag\b/);
    }
  });
});

test("--cors-origin lets one site in, with its visitors' passwords", async () => {
  await serving(["--cors-origin", "https://app.test"], async (server) => {
    const allowed = await ask(server, get("/file.txt", "Origin: https://app.test"));
    assert.deepEqual(values(allowed, "access-control-allow-origin"), ["https://app.test"]);
    assert.deepEqual(values(allowed, "access-control-allow-credentials"), ["true"]);
    const other = await ask(server, get("/file.txt", "Origin: https://evil.test"));
    assert.deepEqual(values(other, "access-control-allow-origin"), []);
    for (const response of [allowed, other]) assert.match(values(response, "vary").join(), /\bOrigin\b/);
  });
});

for (const args of [["--cors-origin", "app.test"], ["--auth", "a\x07:b"]]) {
  test(`${JSON.stringify(args)}: exit status 2 and one line`, async () => {
    const { code, stdout, stderr } = await runHere(["0", "--directory", folder.path, ...args]);
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, /^htbin: --[a-z-]+: Cannot use [^\n]*\n$/);
  });
}

test("--allow-host with what is no name: exit status 2 and one line", async () => {
  const { code, stdout, stderr } = await runHere([
    "0",
    "--directory",
    folder.path,
    "--allow-host",
    "http://a/",
  ]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^htbin: --allow-host: Cannot allow the host "http:\/\/a\/": [^\n]*\n$/);
});

const PROBE = "/.well-known/htbin/health";

test("--health answers probes, by any name and without a password; without it there is nothing", async () => {
  await serving(["--health", "--auth", "ada:1815", "-H", "X-A", "b"], async (server) => {
    const response = await ask(server, get(PROBE, "Host: pod.cluster.test"));
    assert.deepEqual([response.status, response.text], [200, "ok\n"]);
    assert.deepEqual(values(response, "x-a"), ["b"]);
    assert.equal((await ask(server, get("/file.txt"))).status, 401);
    assert.equal((await ask(server, get("/.well-known/htbin/other", basic("ada:1815")))).status, 404);
  });
  await serving([], async (server) => assert.equal((await ask(server, get(PROBE))).status, 404));
});

test("--drain goes on answering after the signal, while probes are told 503; a second signal ends it", async () => {
  const server = await startHere(["0", "--directory", folder.path, "--health", "--drain", "60"]);
  assert.equal((await ask(server, get(PROBE))).status, 200);
  server.signal();
  assert.match(
    server.stderr(),
    /^htbin: stopping in 60 s, as probes are told; a second signal \(Ctrl-C\) stops at once$/m,
  );
  assert.equal((await ask(server, get(PROBE))).status, 503);
  assert.equal((await ask(server, get("/file.txt"))).status, 200);
  server.signal();
  assert.equal((await server.ended).code, 0);
  const brief = await startHere(["0", "--directory", folder.path, "--drain", "0.1"]);
  brief.signal();
  assert.equal((await brief.ended).code, 0);
});

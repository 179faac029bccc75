/**
 * How the command line starts and ends: what it says, which port it takes, its exit status.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { request as httpsRequest } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { ListenError, type Network } from "../../src/runtime.ts";
import { VERSION } from "../../src/version.ts";
import { makeFolder } from "./_folder.ts";
import { runHere, startHere } from "./_in_process.ts";

const folder = makeFolder({ "index.html": "HOME", "file.txt": "FILE", "cgi-bin/": "" });
after(folder.remove);
const HERE = ["--directory", folder.path];

test("the first line is Python's, and the only one on standard output", async () => {
  const server = await startHere(["0", ...HERE]);
  assert.ok(server.port > 0);
  assert.equal(
    server.stdout(),
    `Serving HTTP on 127.0.0.1 port ${server.port} (http://127.0.0.1:${server.port}/) ...\n`,
  );
  assert.equal(await (await fetch(server.url)).text(), "HOME");
  assert.ok(server.becameServer());
  const { code, stdout } = await server.stop();
  assert.equal(code, 0);
  assert.equal(stdout.split("\n").length, 2);
});

const loopback6 = Object.values(networkInterfaces()).flat().some((address) => address?.address === "::1");

test(
  "an IPv6 address is bracketed in the URL",
  { skip: loopback6 ? false : "this machine has no ::1" },
  async () => {
    for (const bind of ["::1", "[::1]"]) {
      const server = await startHere(["0", ...HERE, "--bind", bind]);
      assert.equal(
        server.stdout(),
        `Serving HTTP on ::1 port ${server.port} (http://[::1]:${server.port}/) ...\n`,
      );
      assert.equal(await (await fetch(server.url)).text(), "HOME");
      await assert.rejects(fetch(`http://127.0.0.1:${server.port}/`));
      assert.doesNotMatch((await server.stop()).stderr, /REACHABLE/);
    }
  },
);

test("a server that others can reach says so loudly", async () => {
  const open = await startHere(["0", ...HERE, "--bind", "0.0.0.0"]);
  assert.match(open.stdout(), /^Serving HTTP on 0\.0\.0\.0 port \d+ \(http:\/\/0\.0\.0\.0:\d+\/\) \.\.\.\n$/);
  const { stderr } = await open.stop();
  assert.match(
    stderr,
    /^htbin: warning: REACHABLE FROM OTHER MACHINES: .* can read this folder; --bind 127\.0\.0\.1 .*\n$/,
  );
  const withScripts = await startHere(["0", ...HERE, "--bind", "0.0.0.0", "--cgi", "--quiet"]);
  assert.match((await withScripts.stop()).stderr, /can read this folder AND RUN ITS SCRIPTS/);
  const closed = await startHere(["0", ...HERE, "--bind", "localhost"]);
  assert.equal((await closed.stop()).stderr, "");
});

test("a port that was asked for and is in use is an error that names it", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const outcome = await runHere([String(port), ...HERE]);
  other.close();
  assert.equal(outcome.code, 1);
  assert.equal(outcome.stdout, "");
  assert.equal(
    outcome.stderr,
    `htbin: Port ${port} on 127.0.0.1 is already in use; give another, or 0 for any that is free\n`,
  );
});

/** A network where these ports are in use; listens nowhere. */
function networkWithout(...busy: number[]): Network & { readonly tried: number[] } {
  const tried: number[] = [];
  return {
    tried,
    listen(_handler, { hostname, port }) {
      tried.push(port);
      if (busy.includes(port)) {
        return Promise.reject(new ListenError("in-use", `Port ${port} is already in use`));
      }
      return Promise.resolve({ address: { hostname, port }, close: () => Promise.resolve() });
    },
  };
}

test("without a port it is 8000", async () => {
  const server = await startWith(networkWithout());
  assert.equal(server.port, 8000);
  assert.equal((await server.stop()).stderr, "");
});

test("without a port, and 8000 in use, it is the next free one, and that is said", async () => {
  const network = networkWithout(8000, 8001);
  const server = await startWith(network);
  assert.equal(server.port, 8002);
  assert.deepEqual(network.tried, [8000, 8001, 8002]);
  assert.equal((await server.stop()).stderr, "htbin: port 8000 is in use, so this is port 8002\n");
});

test("without a port, and none of a hundred free, it gives up", async () => {
  const network = networkWithout(...Array.from({ length: 200 }, (_, at) => 8000 + at));
  const outcome = await runWith(network);
  assert.equal(outcome.code, 1);
  assert.equal(network.tried.length, 100);
  assert.match(outcome.stderr, /^htbin: Port 8099 is already in use; .*\n$/);
});

test("another reason than a port in use is not a reason to try the next", async () => {
  const network: Network = {
    listen: () =>
      Promise.reject(
        new ListenError("unavailable", "Cannot listen on 192.0.2.1: not an address of this machine"),
      ),
  };
  const outcome = await runWith(network);
  assert.equal(outcome.code, 1);
  assert.equal(outcome.stderr, "htbin: --bind: Cannot listen on 192.0.2.1: not an address of this machine\n");
});

async function startWith(network: Network): ReturnType<typeof startHere> {
  const { runtime } = await import("../../adapters/auto.ts");
  return await startHere(HERE, { ...runtime, network });
}

async function runWith(network: Network): ReturnType<typeof runHere> {
  const { runtime } = await import("../../adapters/auto.ts");
  return await runHere(HERE, { ...runtime, network });
}

const CANNOT: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
  [
    "a folder that is not there",
    ["--directory", "/no/such/folder"],
    /^htbin: --directory: there is no folder \/no\/such\/folder\n$/,
  ],
  [
    "a file as the folder",
    ["--directory", join(folder.path, "file.txt")],
    /^htbin: --directory: .*file\.txt is not a folder\n$/,
  ],
  [
    "an address of another machine",
    [...HERE, "--bind", "192.0.2.1"],
    /^htbin: --bind: Cannot listen on 192\.0\.2\.1: .*\n$/,
  ],
  [
    "a name that is none",
    [...HERE, "--bind", "no-such-host.invalid"],
    /^htbin: --bind: Cannot listen on no-such-host\.invalid: it is not an address of this machine\n$/,
  ],
  [
    "a certificate that is not there",
    [...HERE, "--tls-cert", "/no/cert"],
    /^htbin: --tls-cert: there is no file \/no\/cert\n$/,
  ],
  [
    "a certificate that is none",
    [...HERE, "--tls-cert", join(folder.path, "file.txt")],
    /^htbin: --tls-cert: Cannot use the TLS certificate and key: .*\n$/,
  ],
];

for (const [what, args, message] of CANNOT) {
  test(`${what}: exit status 1 and one line`, async () => {
    const outcome = await runHere(["0", ...args]);
    assert.match(outcome.stderr, message);
    assert.equal(outcome.stdout, "");
    assert.equal(outcome.code, 1);
  });
}

const WRONG: readonly (readonly string[])[] = [
  ["--nonsense"],
  ["--bind"],
  ["not-a-port"],
  ["--cgi-dir", "../outside"],
  ["--trust-proxy", "not-an-address"],
  ["\x1b[31m\nred"],
];

for (const args of WRONG) {
  test(`wrong usage: exit status 2 and one line (${JSON.stringify(args.join(" "))})`, async () => {
    const outcome = await runHere(["0", ...HERE, ...args].slice(args[0]?.startsWith("-") ? 0 : 1));
    assert.equal(outcome.code, 2, outcome.stderr);
    assert.equal(outcome.stdout, "");
    assert.match(outcome.stderr, /^htbin: [^\0-\x1f\x7f-\x9f]+\n$/);
  });
}

test("--help and --version print and are done", async () => {
  const help = await runHere(["--help"]);
  assert.equal(help.code, 0);
  assert.equal(help.stderr, "");
  assert.match(help.stdout, /^Usage: htbin/);
  const version = await runHere(["--version"]);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^htbin (\S+) \((Deno|Bun|Node\.js) \d+\.\d+\.\d+\S*\)\n$/);
  assert.ok(version.stdout.startsWith(`htbin ${VERSION} `));
});

test("HTTPS with a certificate, its key, and the password of the key", async () => {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder.path, stdio: "ignore" });
  const subject = ["-subj", "/CN=localhost", "-days", "2"];
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "key.pem",
    "-out",
    "cert.pem",
    ...subject,
  );
  openssl(
    "rsa",
    "-aes256",
    "-in",
    "key.pem",
    "-out",
    "locked.pem",
    "-passout",
    "pass:geheim",
    "-traditional",
  );
  const path = (name: string) => join(folder.path, name);
  const { writeFileSync, readFileSync } = await import("node:fs");
  writeFileSync(
    path("both.pem"),
    readFileSync(path("cert.pem"), "utf8") + readFileSync(path("key.pem"), "utf8"),
  );
  writeFileSync(path("password"), "geheim\nanother line\n");
  const variants = [
    ["--tls-cert", path("cert.pem"), "--tls-key", path("key.pem")],
    ["--tls-cert", path("both.pem")],
    [
      "--tls-cert",
      path("cert.pem"),
      "--tls-key",
      path("locked.pem"),
      "--tls-password-file",
      path("password"),
    ],
  ];
  for (const flags of variants) {
    const server = await startHere(["0", ...HERE, ...flags]);
    const { port } = server;
    assert.equal(
      server.stdout(),
      `Serving HTTPS on 127.0.0.1 port ${port} (https://127.0.0.1:${port}/) ...\n`,
    );
    assert.equal(await getInsecurely(`${server.url}/`), "HOME");
    await server.stop();
  }
});

function getInsecurely(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpsRequest(url, { rejectUnauthorized: false, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece) => body += piece).on("end", () => resolve(body));
    }).on("error", reject).end();
  });
}

test("a port below 1024 without the right to it is an error", {
  skip: process.getuid?.() === 0 ? "root may use any port" : false,
}, async () => {
  const outcome = await runHere(["1", ...HERE]);
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /^htbin: .*\n$/);
});

test("a free port can be had again at once after the end", async () => {
  const probe = createTcpServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  for (let time = 0; time < 2; time++) {
    const server = await startHere([String(port), ...HERE]);
    assert.equal(await (await fetch(server.url)).text(), "HOME");
    server.signal();
    assert.equal((await server.ended).code, 0);
  }
});

test("--ready-json is one line for programs, in place of the first line for people", async () => {
  const server = await startHere(["0", ...HERE, "--ready-json"]);
  const { port } = server;
  const url = `http://127.0.0.1:${port}/`;
  const line = { url, urls: [url], hostname: "127.0.0.1", port, pid: process.pid };
  assert.deepEqual(JSON.parse(server.stdout()), line);
  assert.ok(port > 0);
  assert.equal(await (await fetch(server.url)).text(), "HOME");
  assert.equal((await server.stop()).stdout.split("\n").length, 2);
});

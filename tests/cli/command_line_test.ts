/**
 * From arguments to settings, or to the one line that says what is wrong.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommandLine } from "../../src/cli/arguments.ts";
import { parseArguments } from "../../src/cli/command_line.ts";
import type { Settings } from "../../src/cli/settings.ts";
import { UsageError } from "../../src/cli/usage_error.ts";

function parseCommandLine(args: readonly string[], version: string): CommandLine {
  const given = parseArguments(args, version);
  return given.kind === "print" ? given : given.complete({ environment: () => undefined, file: null });
}

function settingsOf(...args: string[]): Settings {
  const asked = parseCommandLine(args, "");
  assert.equal(asked.kind, "serve");
  return asked.kind === "serve" ? asked.settings : assert.fail();
}

test("without arguments: Python's defaults, but for this machine only and with CGI off", () => {
  assert.deepEqual(settingsOf(), {
    file: null,
    port: null,
    hostname: "127.0.0.1",
    directory: null,
    tls: null,
    workers: 1,
    protocol: "HTTP/1.1",
    headers: [],
    allowHosts: [],
    auth: null,
    cors: null,
    site: { cgi: false, static: { listing: true }, dotfiles: false, followSymlinks: false },
    log: "common",
    quiet: false,
    readyJson: false,
    open: false,
    qr: false,
    health: false,
    http2: true,
    drainMs: 0,
    graceMs: 10_000,
  });
});

const DEFAULT_SITE = settingsOf().site;

/**
 * What the documentation of http.server shows, from 3.4 to 3.15, without the program's own name. An address that others
 * can reach is asked by any name, as Python's server is.
 */
const PYTHON: readonly (readonly [args: string, settings: Partial<Settings>])[] = [
  ["8000", { port: 8000 }],
  ["9000", { port: 9000 }],
  ["0", { port: 0 }],
  ["8000 --bind 127.0.0.1", { port: 8000, hostname: "127.0.0.1" }],
  ["--bind 127.0.0.1 9000", { port: 9000, hostname: "127.0.0.1" }],
  ["-b ::1", { hostname: "::1" }],
  ["--bind=0.0.0.0", { hostname: "0.0.0.0", allowHosts: null }],
  ["8000 --bind ::", { port: 8000, hostname: "::", allowHosts: null }],
  ["--directory /tmp/", { directory: "/tmp/" }],
  ["-d /tmp", { directory: "/tmp" }],
  ["--protocol HTTP/1.1", { protocol: "HTTP/1.1" }],
  ["-p HTTP/1.0 8000", { port: 8000, protocol: "HTTP/1.0", http2: false }],
  ["--content-type text/html", {
    site: { ...DEFAULT_SITE, static: { listing: true, defaultType: "text/html" } },
  }],
  ["--cgi", { site: { ...DEFAULT_SITE, cgi: {} } }],
  ["--cgi 8000", { port: 8000, site: { ...DEFAULT_SITE, cgi: {} } }],
  ["--header Cache-Control no-store", { headers: [["cache-control", "no-store"]] }],
  ["-H X-A b -H X-C d:e 8000", { port: 8000, headers: [["x-a", "b"], ["x-c", "d:e"]] }],
  ["--tls-cert fullchain.pem --tls-key privkey.pem", { tls: { cert: "fullchain.pem", key: "privkey.pem" } }],
  ["--tls-cert cert.pem", { tls: { cert: "cert.pem" } }],
  ["--tls-cert cert.pem --tls-key key.pem --tls-password-file secret.txt", {
    tls: { cert: "cert.pem", key: "key.pem", password: "secret.txt" },
  }],
];

for (const [args, expected] of PYTHON) {
  test(`htbin ${args}`, () => {
    assert.deepEqual(settingsOf(...args.split(" ")), { ...settingsOf(), ...expected });
  });
}

test("a header is one argument or two, and the next argument is not part of it", () => {
  for (const header of [["X-A: b c"], ["X-A:b c"], ["X-A", "b c"], ["X-A:", "b c"]]) {
    for (const flag of ["-H", "--header"]) {
      const { headers, port } = settingsOf(flag, ...header, "8000");
      assert.deepEqual([headers, port], [[["x-a", "b c"]], 8000], header.join());
    }
  }
  assert.deepEqual(settingsOf("--header=X-A: b").headers, [["x-a", "b"]]);
  assert.deepEqual(settingsOf("-H", "X-Empty", "").headers, [["x-empty", ""]]);
  assert.deepEqual(settingsOf("-H", "X-A", "--quiet").headers, [["x-a", "--quiet"]]);
  // What another flag takes is not a flag.
  assert.deepEqual(settingsOf("--cache", "-H", "8000").headers, []);
});

test("names to answer to", () => {
  assert.deepEqual(settingsOf("--bind", "localhost").allowHosts, []);
  assert.deepEqual(settingsOf("--allow-host", "a.test", "--allow-host", "*").allowHosts, ["a.test", "*"]);
  assert.deepEqual(settingsOf("--bind", "::", "--allow-host", "a.test").allowHosts, ["a.test"]);
});

test("passwords", () => {
  assert.deepEqual(settingsOf("--auth", "ada:1815", "--auth", "bob:a:b c").auth, {
    users: [["ada", "1815"], ["bob", "a:b c"]],
    file: null,
  });
  assert.deepEqual(settingsOf("--auth-file", "users").auth, { users: [], file: "users" });
});

test("sites that may read", () => {
  assert.deepEqual(settingsOf("--cors").cors, {});
  assert.deepEqual(settingsOf("--cors", "--cors-origin", "https://a.test").cors, {
    origins: ["https://a.test"],
    credentials: true,
  });
  assert.deepEqual(settingsOf("--cors-origin", "*").cors, { origins: ["*"], credentials: false });
});

const CGI: readonly (readonly [args: readonly string[], options: Settings["site"]["cgi"]])[] = [
  [["--cgi"], {}],
  [["--cgi", "8000"], {}],
  [["--cgi-dir", "scripts"], { directories: ["scripts"] }],
  [["--cgi-dir", "/a/b/", "--cgi-dir", "./c", "--cgi-dir", "."], { directories: ["a/b", "c", "."] }],
  [["--cgi-ext", ".cgi", "--cgi-ext", "py"], { extensions: [".cgi", ".py"] }],
  [["--cgi-interpreter", ".php=php-cgi"], { interpreters: { ".php": ["php-cgi"] } }],
  [["--cgi-interpreter", 'py="/opt/my python" -I', "--cgi-interpreter", ".pl=perl"], {
    interpreters: { ".py": ["/opt/my python", "-I"], ".pl": ["perl"] },
  }],
  [["--cgi-user", "www-data"], { user: "www-data" }],
  [["--cgi-env", "A=b=c", "--cgi-env", "HOME", "--cgi-env", "E="], {
    env: { A: "b=c", E: "" },
    inheritEnv: ["HOME"],
  }],
  [["--cgi-timeout", "2.5", "--cgi-idle-timeout", "0", "--cgi-total-timeout", ".5"], {
    timeouts: { firstByte: 2.5, idle: 0, total: 0.5 },
  }],
  [["--cgi-max", "2", "--cgi-queue", "0"], { limits: { concurrent: 2, queue: 0 } }],
  [["--cgi-pass-auth"], { passAuthorization: true }],
  [["--cgi-lenient"], { strict: false }],
  [["--cgi-direct"], { direct: true }],
  [["--cgi-development"], { development: true }],
  [["--trust-proxy", "10.0.0.0/8", "--trust-proxy", "::1"], { trustedProxies: ["10.0.0.0/8", "::1"] }],
];

for (const [args, options] of CGI) {
  test(`htbin ${args.join(" ")}`, () => assert.deepEqual(settingsOf(...args).site.cgi, options));
}

test("flags for files", () => {
  const flags = "--index a.html --index b.html --no-listing --clean-urls --spa --precompressed --compress";
  const { site } = settingsOf(
    ...flags.split(" "),
    "--cache",
    "max-age=60",
    "--content-type",
    "text/x",
    "--dotfiles",
  );
  assert.deepEqual(site, {
    cgi: false,
    static: {
      index: ["a.html", "b.html"],
      listing: false,
      cleanUrls: true,
      spa: true,
      precompressed: true,
      compress: true,
      cache: "max-age=60",
      defaultType: "text/x",
    },
    dotfiles: true,
    followSymlinks: false,
  });
  assert.equal(settingsOf("--follow-symlinks").site.followSymlinks, true);
});

test("flags for the output and the end", () => {
  assert.equal(settingsOf("--ready-json").readyJson, true);
  assert.equal(settingsOf("--log", "json").log, "json");
  assert.equal(settingsOf("--log", "none").log, null);
  assert.equal(settingsOf("-q").log, null);
  assert.equal(settingsOf("--quiet", "--log", "json").quiet, true);
  assert.equal(settingsOf("--grace", "0.5").graceMs, 500);
});

test("an address in brackets is the address", () => {
  assert.equal(settingsOf("--bind", "[::1]").hostname, "::1");
});

test("--explain is not a server", () => {
  const asked = parseCommandLine(["--explain", "/cgi-bin/x?y"], "");
  assert.equal(asked.kind, "explain");
  assert.ok(asked.kind === "explain" && asked.target === "/cgi-bin/x?y");
  assert.deepEqual(asked.kind === "explain" && asked.settings.site.cgi, {});
});

const WRONG: readonly (readonly [args: readonly string[], message: string])[] = [
  [["--directry", "x"], "unknown option '--directry': did you mean --directory?"],
  [["--cgi-ecxt", "x"], "unknown option '--cgi-ecxt': did you mean --cgi-ext?"],
  [["--nonsense"], "unknown option '--nonsense': htbin --help lists them all"],
  [["--no-such=thing"], "unknown option '--no-such=thing': htbin --help lists them all"],
  [
    ["-p", "8080"],
    "--protocol takes HTTP/1.0 or HTTP/1.1, not '8080'; the port is given by itself: htbin 8080",
  ],
  [["-p8080"], "--protocol takes HTTP/1.0 or HTTP/1.1, not '8080'; the port is given by itself: htbin 8080"],
  [["-p", "HTTP/2"], "--protocol takes HTTP/1.0 or HTTP/1.1, not 'HTTP/2'"],
  [["-p"], "--protocol needs a value: --protocol <version>"],
  // What may be a password is not shown.
  [["--auth", "secret"], "--auth takes a user and a password: --auth ada:secret"],
  [["--auth", "ada:"], "--auth takes a user and a password: --auth ada:secret"],
  [["--auth", "ada:topsecret", "1", "2"], "only one port can be given: 1 2"],
  [["-H"], "--header needs a value: --header <name value>"],
  [["-H", "X-A"], "--header takes a name and a value: --header X-Name value"],
  [["-H", ": b"], "--header takes a name and a value: --header X-Name value"],
  ...[["X-A", "b\r\nSet-Cookie: c"], ["X-A", "b\n"], ["X-A", "b\0"], ["X A", "b"], ["X-Ä", "b"]].map((
    [name = "", text = ""],
  ) =>
    [
      ["-H", name, text],
      `--header: Cannot set the header ${JSON.stringify(name)}: the name or value holds what a header cannot`,
    ] as const
  ),
  [
    ["-H", "Content-Length", "5"],
    '--header: Cannot set the header "Content-Length": this server sets it',
  ],
  [
    ["-H", "Content-Type: text/html"],
    '--header: Cannot set the header "Content-Type" for every response: each body has its own',
  ],
  [["--port=8000"], "unknown option '--port=8000': the port is given by itself: htbin 8000"],
  [["--host", "x"], "unknown option '--host': the address to listen on is --bind"],
  [["--bind"], "--bind needs a value: --bind <address>"],
  [["--cgi-dir"], "--cgi-dir needs a value: --cgi-dir <path>"],
  [["--bind", ""], "--bind needs a value that is not empty"],
  [["--bind", "8000"], "--bind takes an address, not '8000'; the port is given by itself: htbin 8000"],
  [
    ["-b", "127.0.0.1:80"],
    "--bind takes an address, not '127.0.0.1:80'; address and port are given apart: htbin --bind 127.0.0.1 80",
  ],
  [
    ["--bind", "[::1]:80"],
    "--bind takes an address, not '[::1]:80'; address and port are given apart: htbin --bind [::1] 80",
  ],
  [
    ["localhost:80"],
    "'localhost:80' is not a port; address and port are given apart: htbin --bind localhost 80",
  ],
  [[":80"], "':80' is not a port; address and port are given apart: htbin 80"],
  [["--", "-1"], "port takes a port from 0 to 65535, not '-1'"],
  [["--cgi=yes"], "--cgi takes no value: it is on or not there"],
  [["--no-cgi=yes"], "--no-cgi takes no value: it is on or not there"],
  [["--qr="], "--qr takes no value: it is on or not there"],
  [["public"], "'public' is not a port; to serve a folder: htbin --directory public"],
  [["65536"], "port 65536 is too large: ports go from 0 to 65535"],
  [["8e3"], "'8e3' is not a port; to serve a folder: htbin --directory 8e3"],
  [["1", "2"], "only one port can be given: 1 2"],
  [["--cgi-timeout", "1m"], "--cgi-timeout takes seconds, such as 60 or 0.5, not '1m'"],
  [["--cgi-timeout", "-1"], "--cgi-timeout takes seconds, such as 60 or 0.5, not '-1'"],
  [["--cgi-max", "0"], "--cgi-max takes a whole number from 1, not '0'"],
  [["--cgi-queue", "1.5"], "--cgi-queue takes a whole number from 0, not '1.5'"],
  [["--log", "xml"], "--log takes common, combined, json, none, not 'xml'"],
  [
    ["--cgi-interpreter", "php-cgi"],
    "--cgi-interpreter takes .EXT=PROGRAM, such as .php=php-cgi, not 'php-cgi'",
  ],
  [["--cgi-interpreter", ".php="], "--cgi-interpreter takes .EXT=PROGRAM, such as .php=php-cgi, not '.php='"],
  [["--cgi-ext", "."], "--cgi-ext takes a file ending, such as .cgi, not '.'"],
  [["--cgi-ext", "a/b"], "--cgi-ext takes a file ending, such as .cgi, not 'a/b'"],
  [["--cgi-env", "=x"], "--cgi-env takes NAME=VALUE, or NAME to inherit it, not '=x'"],
  [["--cgi-ext", "php,py"], "--cgi-ext takes one ending at a time, not 'php,py'"],
  [
    ["--cgi-dir", "../x"],
    '--cgi-dir: Cannot use the CGI directory "../x": it must be a path below the root, such as "cgi-bin", or "."',
  ],
  [["--cgi-dir", ""], "--cgi-dir needs a value that is not empty"],
  [
    ["--trust-proxy", "300.1.1.1"],
    '--trust-proxy: Cannot trust the proxy "300.1.1.1": it must be an address or a block of addresses, such as "10.0.0.0/8"',
  ],
  [
    ["--allow-host", "http://a/"],
    '--allow-host: Cannot allow the host "http://a/": give a name without a port, such as wiki.example.com',
  ],
  [
    ["--cors-origin", "app.test"],
    '--cors-origin: Cannot use the origin "app.test": give scheme and host, such as https://app.example.com',
  ],
  [
    ["--content-type", "html"],
    '--content-type: Cannot use "html" as a media type: it has the form "text/plain"',
  ],
  [["--cache", "a\nb"], '--cache: Cannot use "a\\nb" as Cache-Control: it holds what a header cannot'],
  [
    ["--index", "a/b"],
    '--index: Cannot use "a/b" as an index: it is a list of file names, such as ["index.html"]',
  ],
  [
    ["--auth", "a\x07:topsecret"],
    '--auth: Cannot use the user name "a\\u0007": it is empty, or holds what it may not',
  ],
  [
    ["--auth", "ada:top\x07secret"],
    "--auth: Cannot use the password of ada: it is empty, or holds a control character",
  ],
  ...[["--tls-key", "k"], ["--tls-cert", "c"], ["--tls-password-file", "p"]].map((flags) =>
    [
      ["--tls-self-signed", ...flags],
      "--tls-self-signed makes its own certificate and key: leave out the other --tls flags",
    ] as const
  ),
  [["--tls-key", "k"], "--tls-key needs --tls-cert, the certificate it belongs to"],
  [["--tls-password-file", "p"], "--tls-password-file needs --tls-cert, and an encrypted key to open"],
];

for (const [args, message] of WRONG) {
  test(`htbin ${args.join(" ")}: ${message}`, () => {
    assert.throws(() => parseCommandLine(args, ""), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.equal(error.message, message);
      return true;
    });
  });
}

test("--help fits into 80 columns and names every flag once", () => {
  const asked = parseCommandLine(["--help"], "");
  assert.equal(asked.kind, "print");
  const text = asked.kind === "print" ? asked.text : "";
  for (const line of text.split("\n")) assert.ok(line.length <= 80, line);
  assert.match(text, /^Usage: htbin \[options\] \[port\]\n/);
  const flags = Array.from(text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm), ([, flag]) => flag);
  assert.equal(new Set(flags).size, flags.length);
  for (const flag of ["--bind", "--directory", "--cgi", "--cgi-dir", "--cgi-user", "--help", "--version"]) {
    assert.ok(flags.includes(flag), flag);
  }
});

test("--version prints what it was given", () => {
  for (const flag of ["-V", "--version"]) {
    assert.deepEqual(parseCommandLine([flag], "htbin 1"), { kind: "print", text: "htbin 1\n" });
  }
});

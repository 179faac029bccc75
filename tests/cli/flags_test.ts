/**
 * What each flag does, seen on the wire.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { exchange, get, type RawResponse } from "../_http.ts";
import { type Contents, type Folder, makeFolder, script } from "./_folder.ts";
import { runHere, startHere } from "./_in_process.ts";

const isRoot = process.getuid?.() === 0;

const folders: Folder[] = [];
after(() => folders.forEach((folder) => folder.remove()));

function folderOf(contents: Contents): string {
  const folder = makeFolder(contents);
  folders.push(folder);
  return folder.path;
}

/** What a server with these flags answers. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

type Ask = (path: string, init?: RequestInit) => Promise<Answer>;

/** Runs a server for the time of a few questions. Resolves with what it wrote to standard error. */
async function asking(
  directory: string,
  flags: readonly string[],
  questions: (ask: Ask, askRaw: (request: string) => Promise<RawResponse>) => Promise<void>,
): Promise<string> {
  const server = await startHere(["0", "--directory", directory, ...flags]);
  try {
    await questions(async (path, init) => {
      const response = await fetch(server.url + path, { redirect: "manual", ...init });
      return { status: response.status, headers: response.headers, body: await response.text() };
    }, (request) => exchange({ hostname: "127.0.0.1", port: server.port }, request));
  } finally {
    await server.stop();
  }
  return server.stderr();
}

const SITE = folderOf({
  "index.html": "HOME",
  "page.html": "PAGE",
  "start.html": "START",
  "folder/file.txt": "FILE",
  "unknown.xyzzy": "?",
  ".secret": "DOT",
  "link.txt": "-> ../../etc/hostname",
  "app.js": "x".repeat(4000),
  "app.js.gz": "GZIPPED",
  "text.txt": "y".repeat(4000),
  "cgi-bin/env": script("env"),
  "cgi-bin/data.txt": "DATA",
  "cgi-bin/parent": script('echo "$PPID"'),
  "cgi-bin/bad": "#!/bin/sh\necho no head\n",
  "htbin/hello": script("echo HTBIN"),
  "scripts/hello": script("echo SCRIPTS"),
  "elsewhere/run.cgi": script("echo ANYWHERE"),
  "cgi-bin/plain.say": "SOURCE",
  "elsewhere/plain.say": "SOURCE",
});
// What a link out of the folder leads to must be there, whatever machine this is.
const OUTSIDE = folderOf({ "outside.txt": "OUTSIDE" });
const LINKED = folderOf({ "out.txt": `-> ${OUTSIDE}/outside.txt` });

test("without flags: files, a listing, and nothing that is hidden or a script", async () => {
  const log = await asking(SITE, [], async (ask) => {
    assert.equal((await ask("/")).body, "HOME");
    assert.match((await ask("/folder/")).body, /Directory listing for \/folder\//);
    assert.equal((await ask("/folder")).headers.get("location"), "/folder/");
    assert.equal((await ask("/folder/file.txt")).headers.get("cache-control"), "no-cache");
    assert.equal((await ask("/unknown.xyzzy")).headers.get("content-type"), "application/octet-stream");
    for (
      const path of ["/.secret", "/page", "/cgi-bin/env", "/cgi-bin/data.txt", "/htbin/hello", "/cgi-bin/"]
    ) {
      assert.equal((await ask(path)).status, 404, path);
    }
    assert.equal((await ask("/", { method: "POST" })).status, 405);
  });
  assert.match(log, /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4} \d\d:\d\d:\d\d\] "GET \/ HTTP\/1\.1" 200 4$/m);
  assert.match(log, /"GET \/page HTTP\/1\.1" 404 \d+$/m);
});

test("--no-listing", async () => {
  await asking(SITE, ["--no-listing"], async (ask) => {
    assert.equal((await ask("/folder/")).status, 404);
    assert.equal((await ask("/")).body, "HOME");
  });
});

test("--index", async () => {
  await asking(SITE, ["--index", "nothing.html", "--index", "start.html"], async (ask) => {
    assert.equal((await ask("/")).body, "START");
  });
});

test("--index with the name of a script", async () => {
  const folder = folderOf({
    "start.html": "START",
    "run/folder.sh": script("echo RUN"),
    "run/start.html": "",
  });
  const flags = ["--index", "folder.sh", "--index", "start.html"];
  await asking(folder, ["--cgi-ext", ".sh", ...flags], async (ask) => {
    assert.equal((await ask("/")).body, "START");
    assert.equal((await ask("/run/")).body, "RUN\n");
    assert.equal((await ask("/run")).status, 301);
  });
  // It makes nothing a script by itself.
  await asking(folder, ["--index", "folder.sh"], async (ask) => {
    assert.match((await ask("/run/")).body, /^#!/);
  });
});

test("--dotfiles", async () => {
  await asking(SITE, ["--dotfiles"], async (ask) => {
    assert.equal((await ask("/.secret")).body, "DOT");
  });
});

test("--follow-symlinks", async () => {
  await asking(LINKED, [], async (ask) => assert.equal((await ask("/out.txt")).status, 404));
  await asking(LINKED, ["--follow-symlinks"], async (ask) => {
    assert.equal((await ask("/out.txt")).body, "OUTSIDE");
  });
});

test("--clean-urls", async () => {
  await asking(SITE, ["--clean-urls"], async (ask) => assert.equal((await ask("/page")).body, "PAGE"));
});

test("--spa", async () => {
  await asking(SITE, ["--spa"], async (ask) => {
    assert.equal((await ask("/a/route", { headers: { accept: "text/html" } })).body, "HOME");
    assert.equal((await ask("/missing.js", { headers: { accept: "text/html" } })).status, 404);
  });
});

test("--precompressed", async () => {
  const headers = { "accept-encoding": "gzip" };
  await asking(SITE, [], async (ask) => {
    assert.equal((await ask("/app.js", { headers })).headers.get("content-encoding"), null);
  });
  await asking(SITE, ["--precompressed"], async (ask) => {
    // Not a GET: the client would want to unpack what is no gzip at all.
    const { headers: answered } = await ask("/app.js", { method: "HEAD", headers });
    assert.equal(answered.get("content-encoding"), "gzip");
  });
});

test("--compress", async () => {
  await asking(SITE, ["--compress"], async (ask, askRaw) => {
    const { headers, body } = await ask("/text.txt", { headers: { "accept-encoding": "gzip" } });
    assert.match(headers.get("vary") ?? "", /accept-encoding/i);
    assert.equal(body, "y".repeat(4000));
    // fetch() unpacks it and may drop what says so.
    const sent = await askRaw(get("/text.txt", "Accept-Encoding: gzip"));
    assert.equal(sent.header("content-encoding"), "gzip");
    assert.deepEqual([...sent.body.slice(0, 2)], [0x1f, 0x8b]);
    assert.ok(sent.body.length < 1000);
    assert.equal((await askRaw(get("/text.txt"))).header("content-encoding"), null);
  });
});

test("--cache and --content-type", async () => {
  await asking(SITE, ["--cache", "max-age=60", "--content-type", "text/x-thing"], async (ask) => {
    const { headers } = await ask("/unknown.xyzzy");
    assert.equal(headers.get("cache-control"), "max-age=60");
    assert.match(headers.get("content-type") ?? "", /^text\/x-thing/);
  });
});

test("--cgi runs what is in cgi-bin and htbin", async () => {
  await asking(SITE, ["--cgi"], async (ask) => {
    const { status, body } = await ask("/cgi-bin/env/extra?a=b");
    assert.equal(status, 200);
    assert.match(body, /^PATH_INFO=\/extra$/m);
    assert.match(body, /^QUERY_STRING=a=b$/m);
    assert.match(body, /^SCRIPT_NAME=\/cgi-bin\/env$/m);
    assert.equal((await ask("/htbin/hello")).body, "HTBIN\n");
    assert.equal((await ask("/cgi-bin/data.txt")).status, 403);
    assert.equal((await ask("/cgi-bin/missing")).status, 404);
    assert.equal((await ask("/elsewhere/run.cgi")).status, 200);
    const posted = await ask("/page.html", { method: "POST" });
    assert.equal(posted.status, 501);
    assert.match(posted.body, /Can only POST to CGI scripts/);
  });
});

test("--cgi-dir takes the place of the two folders, and implies --cgi", async () => {
  await asking(SITE, ["--cgi-dir", "/scripts/"], async (ask) => {
    assert.equal((await ask("/scripts/hello")).body, "SCRIPTS\n");
    assert.match((await ask("/cgi-bin/env")).body, /^#!/);
  });
  await asking(SITE, ["--cgi-dir", "."], async (ask) => {
    assert.equal((await ask("/elsewhere/run.cgi")).body, "ANYWHERE\n");
    assert.equal((await ask("/page.html")).status, 403);
  });
});

test("--cgi-dir with a folder that is not there starts all the same, and says so", async () => {
  const log = await asking(
    SITE,
    ["--cgi-dir", "scripst", "--cgi-dir", "scripts", "--cgi-dir", "."],
    async (ask) => {
      assert.equal((await ask("/scripts/hello")).body, "SCRIPTS\n");
    },
  );
  assert.deepEqual(log.match(/^htbin: warning: there is no folder (\S+) for scripts in \S+$/gm)?.length, 1);
  assert.match(log, /no folder scripst for scripts/);
});

test("--cgi-ext", async () => {
  await asking(SITE, ["--cgi-ext", "cgi"], async (ask) => {
    assert.equal((await ask("/elsewhere/run.cgi")).body, "ANYWHERE\n");
    assert.match((await ask("/cgi-bin/env")).body, /^SCRIPT_NAME=\/cgi-bin\/env$/m);
  });
});

test("--cgi-interpreter runs what is not executable, and its source is not sent elsewhere", async () => {
  const program = `.say=/bin/sh -c "printf 'Content-Type: text/plain\\n\\n'; echo ran" --`;
  // The quotes above keep the words together, as in a shell.
  await asking(SITE, ["--cgi-interpreter", program], async (ask) => {
    assert.equal((await ask("/cgi-bin/plain.say")).body, "ran\n");
    const elsewhere = await ask("/elsewhere/plain.say");
    assert.equal(elsewhere.status, 404);
    assert.doesNotMatch(elsewhere.body, /SOURCE/);
  });
});

test("--cgi-env", async () => {
  const flags = ["--cgi-env", "COLOUR=deep blue", "--cgi-env", "HTBIN_TEST_INHERITED"];
  process.env["HTBIN_TEST_INHERITED"] = "yes";
  process.env["HTBIN_TEST_SECRET"] = "no";
  await asking(SITE, flags, async (ask) => {
    const { body } = await ask("/cgi-bin/env");
    assert.match(body, /^COLOUR=deep blue$/m);
    assert.match(body, /^HTBIN_TEST_INHERITED=yes$/m);
    assert.doesNotMatch(body, /HTBIN_TEST_SECRET/);
  });
});

test("--cgi-pass-auth", async () => {
  const headers = { authorization: "Basic YTpi" };
  await asking(SITE, ["--cgi"], async (ask) => {
    assert.doesNotMatch((await ask("/cgi-bin/env", { headers })).body, /AUTHORIZATION/);
  });
  await asking(SITE, ["--cgi-pass-auth"], async (ask) => {
    assert.match((await ask("/cgi-bin/env", { headers })).body, /^HTTP_AUTHORIZATION=Basic YTpi$/m);
  });
});

test("--cgi-lenient", async () => {
  await asking(SITE, ["--cgi"], async (ask) => {
    assert.equal((await ask("/cgi-bin/bad")).status, 502);
  });
  await asking(SITE, ["--cgi-lenient"], async (ask) => {
    const { status, body } = await ask("/cgi-bin/bad");
    assert.equal(status, 200);
    assert.match(body, /^no head/);
  });
});

test("--cgi-direct", async () => {
  await asking(SITE, ["--cgi-direct"], async (ask) => {
    for (let round = 0; round < 5; round++) {
      assert.equal((await ask("/cgi-bin/parent")).body, `${process.pid}\n`);
    }
  });
});

test("--cgi-development", async () => {
  const headers = { accept: "text/plain" };
  await asking(SITE, ["--cgi"], async (ask) => {
    assert.doesNotMatch((await ask("/cgi-bin/bad", { headers })).body, /no head/);
  });
  await asking(SITE, ["--cgi-development"], async (ask) => {
    assert.match((await ask("/cgi-bin/bad", { headers })).body, /First bytes of its output:\nno head/);
  });
});

test("--trust-proxy", async () => {
  const headers = { "x-forwarded-for": "192.0.2.7" };
  await asking(SITE, ["--cgi"], async (ask) => {
    assert.match((await ask("/cgi-bin/env", { headers })).body, /^REMOTE_ADDR=127\.0\.0\.1$/m);
  });
  await asking(SITE, ["--trust-proxy", "127.0.0.1"], async (ask) => {
    assert.match((await ask("/cgi-bin/env", { headers })).body, /^REMOTE_ADDR=192\.0\.2\.7$/m);
  });
});

const SLOW = folderOf({
  "cgi-bin/silent": "#!/bin/sh\nexec sleep 60\n",
  "cgi-bin/goes-on": script(
    "at=0; while [ $at -lt $QUERY_STRING ]; do at=$((at + 1)); echo $at; sleep 0.1; done",
  ),
  "cgi-bin/stalls": "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nbegun'\nexec sleep 60\n",
});

test("--cgi-timeout", async () => {
  await asking(SLOW, ["--cgi-timeout", "0.2"], async (ask) => {
    assert.equal((await ask("/cgi-bin/silent")).status, 504);
  });
});

test("--cgi-idle-timeout breaks off what stalls, and nothing that goes on", async () => {
  await asking(SLOW, ["--cgi-idle-timeout", "0.5"], async (ask) => {
    await assert.rejects(ask("/cgi-bin/stalls"), "it must not look complete");
    assert.match((await ask("/cgi-bin/goes-on?8")).body, /8\n$/);
  });
});

test("--cgi-total-timeout breaks off what goes on for too long", async () => {
  await asking(SLOW, ["--cgi-total-timeout", "0.5"], async (ask) => {
    assert.match((await ask("/cgi-bin/goes-on?1")).body, /1\n$/);
    await assert.rejects(ask("/cgi-bin/goes-on?600"), "it must not look complete");
  });
});

test("--cgi-max and --cgi-queue", async () => {
  await asking(SLOW, ["--cgi-max", "1", "--cgi-queue", "0", "--cgi-timeout", "2"], async (ask) => {
    const answers = await Promise.all([ask("/cgi-bin/silent"), ask("/cgi-bin/silent")]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [503, 504]);
    assert.match(answers.find(({ status }) => status === 503)?.headers.get("retry-after") ?? "", /^\d+$/);
  });
});

test("--cgi-user", { skip: isRoot ? false : "only root may become somebody else" }, async () => {
  const folder = folderOf({ "cgi-bin/id": script("id -u; id -g") });
  const asRoot = await asking(folder, ["--cgi"], async (ask) => {
    const { body } = await ask("/cgi-bin/id");
    assert.doesNotMatch(body, /^0$/m);
  });
  assert.equal(asRoot.match(/^htbin: started as root: scripts run as nobody \(\d+:\d+\)$/gm)?.length, 1);
  const asOther = await asking(folder, ["--cgi-user", "12345:54321"], async (ask) => {
    assert.equal((await ask("/cgi-bin/id")).body, "12345\n54321\n");
  });
  assert.match(asOther, /^htbin: scripts run as 12345:54321$/m);
});

test("--cgi-user that does not exist keeps the server from starting", async () => {
  const outcome = await runHere(["0", "--directory", SITE, "--cgi-user", "no-such-user-here"]);
  assert.equal(outcome.code, 1);
  assert.equal(outcome.stdout, "");
  assert.match(outcome.stderr, /^htbin: --cgi-user: Cannot run scripts as no-such-user-here: .*\n$/);
});

test("--log combined", async () => {
  const log = await asking(SITE, ["--log", "combined"], async (ask) => {
    await ask("/", { headers: { "user-agent": "Tester/1 \x9b", referer: "http://r/" } });
  });
  assert.match(
    log,
    /^127\.0\.0\.1 - - \[[^\]]* [+-]\d{4}\] "GET \/ HTTP\/1\.1" 200 4 ".*" "Tester\/1 \\x9b"$/m,
  );
});

test("--log json: one object for each request, and how its script ended", async () => {
  const folder = folderOf({ "file.txt": "FILE", "cgi-bin/fails": script("echo out; exit 3") });
  const own = isRoot ? ["--cgi-user", "root"] : [];
  const log = await asking(folder, ["--log", "json", "--cgi", ...own], async (ask) => {
    await ask("/file.txt?x=1", { headers: { "user-agent": "Tester/1", referer: "http://r/" } });
    await ask("/cgi-bin/fails").catch(() => {});
  });
  const events = log.trim().split("\n").map((line) => JSON.parse(line));
  const [file, failed] = events.filter(({ type }) => type === "access");
  const { time, id, durationMs, ...rest } = file;
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.ok(durationMs > 0 && durationMs < 60_000);
  assert.deepEqual(rest, {
    type: "access",
    remote: "127.0.0.1",
    user: null,
    method: "GET",
    path: "/file.txt",
    query: "x=1",
    protocol: "HTTP/1.1",
    status: 200,
    bytes: 4,
    complete: true,
    script: null,
    pid: null,
    exitStatus: null,
    signal: null,
    referer: "http://r/",
    userAgent: "Tester/1",
  });
  assert.deepEqual(Object.keys(failed), Object.keys(file));
  assert.equal(failed.exitStatus, 3);
  assert.match(failed.script, /\/cgi-bin\/fails$/);
  const exit = events.find(({ type }) => type === "script-exit");
  assert.deepEqual([exit.id, exit.pid, exit.exitStatus], [failed.id, failed.pid, 3]);
});

test("--log none and --quiet keep failures", async () => {
  const folder = folderOf({
    "cgi-bin/complains": `#!/bin/sh\necho to-the-log >&2\nprintf 'Content-Type: text/plain\\n\\n'\n`,
  });
  for (const flags of [["--log", "none"], ["--quiet"]]) {
    const log = await asking(folder, ["--cgi", ...flags], async (ask) => {
      assert.equal((await ask("/cgi-bin/complains")).status, 200);
    });
    assert.match(log, /complains\[\d+\] #[0-9a-f]{8}: to-the-log$/m);
    assert.doesNotMatch(log, /GET/);
    if (flags.includes("--quiet")) assert.equal(log.trim().split("\n").length, 1);
  }
});

test("--explain tells what would run, and starts nothing", async () => {
  const found = await runHere(["--directory", SITE, "--explain", "/cgi-bin/env/more?a=b"]);
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stdout, /^script +.*\/cgi-bin\/env$/m);
  assert.match(found.stdout, /^ +PATH_INFO=\/more$/m);
  const missing = await runHere(["--directory", SITE, "--explain", "/cgi-bin/nothing"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stdout, /^404: /);
  const wrong = await runHere(["--directory", SITE, "--explain", "ftp://x/"]);
  assert.equal(wrong.code, 2);
});

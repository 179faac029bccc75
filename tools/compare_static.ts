/**
 * Sends the same requests to this server on its three runtimes and to nginx,
 * Apache and Caddy, as Debian packages them, and prints where the answers
 * differ, header by header. `docs/static-differences.md` gives the reasons.
 *
 *     apt-get install nginx apache2 caddy
 *     npm run build && deno run -A tools/compare_static.ts
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { connect, type RawResponse } from "../tests/_http.ts";
import { LAST_MODIFIED, removeSiteFixture, siteFixture } from "../tests/static/_site_fixture.ts";

/** A request of the matrix: its first line without the protocol, and headers. */
type Asked = readonly [line: string, ...headers: string[]];

/** Stands for the entity tag that the same server gave before. */
const TAG = "{E}";

const REQUESTS: readonly Asked[] = [
  ["GET /hello.txt"],
  ["HEAD /hello.txt"],
  ["GET /empty.txt"],
  ["GET /nope.txt"],
  ["HEAD /nope.txt"],
  ["GET /noext"],
  ["GET /img.png"],
  ["GET /future.txt"],
  ["GET /epoch.txt"],
  ["POST /hello.txt", "Content-Length: 0"],
  ["DELETE /nope.txt"],
  ["OPTIONS /hello.txt"],
  ["BREW /hello.txt"],
  ["GET /"],
  ["GET /sub"],
  ["GET /sub?a=b"],
  ["GET /sub/"],
  ["GET /htm/"],
  ["GET /hello.txt/"],
  ["GET /hello.txt/more"],
  ["GET //sub//index.html"],
  ["GET /sub/../hello.txt"],
  ["GET /../hello.txt"],
  ["GET /sub%2Findex.html"],
  ["GET /sub%5Cindex.html"],
  ["GET /%00"],
  ["GET /%ZZ"],
  ["GET /%FF.txt"],
  [`GET /${"a".repeat(300)}`],
  ["GET /list/"],
  ["HEAD /list/"],
  ["GET /list/", "Accept: application/json"],
  ["GET /.env"],
  ["GET /.well-known/security.txt"],
  ["GET /out.txt"],
  ["GET /broken"],
  ["GET /hello.txt", `If-None-Match: ${TAG}`],
  ["GET /hello.txt", `If-None-Match: W/${TAG}`],
  ["GET /hello.txt", "If-None-Match: *"],
  ["GET /hello.txt", `If-Modified-Since: ${LAST_MODIFIED}`],
  ["GET /hello.txt", "If-Modified-Since: Thu, 02 Jan 2025 03:04:05 GMT"],
  ["GET /hello.txt", "If-Modified-Since: Tue Jan  2 03:04:05 2024"],
  ["GET /hello.txt", 'If-Match: "x"'],
  ["GET /hello.txt", "If-Match: *"],
  ["GET /hello.txt", "If-Unmodified-Since: Mon, 18 Nov 1974 00:00:00 GMT"],
  ["GET /nope.txt", "If-None-Match: *"],
  ["GET /hello.txt", "Range: bytes=0-0"],
  ["GET /hello.txt", "Range: bytes=-3"],
  ["GET /hello.txt", "Range: bytes=-999"],
  ["GET /hello.txt", "Range: bytes=-0"],
  ["GET /hello.txt", "Range: bytes=10-"],
  ["GET /hello.txt", "Range: bytes=5-2"],
  ["GET /hello.txt", "Range: items=0-1"],
  ["GET /hello.txt", "Range: BYTES=0-1"],
  ["GET /hello.txt", "Range: bytes=0-1,5-6"],
  ["GET /hello.txt", "Range: bytes=0-2,3-5"],
  ["GET /hello.txt", "Range: bytes=0-1,50-60"],
  ["GET /empty.txt", "Range: bytes=0-0"],
  ["HEAD /hello.txt", "Range: bytes=0-1"],
  ["GET /hello.txt", "Range: bytes=0-1", `If-Range: ${TAG}`],
  ["GET /hello.txt", "Range: bytes=0-1", `If-Range: ${LAST_MODIFIED}`],
  ["GET /hello.txt", "Range: bytes=0-1", 'If-Range: "x"'],
  ["GET /app.js"],
  ["GET /app.js", "Accept-Encoding: gzip, br, zstd"],
  ["GET /app.js", "Accept-Encoding: gzip"],
  ["GET /app.js", "Accept-Encoding: gzip;q=0"],
  ["GET /app.js", "Accept-Encoding: gzip", "Range: bytes=0-3"],
  ["GET /app.js.gz"],
];

interface Contestant {
  readonly name: string;
  readonly port: number;
  stop(): void;
}

/** How each is started. */
const COMMANDS: Readonly<
  Record<string, (port: number) => readonly string[]>
> = {
  deno: (port) => [bin("deno"), "run", "-A", "mod.ts", ...flags(port)],
  bun: (port) => [bin("bun"), "mod.ts", ...flags(port)],
  node: (port) => ["node", "dist/cli.js", ...flags(port)],
  nginx: (port) => ["nginx", "-c", write("nginx.conf", nginx(port))],
  apache: (port) => ["apache2", "-X", "-f", write("apache.conf", apache(port))],
  caddy: (port) => [
    ...["caddy", "run", "--adapter", "caddyfile", "--config"],
    write("Caddyfile", caddy(port)),
  ],
};

/** Names of those to compare; all when none is given. */
const chosen = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "htbin-compare-"));
const { site } = siteFixture();
const contestants: Contestant[] = [];
/** Differences, as they are printed, and the requests that show them. */
const differences = new Map<string, string[]>();
try {
  for (const [name, command] of Object.entries(COMMANDS)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    contestants.push(await start(name, command));
  }
  for (const asked of REQUESTS) await compare(asked);
  printDifferences();
} finally {
  for (const contestant of contestants) contestant.stop();
  removeSiteFixture();
  rmSync(folder, { recursive: true, force: true });
}

function bin(name: string): string {
  return join("node_modules", ".bin", name);
}

function flags(port: number): string[] {
  return [`${port}`, "--directory", site, "--precompressed", "--quiet"];
}

function nginx(port: number): string {
  return `
    daemon off; user root; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
    include /etc/nginx/modules-enabled/*.conf;
    events {}
    http {
      include /etc/nginx/mime.types; default_type application/octet-stream;
      charset utf-8; access_log off; gzip_static on; gzip_vary on;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi;
      scgi_temp_path ${folder}/scgi;
      server {
        listen 127.0.0.1:${port}; root ${site}; autoindex on;
        index index.html index.htm;
      }
    }`;
}

function apache(port: number): string {
  const modules = ["mpm_event", "authz_core", "dir", "mime", "autoindex"];
  return `
    ServerRoot ${folder}
    ServerName localhost
    Listen 127.0.0.1:${port}
    PidFile ${folder}/apache.pid
    ErrorLog ${folder}/apache.log
    ${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
    TypesConfig /etc/mime.types
    AddDefaultCharset utf-8
    DocumentRoot ${site}
    DirectoryIndex index.html index.htm
    <Directory ${site}>
      Options Indexes SymLinksIfOwnerMatch
      Require all granted
    </Directory>`;
}

function caddy(port: number): string {
  return `{
    admin off
    auto_https off
  }
  http://:${port} {
    bind 127.0.0.1
    root * ${site}
    file_server browse {
      precompressed zstd br gzip
      index index.html index.htm
    }
  }`;
}

function write(name: string, content: string): string {
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Starts a server on a free port, and waits until it answers. */
async function start(
  name: string,
  command: (port: number) => readonly string[],
): Promise<Contestant> {
  const port = await freePort();
  const [program, ...args] = command(port);
  const child: ChildProcess = spawn(program!, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, HOME: folder },
  });
  let complaint = "";
  child.stderr!.on("data", (piece) => complaint += piece);
  child.once("error", (error) => complaint += error.message);
  const deadline = performance.now() + 15_000;
  while (true) {
    try {
      (await connect({ hostname: "127.0.0.1", port })).close();
      return { name, port, stop: () => void child.kill("SIGTERM") };
    } catch {
      if (child.exitCode !== null || performance.now() > deadline) {
        child.kill("SIGKILL");
        throw new Error(`${name} did not start: ${complaint}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Notes the rows in which the answers are not all the same. */
async function compare([line, ...headers]: Asked): Promise<void> {
  const columns: Map<string, string>[] = [];
  for (const contestant of contestants) {
    columns.push(await answer(contestant, line, headers));
  }
  const title = [line.replace(/a{99,}/, "aaa..."), ...headers].join("; ");
  const names = new Set(columns.flatMap((column) => [...column.keys()]));
  for (const name of names) {
    const cells = columns.map((column) => column.get(name) ?? "-");
    if (new Set(cells).size === 1) continue;
    const difference = `${name}\n${groups(cells)}`;
    differences.set(difference, [
      ...differences.get(difference) ?? [],
      title,
    ]);
  }
}

/** Who says what, one line for each that is said. */
function groups(cells: readonly string[]): string {
  const said = new Map<string, string[]>();
  cells.forEach((cell, at) => {
    said.set(cell, [...said.get(cell) ?? [], contestants[at]!.name]);
  });
  return Array.from(said, ([cell, who]) => `    ${who.join(" ").padEnd(24)} ${cell}`).join("\n");
}

/** Each difference once, with the requests that show it. */
function printDifferences(): void {
  const sorted = [...differences].sort(([a], [b]) => a < b ? -1 : 1);
  for (const [difference, requests] of sorted) {
    print(`${difference}\n${requests.map((title) => `  ${title}`).join("\n")}\n`);
  }
}

async function answer(
  { port }: Contestant,
  line: string,
  headers: readonly string[],
): Promise<Map<string, string>> {
  const tag = headers.some((header) => header.includes(TAG))
    ? (await send(port, "GET /hello.txt", []))?.header("etag") ?? ""
    : "";
  const sent = headers.map((header) => header.replace(TAG, tag));
  const response = await send(port, line, sent);
  if (response === null) return new Map([["status", "no response"]]);
  return describe(response);
}

async function send(
  port: number,
  line: string,
  headers: readonly string[],
): Promise<RawResponse | null> {
  const connection = await connect({ hostname: "127.0.0.1", port });
  try {
    const lines = [`${line} HTTP/1.1`, "Host: localhost", ...headers];
    await connection.send(
      [...lines, "Connection: close", "", ""].join("\r\n"),
    );
    const method = line.split(" ", 1)[0]!;
    return await connection.response({ method });
  } catch {
    return null;
  } finally {
    connection.close();
  }
}

/** What is compared: values that must differ are replaced by what they are. */
function describe(response: RawResponse): Map<string, string> {
  const fields = new Map<string, string>([
    ["status", `${response.status} ${response.reason}`],
  ]);
  const listed = /<a href/.test(response.text);
  for (const [name, value] of response.headers) {
    fields.set(name.toLowerCase(), describeHeader(name, value, response));
  }
  if (response.status < 300 && !listed) {
    const [, boundary = "none"] = /boundary=(.*)/.exec(response.header("content-type") ?? "") ?? [];
    const text = response.text.replaceAll(boundary, "…");
    fields.set("body", JSON.stringify(text.slice(0, 60)));
  }
  return fields;
}

function describeHeader(
  name: string,
  value: string,
  { status, text }: RawResponse,
): string {
  switch (name.toLowerCase()) {
    case "date":
    case "server":
      return "(there)";
    case "etag":
      return value.startsWith("W/") ? "(weak)" : "(strong)";
    case "content-length":
      // Pages of our own making have their own length.
      return status >= 300 || /<a href|^\[/.test(text) ? "(there)" : value;
    case "last-modified":
      return value === LAST_MODIFIED ? "LM" : value.replace(/\d\d:\d\d:\d\d/, "…");
    default:
      return value.replace(/boundary=.*/, "boundary=…");
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

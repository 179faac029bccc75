/**
 * What lies between `node:http` and a fetch handler: this project's bridge beside @hono/node-server and srvx.
 *
 *     npm run build && node bench/node_bridge.mjs                speed, as ratios to node:http by hand
 *     npm run build && node bench/node_bridge.mjs --behaviour    what becomes of hard requests and responses
 *
 * `--runtime bun` runs the servers on Bun, beside Bun.serve. `--rounds 3` `--seconds 3`. Needs wrk (Debian has it); the
 * peers are installed to a temporary directory.
 */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/** Versions measured last. */
const peers = ["@hono/node-server@2.1.8", "srvx@1.0.8"];
const mebibyte = 1024 * 1024;
const upload = 10 * mebibyte;
const download = 100 * mebibyte;

const { values } = parseArgs({
  options: {
    behaviour: { type: "boolean", default: false },
    runtime: { type: "string", default: "node" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    serve: { type: "string" },
    peers: { type: "string" },
  },
});

// ---------------------------------------------------------------- the servers

async function serve(contender, directory) {
  const load = (name) => import(pathToFileURL(join(directory, "node_modules", name)).href);
  const dist = new URL("../dist/", import.meta.url);
  const { respond } = await import(new URL("src/response.js", dist));
  const bytes = new Uint8Array(1024).fill(97);
  const fields = { "content-type": "text/plain", "content-length": "1024", "etag": '"abc"' };
  const make = contender === "htbin"
    ? (body, headers) => respond(200, new Headers(headers), body)
    : (body, headers) => new Response(body, { headers });
  async function handler(request) {
    switch (new URL(request.url).pathname) {
      case "/get":
        return make("Hello", { "content-type": "text/plain" });
      case "/static":
        return make(bytes, fields);
      case "/upload": {
        let length = 0;
        for await (const piece of request.body) length += piece.length;
        return make(String(length), {});
      }
      case "/download":
        return make(zeros(download), { "content-type": "application/octet-stream" });
      default:
        return behave(request);
    }
  }
  const port = await listeners[contender](handler, load, { bytes, fields, dist });
  process.stdout.write(`${port}\n`);
}

function zeros(length) {
  let left = length;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      controller.enqueue(new Uint8Array(65536));
      left -= 65536;
    },
  }, { highWaterMark: 0 });
}

const listeners = {
  async raw(_handler, _load, { bytes, fields }) {
    const { createServer } = await import("node:http");
    const server = createServer((incoming, outgoing) => {
      if (incoming.url === "/upload") {
        let length = 0;
        incoming.on("data", (piece) => length += piece.length);
        incoming.on("end", () => outgoing.end(String(length)));
      } else if (incoming.url === "/download") {
        const piece = new Uint8Array(65536);
        let left = download;
        (function send() {
          while (left > 0) {
            left -= piece.length;
            if (!outgoing.write(piece)) return outgoing.once("drain", send);
          }
          outgoing.end();
        })();
      } else if (incoming.url === "/static") {
        outgoing.writeHead(200, fields);
        outgoing.end(bytes);
      } else {
        outgoing.writeHead(200, { "content-type": "text/plain", "content-length": "5" });
        outgoing.end("Hello");
      }
    });
    return await listening(server);
  },
  async htbin(handler, _load, { dist }) {
    const { listen } = await import(new URL("adapters/shared/node_http/listener.js", dist));
    const listener = await listen(handler, { hostname: "127.0.0.1", port: 0 });
    return listener.address.port;
  },
  /** The same for responses that this project did not make. */
  "htbin, any Response": (...all) => listeners.htbin(...all),
  async "@hono/node-server"(handler, load) {
    const { createServer } = await import("node:http");
    const { getRequestListener } = await load("@hono/node-server/dist/index.mjs");
    return await listening(createServer(getRequestListener(handler, { overrideGlobalObjects: false })));
  },
  async srvx(handler, load) {
    const { createServer } = await import("node:http");
    const { toNodeHandler } = await load("srvx/dist/adapters/node.mjs");
    return await listening(createServer(toNodeHandler(handler)));
  },
  // deno-lint-ignore require-await -- like the others
  async "Bun.serve"(handler) {
    const { Bun } = globalThis;
    return Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, development: false, fetch: handler })
      .port;
  },
};

function listening(server) {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server.address().port));
  });
}

// ------------------------------------------------------------------ the speed

async function main() {
  const directory = mkdtempSync(join(tmpdir(), "htbin-bench-"));
  try {
    writeFileSync(join(directory, "package.json"), "{}");
    execFileSync("npm", ["install", "--silent", "--no-audit", "--no-fund", ...peers], { cwd: directory });
    if (values.behaviour) await behaviour(directory);
    else await speed(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function contenders() {
  const all = Object.keys(listeners);
  return values.runtime === "bun" ? all : all.filter((name) => name !== "Bun.serve");
}

async function started(contender, directory) {
  const self = fileURLToPath(import.meta.url);
  const child = spawn(values.runtime, [self, "--serve", contender, "--peers", directory], {
    stdio: ["ignore", "pipe", values.behaviour ? "ignore" : "inherit"],
  });
  const port = await new Promise((resolve, reject) => {
    child.stdout.once("data", (text) => resolve(Number(text)));
    child.once("exit", () => reject(new Error(`${contender} ended before it listened`)));
  });
  return { port, pid: child.pid, stop: () => child.kill("SIGKILL") };
}

async function speed(directory) {
  const scenarios = { get: requests, static: requests, upload: uploads, download: downloads };
  const seen = new Map();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [scenario, load] of Object.entries(scenarios)) {
      for (const contender of contenders()) {
        const server = await started(contender, directory);
        await load(server.port, `/${scenario}`, 0.5);
        const before = cpu(server.pid);
        const done = await load(server.port, `/${scenario}`, Number(values.seconds));
        const used = cpu(server.pid) - before;
        const key = `${scenario} ${contender}`;
        seen.set(key, [...seen.get(key) ?? [], { rate: done.units / done.seconds, cost: used / done.units }]);
        server.stop();
      }
    }
  }
  const { stdout } = spawnSync(values.runtime, ["--version"], { encoding: "utf8" });
  process.stdout.write(
    `${values.runtime} ${stdout.trim()}; to node:http by hand = 1; median (least, most)\n\n`,
  );
  process.stdout.write("| | throughput | CPU for each |\n|---|---|---|\n");
  for (const scenario of Object.keys(scenarios)) {
    const raw = seen.get(`${scenario} raw`);
    for (const contender of contenders()) {
      const rounds = seen.get(`${scenario} ${contender}`);
      const rate = ratios(rounds.map((one, round) => one.rate / raw[round].rate));
      const cost = ratios(rounds.map((one, round) => one.cost / raw[round].cost));
      process.stdout.write(`| ${scenario}, ${contender} | ${rate} | ${cost} |\n`);
    }
  }
}

function ratios(values) {
  const sorted = values.toSorted((a, b) => a - b).map((value) => value.toFixed(2));
  return `${sorted[Math.floor(sorted.length / 2)]} (${sorted[0]}, ${sorted.at(-1)})`;
}

/** Seconds of processor time so far. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function requests(port, path, seconds) {
  const duration = `${Math.max(1, Math.round(seconds))}s`;
  return new Promise((resolve, reject) => {
    const wrk = spawn("wrk", ["-t1", "-c32", `-d${duration}`, `http://127.0.0.1:${port}${path}`]);
    let text = "";
    wrk.stdout.on("data", (piece) => text += piece);
    wrk.on("error", reject);
    wrk.on("exit", () => {
      const [, count, , taken] = /(\d+) requests in ([\d.]+)?(([\d.]+)s)/.exec(text) ?? [];
      resolve({ units: Number(count), seconds: Number(taken) || Number(duration.slice(0, -1)) });
    });
  });
}

const piece = new Uint8Array(256 * 1024);

/** One connection, one upload after the other; a unit is a mebibyte. */
function uploads(port, path, seconds) {
  return exchanges(port, seconds, upload, async (socket) => {
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${upload}\r\n\r\n`);
    for (let sent = 0; sent < upload; sent += piece.length) {
      if (!socket.write(piece)) await new Promise((resolve) => socket.once("drain", resolve));
    }
    await until(socket, (text) => text.endsWith(String(upload)) || text.includes(`\n${upload}\r\n`));
  });
}

function downloads(port, path, seconds) {
  return exchanges(port, seconds, download, async (socket) => {
    let length = 0;
    const whole = new Promise((resolve) => {
      socket.on("data", function count(bytes) {
        length += bytes.length;
        if (length < download) return;
        socket.off("data", count);
        resolve();
      });
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await whole;
  });
}

async function exchanges(port, seconds, size, once) {
  const start = performance.now();
  let units = 0;
  while (performance.now() - start < seconds * 1000) {
    const socket = connect(port, "127.0.0.1");
    await once(socket);
    socket.destroy();
    units += size / mebibyte;
  }
  return { units, seconds: (performance.now() - start) / 1000 };
}

function until(socket, isDone) {
  let text = "";
  return new Promise((resolve) => {
    socket.on("data", function look(bytes) {
      text += bytes;
      if (!isDone(text)) return;
      socket.off("data", look);
      resolve();
    });
  });
}

// -------------------------------------------------------------- the behaviour

let cancelled = false;
let aborted = false;

/** Handlers that show what a bridge does; the client's side is in `probes`. */
function behave(request) {
  const { pathname } = new URL(request.url);
  const enqueue = (text) => (controller) => controller.enqueue(new TextEncoder().encode(text));
  switch (pathname) {
    case "/reason":
      return new Response("x", { status: 404, statusText: "Nowhere" });
    case "/long":
      return new Response(stream(["abcd", "efgh"]), { headers: { "content-length": "5" } });
    case "/short":
      return new Response(stream(["abcd"]), { headers: { "content-length": "50" } });
    case "/fails":
      return new Response(stream(["abcd"], new Error("broken")));
    case "/latin":
      return new Response("x", { headers: { "x-name": "caf\xe9" } });
    case "/cookies": {
      const headers = new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
      return new Response("x", { headers });
    }
    case "/silent":
      return new Response(
        new ReadableStream({ start: enqueue("x"), cancel: () => void (cancelled = true) }),
      );
    case "/waits":
      request.signal.addEventListener("abort", () => aborted = true);
      return new Promise(() => {});
    case "/told":
      return new Response(JSON.stringify({ cancelled, aborted }));
    case "/late":
      return new Response(new ReadableStream({ start: () => {} }));
    default:
      return new Response(`path=${pathname} many=${request.headers.get("x-many")}`);
  }
}

function stream(pieces, error) {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const next = left.shift();
      if (next !== undefined) controller.enqueue(new TextEncoder().encode(next));
      else if (error) controller.error(error);
      else controller.close();
    },
  });
}

const get = (path, ...headers) => [`GET ${path} HTTP/1.1`, "Host: x", ...headers, "", ""].join("\r\n");

/** What is sent, and what of the answer is worth showing. */
const probes = {
  "HTTP/1.0 without Host": ["GET /x HTTP/1.0\r\n\r\n", statusAndBody],
  "raw backslash": [get("/a\\..\\b"), statusAndBody],
  "`/../b`": [get("/../b"), statusAndBody],
  "path in the Host field": ["GET /x HTTP/1.1\r\nHost: a/secret?\r\n\r\n", statusAndBody],
  "two Host fields": ["GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", statusAndBody],
  "TRACE": ["TRACE /x HTTP/1.1\r\nHost: x\r\n\r\n", statusAndBody],
  "repeated header": [get("/x", "X-Many: 1", "X-Many: 2"), statusAndBody],
  "reason phrase": [get("/reason"), (text) => text.split("\r\n", 1)[0]],
  "body longer than its length": [get("/long"), (text, end) => `${JSON.stringify(bodyOf(text))} ${end}`],
  "body shorter than its length": [get("/short"), (text, end) => `${JSON.stringify(bodyOf(text))} ${end}`],
  "body that fails": [
    get("/fails"),
    (text, end) => `${/\r\n0\r\n\r\n$/.test(text) ? "looks complete" : "is cut"}, ${end}`,
  ],
  "header in ISO 8859-1": [get("/latin"), (text) => JSON.stringify(/x-name: (.*)\r/i.exec(text)?.[1])],
  "two Set-Cookie": [get("/cookies"), (text) => `${text.match(/set-cookie/gi)?.length} lines`],
  "head before the body": [get("/late"), (text) => text === "" ? "waits" : "is sent"],
  "pipelining": [get("/1") + get("/2"), (text) => text.match(/path=\/\d/g)?.join(", ") ?? "no answer"],
  "100-continue, body not read": [
    "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
    (text) => text.split("\r\n", 1)[0],
  ],
};

function statusAndBody(text) {
  const [, status = "no answer"] = /^HTTP\/1.1 (\d+)/.exec(text) ?? [];
  return status === "200" ? bodyOf(text).replace(/^.*path=/s, "path=").replace(/\r\n[\s\S]*$/, "") : status;
}

function bodyOf(text) {
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}

async function behaviour(directory) {
  const names = contenders().filter((name) => !["raw", "htbin, any Response"].includes(name));
  const rows = Object.entries(probes).map(([what]) => [what]);
  const left = [["client leaves before the answer"], ["client leaves a silent body"]];
  for (const name of names) {
    const { port, stop } = await started(name, directory);
    for (const [index, [bytes, show]] of Object.values(probes).entries()) {
      const { text, end } = await raw(port, bytes);
      rows[index].push(show(text, end));
    }
    await raw(port, get("/waits"));
    await raw(port, get("/silent"));
    const { text } = await raw(port, get("/told"));
    left[0].push(text.includes('"aborted":true') ? "aborts" : "is not told");
    left[1].push(text.includes('"cancelled":true') ? "cancels" : "is not told");
    stop();
  }
  process.stdout.write(`| | ${names.join(" | ")} |\n|---|${"---|".repeat(names.length)}\n`);
  for (const row of [...rows, ...left]) process.stdout.write(`| ${row.join(" | ")} |\n`);
}

/** What comes back within a moment, and how the connection ended by then. Leaves. */
function raw(port, bytes) {
  return new Promise((resolve) => {
    let text = "";
    let end = "open";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => socket.write(bytes));
    socket.on("data", (piece) => text += piece.toString("latin1"));
    socket.on("error", () => end = "reset");
    socket.on("end", () => end = "closed");
    setTimeout(() => {
      socket.destroy();
      setTimeout(() => resolve({ text, end }), 100);
    }, 300);
  });
}

if (values.serve !== undefined) await serve(values.serve, values.peers);
else await main();

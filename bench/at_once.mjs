/**
 * What one answer from memory costs beside the runtime's own HTTP: everything of htbin's between node:http's request and
 * its response, which are stand-ins here. One process, no network, so the figure hardly depends on what else the machine
 * does.
 *
 *     npm run build && node bench/at_once.mjs
 *     bun bench/at_once.mjs
 *     deno run -A bench/at_once.mjs
 */

// deno-lint-ignore-file no-console
import { lstatSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const { Bun, Deno } = globalThis;
const load = (module) => import(Bun || Deno ? `../${module}.ts` : `../dist/${module}.js`);
const ROUNDS = 40;
const REQUESTS = 20_000;
const DIRECTORY = fileURLToPath(new URL("../examples/site", import.meta.url));
const FILE = `${DIRECTORY}/style.css`;

const { startExchange } = await load("adapters/shared/node_http/exchange");
await load("adapters/auto");
const { completeWith } = await load("src/fetch");
const { formatEvent } = await load("src/log/format");
const { site } = await load("src/site");

let length = 0;
const off = Object.assign(() => {}, { access: false });
const on = Object.assign((event) => void (length += formatEvent(event).length), { access: true });
const since = { "if-modified-since": new Date().toUTCString() };
await measure("200", off, {});
await measure("200 and a log", on, {});
await measure("304", off, since);

async function measure(what, log, fields) {
  const { handle } = completeWith(site({ directory: DIRECTORY, log }), { log });
  const head = { host: "127.0.0.1:8000", "user-agent": "bench", accept: "*/*", ...fields };
  const once = async () => await (await handle(new Request("http://127.0.0.1:8000/style.css"), {})).text();
  const incoming = {
    method: "GET",
    url: "/style.css",
    httpVersion: "1.1",
    rawHeaders: Object.entries(head).flat(),
    headers: head,
    on() {},
    once() {},
  };
  const outgoing = { writableLength: 0, writeHead() {}, end() {}, on() {}, once() {} };
  const address = { hostname: "127.0.0.1", port: 8000 };
  const ends = { remote: address, local: address, secure: false };
  const options = { handler: handle, onError: console.error, isClosing: () => false };
  await once();
  const all = await least(once, () => startExchange(incoming, outgoing, null, ends, options) === "done");
  const look = await least(
    once,
    Deno
      ? () => Deno.lstatSync(FILE) !== null
      : () => lstatSync(FILE, { throwIfNoEntry: false }) !== undefined,
  );
  const name = Bun ? "Bun" : Deno ? "Deno" : "Node";
  const own = (all - look).toFixed(1);
  console.log(
    `${name}, ${what}: ${all.toFixed(1)} us, ${
      look.toFixed(1)
    } of them the look at the file, ${own} the rest`,
  );
}

/** In microseconds. A round in which one call was answered the long way, as happens once a second, does not count. */
async function least(before, call) {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    await before();
    const start = performance.now();
    let count = 0;
    while (count < REQUESTS && call()) count++;
    if (count === REQUESTS) least = Math.min(least, (performance.now() - start) / REQUESTS * 1000);
  }
  if (least === Infinity) throw new Error("answered the long way");
  return least;
}

process.exit(length < 0 ? 1 : 0);

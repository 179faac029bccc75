/**
 * The least server that starts a script: the runtime's own HTTP server, and htbin's launcher. `script.mjs PORT FOLDER`
 * runs the scripts of that folder; LAUNCHER is the launcher's text. Nothing is checked,
 * limited or written down, and of what a script says only the body is read.
 */

import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { constants, openSync, readSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import process from "node:process";

const SLOTS = 32;
const PATH_ONLY = 0o10000000;
const ENDED = 0x45;
const LF = 0x0a;

const [port, folder] = process.argv.slice(2);
const launcher = spawn("/usr/bin/python3", ["-I", "-S", "-c", process.env.LAUNCHER, String(SLOTS), "", ""], {
  env: {},
  stdio: ["ignore", "pipe", "inherit"],
});
const line = await new Promise((resolve) => launcher.stdout.once("data", (piece) => resolve(String(piece))));
const [, ordering, ...pipes] = line.split(" ").map(Number);
const open = (number, flags) => openSync(`/proc/${launcher.pid}/fd/${number}`, flags | constants.O_NONBLOCK);
const orders = open(ordering, constants.O_WRONLY);
const ends = pipes.map((number, at) => open(number, at % 3 === 2 ? PATH_ONLY : constants.O_RDONLY));
writeSync(orders, ".");

const free = Array.from({ length: SLOTS }, (_, slot) => slot);
const waiting = [];
let held = Buffer.alloc(0);

/** Those that are the same for each request. */
const variables = [
  "GATEWAY_INTERFACE=CGI/1.1",
  "SERVER_SOFTWARE=htbin/0.1.0",
  "SERVER_PROTOCOL=HTTP/1.1",
  "SERVER_NAME=127.0.0.1",
  `SERVER_PORT=${port}`,
  "SERVER_ADDR=127.0.0.1",
  "REQUEST_METHOD=GET",
  "REQUEST_SCHEME=http",
  "QUERY_STRING=",
  "REMOTE_ADDR=127.0.0.1",
  "REMOTE_HOST=127.0.0.1",
  "REDIRECT_STATUS=200",
  `DOCUMENT_ROOT=${folder}`,
  "HTTP_HOST=127.0.0.1",
  "PATH=/usr/local/bin:/usr/bin:/bin",
].join("\0");

function order(slot, path, client) {
  const script = folder + path;
  const cwd = script.slice(0, script.lastIndexOf("/"));
  const own = [
    `REQUEST_URI=${path}`,
    `SCRIPT_NAME=${path}`,
    `SCRIPT_FILENAME=${script}`,
    `REMOTE_PORT=${client}`,
  ];
  // No input, and one word: the script (adapters/shared/launcher/protocol.ts).
  const fields = Buffer.from([slot, "", cwd, 1, script, variables, ...own].join("\0"));
  const whole = Buffer.alloc(8 + fields.length);
  whole.writeUInt32LE(fields.length);
  whole.set(fields, 8);
  return whole;
}

launcher.stdout.on("data", (piece) => {
  const bytes = held.length === 0 ? piece : Buffer.concat([held, piece]);
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(LF, at) + 1;
    if (end === 0) break;
    const numbers = String(bytes.subarray(at + 2, end)).split(" ").map(Number);
    const isEnd = bytes[at] === ENDED;
    const next = isEnd ? end + numbers[5] + numbers[7] : end;
    if (next > bytes.length) break;
    if (isEnd) answer(numbers[0], bytes.subarray(end, end + numbers[5]));
    at = next;
  }
  held = Buffer.from(bytes.subarray(at));
});

function answer(slot, told) {
  const response = waiting[slot];
  free.push(slot);
  const text = String(told.length > 0 ? told : rest(slot));
  const body = text.slice(text.indexOf("\n\n") + 2);
  response.writeHead(200, { "content-type": "text/plain", "content-length": body.length });
  response.end(body);
}

/** Of one that was told of while it ran. */
function rest(slot) {
  const bytes = Buffer.alloc(1 << 14);
  return bytes.subarray(0, readSync(ends[3 * slot], bytes));
}

createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const slot = free.pop();
  waiting[slot] = response;
  writeSync(orders, order(slot, request.url, request.socket.remotePort));
}).listen(Number(port), "127.0.0.1", 511);

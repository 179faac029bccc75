/**
 * What the launcher says, in whatever pieces it comes.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createReportReader, type Report } from "../../adapters/shared/launcher/protocol.ts";
import { encode } from "./_processes.ts";

const nothing = { bytes: new Uint8Array(0), more: false };

const said: readonly (readonly [text: string, report: Report])[] = [
  ["S 3 4711\n", { kind: "started", slot: 3, pid: 4711 }],
  ["E 0 17 0 0 0 0 0 0\n", {
    kind: "ended",
    slot: 0,
    pid: 17,
    status: { code: 0, signal: null },
    left: false,
    output: nothing,
    errors: nothing,
  }],
  ["E 31 4194304 256 1 1 12 0 3\nE 1 2\nS 3 4\n\0\n\xff", {
    kind: "ended",
    slot: 31,
    pid: 4194304,
    status: { code: 1, signal: null },
    left: true,
    output: { bytes: encode("E 1 2\nS 3 4\n"), more: true },
    errors: { bytes: Uint8Array.of(0, 10, 255), more: false },
  }],
  ["R 5 2\n", { kind: "ready", slot: 5, pipe: 2 }],
  ["F 6 2 1\n", { kind: "failed", slot: 6, code: "ENOENT", isProgram: true }],
  ["E 7 18 15 0 0 0 0 0\n", {
    kind: "ended",
    slot: 7,
    pid: 18,
    status: { code: null, signal: "SIGTERM" },
    left: false,
    output: nothing,
    errors: nothing,
  }],
  ["F 6 24 0\n", { kind: "failed", slot: 6, code: "EMFILE", isProgram: false }],
];

const bytes = Uint8Array.from(said.map(([text]) => text).join(""), (character) => character.charCodeAt(0));
const reports = said.map(([, report]) => report);

function readIn(size: number): Report[] {
  const read: Report[] = [];
  const reader = createReportReader((report) => read.push(report));
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.slice(at, at + size);
    reader(piece);
    // Nothing of it is used later.
    piece.fill(0x2a);
  }
  return read;
}

test("reports are the same in pieces of any size", () => {
  for (let size = 1; size <= bytes.length; size++) assert.deepEqual(readIn(size), reports, `${size}`);
});

test("what was written to two programs' outputs never shares memory", () => {
  const [, , ended] = readIn(bytes.length);
  assert.ok(ended?.kind === "ended");
  assert.equal(ended.output.bytes.buffer.byteLength, 12);
  assert.equal(ended.errors.bytes.buffer.byteLength, 3);
});

/**
 * Orders to start programs: whatever the order before was, each says what it would say alone.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startOrder } from "../../adapters/shared/launcher/start_order.ts";
import type { Command } from "../../src/runtime.ts";
import { randomNumbers } from "../_random.ts";
import { encode } from "./_processes.ts";

const base: Command = { program: "/a", args: [], cwd: "/", env: {}, stdin: null, user: null };

function commandOf(env: Record<string, string>, rest: Partial<Command> = {}): Command {
  return { ...base, env, ...rest };
}

/** What a launcher reads in it. */
function read(order: Uint8Array): { readonly fields: readonly string[]; readonly body: string } {
  const lengths = new DataView(order.buffer, order.byteOffset);
  const middle = 8 + lengths.getUint32(0, true);
  assert.equal(order.length, middle + lengths.getUint32(4, true));
  const text = (start: number, end: number) => new TextDecoder().decode(order.subarray(start, end));
  return { fields: text(8, middle).split("\0"), body: text(middle, order.length) };
}

function assertSays(slot: number, command: Command, source: Uint8Array | null): void {
  const order = startOrder(slot, command, source);
  assert.ok(order !== null);
  const { fields: [number, ...fields], body } = read(order);
  const { program, args, cwd, env } = command;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  assert.equal(Number(number), slot);
  assert.deepEqual(fields, [
    source === null ? "" : "-",
    cwd,
    `${args.length + 1}`,
    program,
    ...args,
    ...variables,
  ]);
  assert.equal(body, source === null ? "" : new TextDecoder().decode(source));
}

test("any after any other", () => {
  const commands = [
    commandOf({}),
    commandOf({ A: "one", B: "two" }),
    commandOf({ A: "two", B: "one" }),
    commandOf({ A: "one", B: "twice" }),
    commandOf({ B: "two", A: "one" }),
    commandOf({ A: "one" }),
    commandOf({ A: "one", B: "two", C: "" }),
    commandOf({ A: "öne", B: "two" }),
    commandOf({ A: "on\x7f", B: "t\x80o" }),
    commandOf({ A: "one", B: "two" }, { program: "/b" }),
    commandOf({ A: "one", B: "two" }, { cwd: "/c" }),
    commandOf({ A: "one", B: "two" }, { args: ["a"] }),
    commandOf({ A: "one", B: "two" }, { args: ["b"] }),
  ];
  for (const first of commands) {
    for (const second of commands) {
      for (const source of [null, encode("body")]) {
        assertSays(0, first, source);
        assertSays(31, second, null);
        assertSays(127, first, null);
      }
    }
  }
});

test("many, one after another, that differ in a few values", () => {
  const random = randomNumbers(3);
  const number = (least: number) => `${least + Math.floor(random() * least)}`;
  for (let round = 0; round < 2000; round++) {
    const length = random() < 0.9 ? 1000 : 10_000;
    assertSays(
      round % 32,
      commandOf({ PORT: number(length), HOST: "example", ID: number(1e9), LAST: "x" }),
      null,
    );
  }
});

test("what no program can be given is no order, whatever the order before was", () => {
  const good = commandOf({ A: "one", B: "two" });
  const bad = [
    commandOf({ A: "o\0e", B: "two" }),
    commandOf({ A: "one", "": "two" }),
    commandOf({ "A=": "one", B: "two" }),
    commandOf({ A: "one", B: "two" }, { program: "/\0" }),
    commandOf({ A: "one", B: "x".repeat(40_000) }),
  ];
  for (const command of bad) {
    assertSays(1, good, null);
    assert.equal(startOrder(1, command, null), null);
    assert.equal(startOrder(1, command, null), null);
    assertSays(1, good, null);
  }
});

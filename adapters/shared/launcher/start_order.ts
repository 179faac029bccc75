/**
 * Orders to start programs.
 *
 * Most are for the program of the order before, with variables that differ in a few values of the same length: the name of
 * the request, the client's port. Then these are put into that order, and all else in it is as it was.
 *
 * @module
 */

import type { Command } from "../../../src/runtime.ts";
import { isExpressible } from "../spawn_error.ts";
import { frameOf, HEAD, LONGEST, type Source } from "./protocol.ts";

/** The order before, as it still stands in the frame. */
interface Before {
  readonly order: Uint8Array;
  readonly command: Command;
  readonly names: readonly string[];
  readonly values: string[];
  /** Where the values are. */
  readonly places: readonly number[];
}

const frame = new Uint8Array(LONGEST);
const DIGITS = 4;
const ZERO = 0x30;
let before: Before | null = null;

/**
 * To start a program in a slot. Valid until the next order is made. `null`: it is too long for an order, or holds what no
 * program can be given.
 */
export function startOrder(slot: number, command: Command, source: Source): Uint8Array | null {
  const last = before;
  // Until it is known to be an order.
  before = null;
  if (source === null && last !== null && isTurnedInto(last, command)) {
    putNumber(slot);
    before = last;
    return last.order;
  }
  return isExpressible(command) ? make(slot, command, source) : null;
}

function make(slot: number, command: Command, source: Source): Uint8Array | null {
  const { program, args, cwd, env } = command;
  const isBody = source instanceof Uint8Array;
  const stdin = source === null ? "" : isBody ? "-" : typeof source === "string" ? source : "+";
  let fields = `${`${slot}`.padStart(DIGITS, "0")}\0${stdin}\0${cwd}\0${args.length + 1}\0${program}`;
  for (const word of args) fields += `\0${word}`;
  const names: string[] = [];
  const values: string[] = [];
  const places: number[] = [];
  for (const name in env) {
    const value = env[name]!;
    fields += `\0${name}=`;
    names.push(name);
    values.push(value);
    places.push(HEAD + fields.length);
    fields += value;
  }
  const order = frameOf(frame, fields, isBody ? source : undefined);
  // Where characters are bytes, the places are right.
  if (source === null && order?.length === HEAD + fields.length) {
    before = { order, command, names, values, places };
  }
  return order;
}

/** Makes this order of the one before, if it can; else that is an order no more. */
function isTurnedInto({ command: other, names, values, places }: Before, command: Command): boolean {
  const { program, cwd, args, env } = command;
  if (program !== other.program || cwd !== other.cwd || !areSame(args, other.args)) return false;
  let at = 0;
  for (const name in env) {
    const value = env[name]!;
    if (name !== names[at]) return false;
    if (value !== values[at]) {
      if (value.length !== values[at]!.length || !put(value, places[at]!)) return false;
      values[at] = value;
    }
    at++;
  }
  return at === names.length;
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((word, at) => word === others[at]);
}

/** Whether all of its characters are bytes that may be there. */
function put(value: string, place: number): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === 0 || code > 0x7f) return false;
    frame[place + at] = code;
  }
  return true;
}

function putNumber(slot: number): void {
  let left = slot;
  for (let at = HEAD + DIGITS - 1; at >= HEAD; at--) {
    frame[at] = ZERO + left % 10;
    left = Math.floor(left / 10);
  }
}

/**
 * What is said to the launcher and by it.
 *
 * An order is fields with a NUL between them, then the bytes for a program's input; before both, their lengths as four
 * bytes each, little end first. Nothing is ever quoted or expanded, and no field can hold a NUL. Reports are lines of
 * numbers.
 *
 * @module
 */

import { constants } from "node:os";
import type { Command, ExitStatus } from "../../../src/runtime.ts";

/** What a program reads: nothing, these bytes (few enough for an order), the file with this path, or its slot's pipe. */
export type Source = null | Uint8Array | string | ReadableStream<Uint8Array>;

/** Which of a program's pipes: its output, its errors, its input. */
export type Pipe = 0 | 1 | 2;

const HEAD = 8;

/** Longer orders are not given. */
const LONGEST = 32 * 1024;

/** More bytes than this are not handed over in an order. */
export const LONGEST_BODY: number = LONGEST / 2;

const text = new TextEncoder();
const frame = new Uint8Array(LONGEST);
const lengths = new DataView(frame.buffer);
const noBytes: Uint8Array = new Uint8Array(0);

/** To start a program in a slot. Valid until the next order is made. `null`: too long for an order. */
export function startOrder(slot: number, command: Command, source: Source): Uint8Array | null {
  const { program, args, cwd, env } = command;
  const body = source instanceof Uint8Array ? source : noBytes;
  const stdin = source === null ? "" : source === body ? "-" : typeof source === "string" ? source : "+";
  let fields = `${slot}\0${stdin}\0${cwd}\0${args.length + 1}\0${program}`;
  for (const word of args) fields += `\0${word}`;
  for (const name in env) fields += `\0${name}=${env[name]}`;
  return order(fields, body);
}

/** To report once when there is something to read, or the end; of the input, when there is room, or nobody reads. */
export function watchOrder(slot: number, pipe: Pipe): Uint8Array {
  return order(`watch\0${slot}\0${pipe}`)!;
}

/** To leave a pipe alone, so that who writes into it gets SIGPIPE, and who reads from it the end. */
export function leaveOrder(slot: number, pipe: Pipe): Uint8Array {
  return order(`leave\0${slot}\0${pipe}`)!;
}

function order(fields: string, body: Uint8Array = noBytes): Uint8Array | null {
  const { read, written } = text.encodeInto(fields, frame.subarray(HEAD));
  const end = HEAD + written + body.length;
  if (read < fields.length || end > LONGEST) return null;
  frame.set(body, HEAD + written);
  lengths.setUint32(0, written, true);
  lengths.setUint32(4, body.length, true);
  return frame.subarray(0, end);
}

/** What the launcher says of a slot. */
export type Report =
  | { readonly kind: "started"; readonly slot: number; readonly pid: number }
  | { readonly kind: "ready"; readonly slot: number; readonly pipe: Pipe }
  | {
    readonly kind: "ended";
    readonly slot: number;
    readonly pid: number;
    readonly status: ExitStatus;
    /** Whether something of its group is left. */
    readonly left: boolean;
  }
  | {
    readonly kind: "failed";
    readonly slot: number;
    /** The system's error code. */
    readonly code: string;
    /** Whether it is the program that failed to start, and not the launcher. */
    readonly isProgram: boolean;
  };

/** Reads one line. */
export function reportOf(line: string): Report {
  const [kind, key, first, second, third] = line.split(" ");
  const slot = Number(key);
  const number = Number(first);
  switch (kind) {
    case "S":
      return { kind: "started", slot, pid: number };
    case "R":
      return { kind: "ready", slot, pipe: number as Pipe };
    case "E":
      return { kind: "ended", slot, pid: number, status: statusOf(Number(second)), left: third === "1" };
    default:
      return { kind: "failed", slot, code: codeOf(number), isProgram: second === "program" };
  }
}

/** Of the number that wait(2) gives. */
function statusOf(status: number): ExitStatus {
  const signal = status & 0x7f;
  return signal === 0 ? { code: status >> 8, signal: null } : { code: null, signal: signalName(signal) };
}

function signalName(signal: number): string {
  return nameOf(signal, constants.signals) ?? `SIG${signal}`;
}

function codeOf(number: number): string {
  return nameOf(number, constants.errno) ?? `errno ${number}`;
}

/** The first of several is the usual one: SIGABRT before SIGIOT. */
function nameOf(number: number, numbers: Readonly<Record<string, number>>): string | undefined {
  return Object.entries(numbers).find(([, other]) => other === number)?.[0];
}

/**
 * What is said to the launcher and by it.
 *
 * An order is fields with a NUL between them, then the bytes for a program's input; before both, their lengths as four
 * bytes each, little end first. Nothing is ever quoted or expanded, and no field can hold a NUL. Reports are lines of
 * numbers after a letter; after that of an end comes what the program has written, if it was not told of before.
 *
 * @module
 */

import type { Bytes, ExitStatus } from "../../../src/runtime.ts";
import { os } from "../part.ts";

/** What a program reads: nothing, these bytes (few enough for an order), the file with this path, or its slot's pipe. */
export type Source = null | Uint8Array | string | ReadableStream<Uint8Array>;

/** Which of a program's pipes: its output, its errors, its input. */
export type Pipe = 0 | 1 | 2;

/** Both lengths, in bytes. */
export const HEAD = 8;

/** Longer orders are not given. */
export const LONGEST: number = 32 * 1024;

/** More bytes than this are not handed over in an order. */
export const LONGEST_BODY: number = LONGEST / 2;

const text = new TextEncoder();
const frame = new Uint8Array(128);
const noBytes: Bytes = new Uint8Array(0);

/** To report once when there is something to read, or the end; of the input, when there is room, or nobody reads. */
export function watchOrder(slot: number, pipe: Pipe): Uint8Array {
  return order(`watch\0${slot}\0${pipe}`);
}

/** To leave the input alone, so that who reads from it gets the end. */
export function leaveOrder(slot: number): Uint8Array {
  return order(`leave\0${slot}`);
}

/** To keep no reader of an output any more, so that who writes into it gets SIGPIPE. */
export function closeOrder(slot: number, pipe: Pipe): Uint8Array {
  return order(`close\0${slot}\0${pipe}`);
}

function order(fields: string): Uint8Array {
  return frameOf(frame, fields)!;
}

/** Puts an order into a frame. `null`: it does not fit. */
export function frameOf(frame: Uint8Array, fields: string, body: Uint8Array = noBytes): Uint8Array | null {
  const { read, written } = text.encodeInto(fields, frame.subarray(HEAD));
  const end = HEAD + written + body.length;
  if (read < fields.length || end > frame.length) return null;
  frame.set(body, HEAD + written);
  for (let at = 0; at < 4; at++) {
    frame[at] = written >>> 8 * at;
    frame[4 + at] = body.length >>> 8 * at;
  }
  return frame.subarray(0, end);
}

/** What the launcher has found in a pipe. */
export interface Written {
  readonly bytes: Bytes;
  /** Whether that is not known to be all. */
  readonly more: boolean;
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
    readonly output: Written;
    readonly errors: Written;
  }
  | {
    readonly kind: "failed";
    readonly slot: number;
    /** The system's error code. */
    readonly code: string;
    /** Whether it is the program that failed to start, and not the launcher. */
    readonly isProgram: boolean;
  };

const LF = 0x0a;
const SPACE = 0x20;
const DIGIT = 0x30;
const ENDED = 0x45;

/** Reads reports from bytes that come in any pieces, and hands each over. */
export function createReportReader(onReport: (report: Report) => void): (piece: Uint8Array) => void {
  let held: Uint8Array = noBytes;
  return (piece) => {
    const bytes = held.length === 0 ? piece : joined(held, piece);
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(LF, at) + 1;
      if (end === 0) break;
      const numbers = numbersIn(bytes, at + 1, end - 1);
      const next = bytes[at] === ENDED ? end + numbers[5]! + numbers[7]! : end;
      if (next > bytes.length) break;
      onReport(reportOf(bytes, at, numbers, end));
      at = next;
    }
    held = at < bytes.length ? bytes.slice(at) : noBytes;
  };
}

/** Each after a space. */
function numbersIn(bytes: Uint8Array, start: number, end: number): readonly number[] {
  const numbers: number[] = [];
  let number = 0;
  for (let at = start + 1; at < end; at++) {
    const byte = bytes[at]!;
    if (byte !== SPACE) number = 10 * number + byte - DIGIT;
    else {
      numbers.push(number);
      number = 0;
    }
  }
  numbers.push(number);
  return numbers;
}

function reportOf(bytes: Uint8Array, at: number, numbers: readonly number[], end: number): Report {
  const [slot = 0, first = 0, second = 0, left, more, length = 0, moreErrors, errorsLength = 0] = numbers;
  switch (String.fromCharCode(bytes[at]!)) {
    case "S":
      return { kind: "started", slot, pid: first };
    case "R":
      return { kind: "ready", slot, pipe: first as Pipe };
    case "E":
      return {
        kind: "ended",
        slot,
        pid: first,
        status: statusOf(second),
        left: left === 1,
        output: { bytes: copyOf(bytes, end, length), more: more === 1 },
        errors: { bytes: copyOf(bytes, end + length, errorsLength), more: moreErrors === 1 },
      };
    default:
      return { kind: "failed", slot, code: codeOf(first), isProgram: second === 1 };
  }
}

function copyOf(bytes: Uint8Array, start: number, length: number): Bytes {
  return length === 0 ? noBytes : new Uint8Array(bytes.subarray(start, start + length));
}

/** Of the number that wait(2) gives. */
function statusOf(status: number): ExitStatus {
  const signal = status & 0x7f;
  return signal === 0 ? { code: status >> 8, signal: null } : { code: null, signal: signalName(signal) };
}

function signalName(signal: number): string {
  return nameOf(signal, os().constants.signals) ?? `SIG${signal}`;
}

function codeOf(number: number): string {
  return nameOf(number, os().constants.errno) ?? `errno ${number}`;
}

/** The first of several is the usual one: SIGABRT before SIGIOT. */
function nameOf(number: number, numbers: Readonly<Record<string, number>>): string | undefined {
  return Object.entries(numbers).find(([, other]) => other === number)?.[0];
}

/** One after the other. */
export function joined(first: Uint8Array, second: Uint8Array): Bytes {
  const whole: Bytes = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/**
 * What Linux is asked of connections and pipes, past the runtime.
 *
 * @module
 */

import type { Socket } from "node:net";

/** How it is asked. */
export interface SystemCalls {
  /** The descriptor of a connection. `null`: it has none, or bytes may have been read that were not handed on yet. */
  descriptorOf(socket: Socket): number | null;
  /** `splice(2)`, of descriptors that have no offset. */
  splice(from: number, to: number, most: number, flags: number): number;
  /** `poll(2)` of one descriptor, without waiting: the argument is its `struct pollfd`. */
  poll(looked: Int16Array<ArrayBuffer>): number;
  /** `ioctl(2)` that writes one number. */
  ioctl(descriptor: number, request: number, result: Int32Array<ArrayBuffer>): number;
}

/** Of `send(2)`: without waiting or a signal; `more` follows at once. */
export function sendFlags(more: boolean): number {
  return MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
}

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;

/** `SPLICE_F_NONBLOCK`. */
const NONBLOCK = 2;

/**
 * Moves up to so many bytes that have come to a connection, and does not wait for any: what is moved is not copied. Returns
 * how many; 0: nothing is there, or it cannot be moved now; -1: there is no room for it. What is wrong, the next reading or
 * writing tells.
 *
 * Each place of a pipe takes a piece of memory as it came, of up to 32 KiB: 8 MiB in a pipe for 1 MiB of written bytes,
 * which is about what a connection itself may hold. With less, a body takes half as long again on its way.
 */
export function moveToPipe(system: SystemCalls, socket: Socket, pipe: number, most: number): number {
  const from = system.descriptorOf(socket);
  if (from === null) return 0;
  const moved = system.splice(from, pipe, most, NONBLOCK);
  if (moved > 0) return moved;
  return look(system, pipe, POLLOUT) === 0 ? -1 : 0;
}

/** Whether less than so many bytes will come to a connection: its client has ended its side before, or is gone. */
export function bringsLess(system: SystemCalls, socket: Socket, bytes: number): boolean {
  const from = system.descriptorOf(socket);
  if (from === null) return false;
  const seen = look(system, from, POLLRDHUP);
  return seen !== 0 && (seen !== POLLRDHUP || unread(system, from) + socket.readableLength < bytes);
}

/** A `struct pollfd`. */
const looked = new Int16Array(4);
const POLLOUT = 4;
/** The other side has ended. */
const POLLRDHUP = 0x2000;

/** Which of these, or what is wrong, is the case. */
function look({ poll }: SystemCalls, descriptor: number, events: number): number {
  looked.set([descriptor, descriptor >> 16, events, 0]);
  return poll(looked) > 0 ? looked[3]! : 0;
}

const FIONREAD = 0x541b;
const count = new Int32Array(1);

/** How many bytes are there to be read. */
function unread({ ioctl }: SystemCalls, descriptor: number): number {
  return ioctl(descriptor, FIONREAD, count) === 0 ? count[0]! : 0;
}

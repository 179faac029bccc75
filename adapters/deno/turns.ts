/**
 * Turns of the event loop in which Deno looks for what has come from outside.
 *
 * Deno (2.9.6) does that when it has nothing else to do, and else after 61 turns: with a piece of a body sent in each,
 * everybody else waits for 10 ms and more. So now and then a turn is one that waits for a byte from outside: one that
 * the server has just sent to itself.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { passTurns } from "../shared/turns.ts";
import { isGranted } from "./permissions.ts";

/** How long others may have to wait, in milliseconds. A look takes 15 µs. */
const INTERVAL = 0.5;

/** Both ends of a connection to oneself. */
interface Loop {
  readonly from: Deno.TcpConn;
  readonly to: Deno.TcpConn;
}

/** How many listeners there are: what is open is theirs. */
let users = 0;
let loop: Loop | null = null;
let mayOpen = true;
let last = -Infinity;
const byte = new Uint8Array(1);
const room = new Uint8Array(16);

/** Has turns pass so until what is returned is called. Where Deno does not allow it, they are as it has them. */
export function useTurns(): () => void {
  passTurns(pass);
  users++;
  let isUsed = true;
  return () => {
    if (isUsed && --users === 0) close();
    isUsed = false;
  };
}

function pass(callback: () => void): void {
  const now = performance.now();
  const isDue = now - last >= INTERVAL && users > 0;
  if (isDue) last = now;
  if (!isDue || loop === null) setImmediate(callback);
  else look(loop).catch(close).then(callback);
  if (isDue && loop === null) void open();
}

async function look({ from, to }: Loop): Promise<void> {
  // Asked for before it is there, it is only found by looking.
  const found = to.read(room);
  await Promise.all([from.write(byte), found]);
}

/** Not before it is of use. */
async function open(): Promise<void> {
  // Where there are no descriptors left, there is no point in trying again and again.
  if (!mayOpen || !isGranted({ name: "net" })) return;
  mayOpen = false;
  loop = await openLoop().catch(() => null);
  if (users === 0) close();
}

function close(): void {
  const closing = loop;
  if (closing === null) return;
  loop = null;
  mayOpen = true;
  closing.from.close();
  closing.to.close();
}

async function openLoop(): Promise<Loop | null> {
  const hostname = "127.0.0.1";
  const listener = Deno.listen({ hostname, port: 0 });
  try {
    const from = await Deno.connect({ hostname, port: listener.addr.port });
    const to = await listener.accept();
    // Somebody else may have been there first.
    if (to.remoteAddr.port === from.localAddr.port) {
      from.setNoDelay();
      return { from, to };
    }
    from.close();
    to.close();
    return null;
  } finally {
    listener.close();
  }
}

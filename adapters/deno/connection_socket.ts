/**
 * A connection of Deno's own as the socket that `node:http` takes: half of what a request costs with Deno's `node:net`
 * is that.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { FileTransfer } from "../../src/runtime.ts";
import type { SendFile } from "../shared/node_http/response.ts";
import type { SendNow } from "../shared/node_http/send_now.ts";
import { createShare, type Share } from "../shared/turns.ts";
import { descriptorOf, reset, senderTo, transferTo } from "./c_library.ts";

/** What a connection has to read into that sends little at a time, as most do and all that wait. */
const SMALL = 4 * 1024;

/** The same for one that sends a body, and how much may wait here, in bytes. */
const LARGE = 64 * 1024;

/** Sends over such connections alone: of others, Deno does not tell the descriptor. */
export const sendFile: SendFile = (socket: Duplex) =>
  socket instanceof ConnectionSocket ? socket.transfer() : null;

/** The same for bytes. */
export const sendNow: SendNow = (socket: Duplex) =>
  socket instanceof ConnectionSocket ? socket.sender() : null;

type Done = (error?: Error | null) => void;

/** The parts of `node:net`'s `Socket` that `node:http` and htbin use. */
export class ConnectionSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly #connection: Deno.TcpConn;
  #isReading = false;
  /** Whether bytes may have been read that were not handed on yet. */
  #isAwaiting = false;
  /** Where the next piece goes. What was read is handed on as it lies there, and never written over. */
  #room: Buffer = Buffer.allocUnsafe(SMALL);

  /** Of the time that there is for all. */
  readonly #share: Share = createShare();

  /** Takes the connection over. */
  constructor(connection: Deno.TcpConn) {
    super({ allowHalfOpen: true, highWaterMark: LARGE });
    this.#connection = connection;
    ({ hostname: this.remoteAddress, port: this.remotePort } = connection.remoteAddr as Deno.NetAddr);
    ({ hostname: this.localAddress, port: this.localPort } = connection.localAddr as Deno.NetAddr);
    try {
      connection.setNoDelay();
    } catch {
      // The client has left: reading tells.
    }
  }

  override _read(): void {
    if (!this.#isReading) void this.#readOn();
  }

  /** Until as much waits as may. */
  async #readOn(): Promise<void> {
    this.#isReading = true;
    try {
      for (;;) {
        this.#isAwaiting = true;
        const length = await this.#connection.read(this.#room);
        this.#isAwaiting = false;
        if (!this.#handOn(length)) break;
        // What has come already is read without a turn of the event loop.
        const turn = this.#share.spend(length!);
        if (turn !== null) await turn;
      }
    } catch (error) {
      // Also that it was destroyed meanwhile, which is no error then.
      this.destroy(error as Error);
    } finally {
      this.#isReading = false;
    }
  }

  /** Its descriptor. `null` while something is being read, which comes before all that others may find there. */
  descriptor(): number | null {
    return this.destroyed || this.#isAwaiting ? null : descriptorOf(this.#connection);
  }

  /** {@linkcode transferTo} this connection, after all that was written. */
  transfer(): FileTransfer | null {
    return this.destroyed || this.writableLength > 0 ? null : transferTo(this.#connection);
  }

  /** {@linkcode senderTo} this connection, after all that was written. */
  sender(): ReturnType<SendNow> {
    return this.destroyed || this.writableLength > 0 ? null : senderTo(this.#connection);
  }

  /** Whether to read on. */
  #handOn(length: number | null): boolean {
    if (this.destroyed) return false;
    if (length === null) {
      this.push(null);
      // Nobody may be reading, and its end ends the connection all the same.
      this.read(0);
      return false;
    }
    const bytes = this.#take(length);
    // What push() would do, with less around it.
    const isTaken = this.readableFlowing && this.readableLength === 0 && this.emit("data", bytes);
    return isTaken ? !this.destroyed : this.push(bytes);
  }

  #take(length: number): Buffer {
    const room = this.#room;
    const rest = room.subarray(length);
    const isMuch = length > SMALL || rest.length === 0;
    // A head has to fit in as a whole.
    this.#room = rest.length >= SMALL / 2 ? rest : Buffer.allocUnsafeSlow(isMuch ? LARGE : SMALL);
    return room.subarray(0, length);
  }

  override _write(bytes: Uint8Array, _encoding: string, done: Done): void {
    this.#send([bytes]).then(() => done(), done);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: Done): void {
    const all = chunks.map(({ chunk }) => chunk);
    const isLittle = this.writableLength <= LARGE;
    this.#send(isLittle ? [Buffer.concat(all)] : all).then(() => done(), done);
  }

  async #send(all: readonly Uint8Array[]): Promise<void> {
    for (const bytes of all) {
      for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.#connection.write(rest));
    }
  }

  override _final(done: Done): void {
    // A client that has gone needs no end.
    this.#connection.closeWrite().then(() => done(), () => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#connection.close();
    done(error);
  }

  /** Closes it once what was written has been sent. */
  destroySoon(): void {
    this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Closes it so that the client knows it for broken off. */
  resetAndDestroy(): void {
    if (!this.destroyed) reset(this.#connection);
    this.destroy();
  }
}

/**
 * TLS over a TCP connection that stays in our hands: it can be paused and reset on every runtime.
 *
 * @module
 */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";

/** A client's end of TLS, whatever the certificate; its handshake has only begun. */
export function connectOver(tcp: Socket): TLSSocket {
  return connect({ socket: throughStreams(tcp), rejectUnauthorized: false });
}

/** The runtimes would take a socket itself over, and read from it when they like. */
function throughStreams(tcp: Socket): Duplex {
  const duplex = new Duplex({
    read: () => {},
    write: (bytes, _encoding, done) => void tcp.write(bytes, done),
    final: (done) => void tcp.end(done),
    destroy(error, done) {
      tcp.destroy();
      done(error);
    },
  });
  tcp.on("data", (bytes) => duplex.push(bytes));
  tcp.on("end", () => duplex.push(null));
  tcp.on("error", (error) => duplex.destroy(error));
  tcp.on("close", () => duplex.destroy());
  return duplex;
}

/**
 * HTTP over `node:http` and `node:https`.
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Handler } from "../../src/handler.ts";
import type { Listener, ListenOptions, Network, NetworkAddress, TlsOptions } from "../../src/runtime.ts";
import { networkAddress } from "../shared/address.ts";
import { listenError, listenErrorReason } from "../shared/listen_error.ts";
import { answerParseError, emptyResponse } from "./parse_error.ts";
import { type Ends, type Exchange, type ExchangeOptions, startExchange } from "./exchange.ts";

/** Serving HTTP on Node. */
export const network: Network = { listen };

/** A connection and what happens on it. */
interface Client extends Ends {
  readonly exchanges: Set<Exchange>;
}

async function listen(
  handler: Handler,
  options: ListenOptions,
): Promise<Listener> {
  const { tls, onError = () => {} } = options;
  const server = createHttpServer(options);
  const clients = new Map<Socket, Client>();
  /** TLS connections before their handshake is done, by the client's address. */
  const handshakes = new Map<string, Socket>();
  let closing: Promise<void> | null = null;
  const exchangeOptions: ExchangeOptions = {
    handler,
    secure: tls !== undefined,
    onError,
    isClosing: () => closing !== null,
  };

  function onConnection(socket: Socket): void {
    const client: Client = {
      remote: networkAddress(socket.remoteAddress, socket.remotePort),
      local: networkAddress(socket.localAddress, socket.localPort),
      exchanges: new Set(),
    };
    clients.set(socket, client);
    socket.on("close", () => {
      clients.delete(socket);
      for (const exchange of client.exchanges) exchange.leave();
    });
  }
  function onRequest(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    expects100: boolean,
  ): void {
    const { socket } = incoming;
    const client = clients.get(socket);
    if (client === undefined) return void outgoing.destroy();
    const exchange = startExchange(
      incoming,
      outgoing,
      expects100,
      client,
      exchangeOptions,
    );
    if (exchange === null) return;
    client.exchanges.add(exchange);
    outgoing.on("finish", () => {
      client.exchanges.delete(exchange);
      if (closing && client.exchanges.size === 0) socket.destroySoon();
    });
  }
  server.on("request", (incoming, outgoing) => {
    onRequest(incoming, outgoing, false);
  });
  server.on("checkContinue", (incoming, outgoing) => {
    onRequest(incoming, outgoing, true);
  });
  server.on("clientError", answerParseError);
  server.on("connect", (_incoming: IncomingMessage, socket: Socket) => {
    socket.end(emptyResponse("501 Not Implemented"));
  });
  if (tls) {
    const nameOf = (socket: Socket) => `${socket.remoteAddress} ${socket.remotePort}`;
    server.on("connection", (socket) => {
      const name = nameOf(socket);
      handshakes.set(name, socket);
      socket.on("close", () => handshakes.delete(name));
    });
    server.on("secureConnection", (socket: Socket) => {
      handshakes.delete(nameOf(socket));
      onConnection(socket);
    });
  } else server.on("connection", onConnection);

  const address = await startListening(server, options);
  return {
    address,
    close(graceMs) {
      closing ??= new Promise((resolve) => server.close(() => resolve()));
      for (const socket of handshakes.values()) socket.destroy();
      for (const [socket, client] of clients) {
        if (client.exchanges.size === 0) socket.destroy();
      }
      if (graceMs !== undefined) {
        const timer = setTimeout(() => {
          for (const socket of clients.keys()) socket.destroy();
        }, graceMs);
        closing.then(() => clearTimeout(timer));
      }
      return closing;
    },
  };
}

/** In milliseconds. Longer than proxies keep theirs (60 s), so that it is they who close. */
const KEEP_ALIVE = 65_000;

function createHttpServer(options: ListenOptions): Server {
  const limits = {
    keepAliveTimeout: KEEP_ALIVE,
    // An upload may take hours; only the head has to come in time (`headersTimeout`).
    requestTimeout: 0,
    // Seen to in urlOf(), with the rest of what a Host field may not be.
    requireHostHeader: false,
  };
  if (options.tls === undefined) return createServer(limits);
  try {
    return createTlsServer({ ...limits, ...tlsOptions(options.tls) });
  } catch (error) {
    throw listenError("tls", options, error);
  }
}

function tlsOptions({ cert, key, passphrase }: TlsOptions): TlsOptions {
  return { cert, key, ...(passphrase !== undefined && { passphrase }) };
}

function startListening(
  server: Server,
  options: ListenOptions,
): Promise<NetworkAddress> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      reject(listenError(listenErrorReason(error.code), options, error));
    };
    server.once("error", onError);
    server.listen(options.port, options.hostname, () => {
      server.off("error", onError);
      const { address, port } = server.address() as AddressInfo;
      resolve({ hostname: address, port });
    });
  });
}

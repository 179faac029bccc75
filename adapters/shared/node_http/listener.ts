/**
 * HTTP over `node:http` and `node:https`, on Deno, Bun and Node.
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { clearInterval, setInterval } from "node:timers";
import { now } from "../../../src/clock.ts";
import type { Handler } from "../../../src/handler.ts";
import type { Listener, ListenOptions } from "../../../src/runtime.ts";
import { networkAddress } from "../address.ts";
import { type Accept, acceptInFront, createTcpFront } from "./acceptor.ts";
import {
  type Ends,
  type Exchange,
  type ExchangeOptions,
  type Expectation,
  finishFor,
  startExchange,
} from "./exchange.ts";
import { likeHttp1, onCut, streamOf } from "./http2.ts";
import type { Sessions } from "./http2_server.ts";
import { createKnownHeads, type KnownHeads } from "./known_heads.ts";
import { linger } from "./linger.ts";
import { answerParseError } from "./parse_error.ts";
import { prepareRefusals } from "./refusal.ts";
import type { SendFile } from "./response.ts";
import type { SendNow } from "./send_now.ts";
import { createShortCut, type ShortCut } from "./short_cut.ts";

/** What a runtime is good for. */
export interface Means {
  /** How it accepts connections. @default {acceptInFront} */
  readonly accept?: Accept;
  /** How long it waits. */
  readonly times?: Times;
  /** Whether to speak HTTP/2 over TLS. @default {false} */
  readonly http2?: boolean;
  /** How it has files sent over connections without TLS. @default {null} */
  readonly sendFile?: SendFile | null;
  /** The same for bytes. @default {null} */
  readonly sendNow?: SendNow | null;
  /** Whether it gains by not parsing the same twice ({@linkcode createShortCut}). @default {false} */
  readonly skipsParser?: boolean;
  /** Whether its `node:http` leaves a connection alone whose head does not come in time. @default {false} */
  readonly ignoresHeadTime?: boolean;
}

/** `Network.listen` over `node:http`. */
export async function listen(
  handler: Handler,
  options: ListenOptions,
  means: Means = {},
): Promise<Listener> {
  const { accept = acceptInFront, times = TIMES, http2 = false, skipsParser = false } = means;
  const server = createServer(limitsOf(times));
  // Then serveClients() says what the end of a client's side means. It is not in the types.
  Object.assign(server, { httpAllowHalfOpen: true });
  const refusals = prepareRefusals(options.refuse);
  let closing: Promise<void> | null = null;
  const { tls } = options;
  const http2Server = tls !== undefined && http2 && options.http2 !== false
    ? (await import("./http2_server.ts")).createHttp2Server(server)
    : null;
  const sessions = http2Server?.sessions ?? null;
  const clients = serveClients(server, tls !== undefined, sessions, skipsParser, {
    handler,
    refusals,
    onError: options.onError ?? (() => {}),
    sendFile: tls === undefined ? means.sendFile ?? null : null,
    sendNow: tls === undefined ? means.sendNow ?? null : null,
    isClosing: () => closing !== null,
  });
  // Code that only those load who want TLS: it takes several milliseconds.
  const secure = tls && (await import("./tls_front.ts")).createTlsFront(tls, {
    http2: http2Server,
    onAccepted: clients.meet,
    handshakeTimeout: times.head,
    // Of several workers, the one that tried the port has said it.
    warn: (error) => void (options.shared || options.onError?.(error)),
  });
  await refusals.ready;
  const acceptor = await accept(server, options, secure?.create ?? createTcpFront);
  const sweep = setInterval(() => {
    clients.closeUnused();
    sessions?.closeUnused(KEEP_ALIVE_ROUNDS);
  }, times.keepAlive / KEEP_ALIVE_ROUNDS).unref();
  const looks = means.ignoresHeadTime === true
    ? setInterval(() => clients.closeLate(times.head), times.head / 2).unref()
    : undefined;
  return {
    address: acceptor.address,
    close(graceMs) {
      closing ??= acceptor.close().finally(() => {
        clearInterval(sweep);
        clearInterval(looks);
      });
      sessions?.close();
      clients.closeIdle();
      if (graceMs !== undefined) {
        const timer = setTimeout(clients.closeAll, graceMs);
        closing.then(() => clearTimeout(timer));
      }
      return closing;
    },
    ...(secure && { setTls: secure.setTls }),
  };
}

/** How long a listener waits, in milliseconds. */
export interface Times {
  /** For the next request on a connection. */
  readonly keepAlive: number;
  /** For all of a request's head. */
  readonly head: number;
}

/** The first is longer than proxies keep theirs (60 s), so that it is they who close. */
const TIMES: Times = { keepAlive: 65_000, head: 60_000 };

/** In how many steps the time of unused connections is measured. */
const KEEP_ALIVE_ROUNDS = 13;

function limitsOf({ head }: Times) {
  return {
    // A timer for each connection, set anew with each response, costs more than a look at all of them now and then.
    keepAliveTimeout: 0,
    // Most requests come without a body: nobody has to wait for its end.
    optimizeEmptyRequests: true,
    // An upload may take hours; only the head has to come in time.
    requestTimeout: 0,
    headersTimeout: head,
    // How often Node looks.
    connectionsCheckingInterval: head / 2,
    // urlOf() looks at the Host field, at this and at all else that may be wrong with it.
    requireHostHeader: false,
  };
}

/**
 * How many requests of one connection are looked after before the first of them is answered. Of each there may be an open
 * file, a script and a first piece of its body, and a few bytes ask for it.
 */
const MOST_AT_A_TIME = 32;

/** A connection and what happens on it. */
interface Client extends Ends {
  readonly exchanges: Set<Exchange>;
  /** Starts those for which there are too many before them ({@linkcode MOST_AT_A_TIME}). */
  readonly waiting: (() => void)[];
  /** The request that the parser has found last. */
  last: IncomingMessage | null;
  /** The round of looking for unused connections in which this one was last of use. */
  lastUse: number;
  /** Whether it may ask for more after its last request, on a connection that is its own. */
  keeps: boolean;
  /** Has sent what is no request: what follows on the connection is not one either (RFC 9112 section 9.6). */
  refused: boolean;
  /** Ends the connection, once the requests that came before such a thing are answered. */
  end: (() => void) | null;
}

/** Everybody who is connected. */
interface Clients {
  /** Somebody has connected, and may not have shaken hands yet. */
  meet(socket: Socket): void;
  /** Closes the connections on which nothing happens, and from now on every other as soon as that is so. */
  closeIdle(): void;
  /** Closes those on which nothing has happened since this was called so many times. */
  closeUnused(): void;
  /** Refuses those whose head has not come in this time, in milliseconds. */
  closeLate(headTime: number): void;
  closeAll(): void;
}

/** Whether the client may go on to use the connection (RFC 9112 section 9.3). */
function keepsConnection({ httpVersionMinor, headers: { connection = "" } }: IncomingMessage): boolean {
  const says = (option: string) => connection.toLowerCase().split(/[\s,]+/).includes(option);
  return !says("close") && (httpVersionMinor > 0 || says("keep-alive"));
}

/** As Node makes it. Not before it is needed: to note where an error is made takes Deno 6 ms the first time. */
function lateness(): Error {
  return Object.assign(new Error("Request timeout"), { code: "ERR_HTTP_REQUEST_TIMEOUT" });
}

function serveClients(
  server: Server,
  secure: boolean,
  sessions: Sessions | null,
  skipsParser: boolean,
  options: ExchangeOptions,
): Clients {
  /** All sockets, also those that have not asked or not even shaken hands yet, and since when there are. */
  const sockets = new Map<Socket, number>();
  const clients = new Map<Socket, Client>();
  const { atOnce } = options.handler;
  const heads = skipsParser && atOnce ? createKnownHeads() : null;
  const shortCuts = new WeakMap<Socket, ShortCut>();
  let running = 0;
  let round = 0;

  function meet(socket: Socket): void {
    // On Bun, the socket that has shaken hands is the one that was accepted.
    if (!sockets.has(socket)) socket.on("close", () => sockets.delete(socket));
    sockets.set(socket, now());
    const shortCut = heads && shortCutOf(socket, heads);
    if (shortCut) shortCuts.set(socket, shortCut);
  }
  function clientOf(socket: Socket): Client {
    const met = clients.get(socket);
    if (met !== undefined) return met;
    const client: Client = {
      remote: networkAddress(socket.remoteAddress, socket.remotePort),
      local: networkAddress(socket.localAddress, socket.localPort),
      secure,
      exchanges: new Set(),
      waiting: [],
      last: null,
      lastUse: round,
      keeps: false,
      refused: false,
      end: null,
    };
    clients.set(socket, client);
    // However many requests are under way on it, a runtime does not warn of a leak.
    socket.setMaxListeners(0);
    // Whoever has asked for one answer alone may have no more to say, and wait for it. All others have left: that they are
    // still there would only show when something is sent to them.
    socket.on("end", () => client.keeps && socket.end());
    socket.on("close", () => {
      leave(socket);
      clients.delete(socket);
      if (options.isClosing()) closeIdle();
    });
    return client;
  }
  function leave(socket: Socket): void {
    const client = clients.get(socket);
    if (client === undefined) return;
    client.waiting.length = 0;
    for (const exchange of client.exchanges) giveUp(socket, exchange);
  }
  function giveUp(socket: Socket, exchange: Exchange): void {
    if (clients.get(socket)?.exchanges.delete(exchange)) running--;
    exchange.leave();
  }
  /** What cannot be parsed ends the connection; whole requests before it are answered first. */
  function refuse(error: Error, socket: Socket): void {
    // Deno (2.9.6) gives the parser to another connection at once, and this one would go on feeding it.
    socket.removeAllListeners("data");
    socket.resume();
    const client = clients.get(socket);
    if (client?.end) return;
    // This one will never be whole: who reads it is to know that nobody waits.
    for (const exchange of client?.exchanges ?? []) if (!exchange.isWhole()) giveUp(socket, exchange);
    const end = () => answerParseError(error, socket, options.refusals, client?.last ?? null);
    if (client === undefined || client.exchanges.size === 0) return end();
    client.refused = true;
    client.end = end;
  }
  function answer(incoming: IncomingMessage, outgoing: ServerResponse, expects: Expectation): void {
    const { socket } = incoming;
    const client = clientOf(socket);
    // Node reads on while the refusal is being sent.
    if (client.refused) return;
    client.last = incoming;
    const isStream = streamOf(incoming) !== null;
    client.keeps = !isStream && keepsConnection(incoming);
    // Streams of HTTP/2 do not wait for each other.
    if (client.exchanges.size < MOST_AT_A_TIME || isStream) {
      return start(incoming, outgoing, expects, client);
    }
    client.waiting.push(() => start(incoming, outgoing, expects, client));
    socket.pause();
  }
  function start(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    expects: Expectation,
    client: Client,
  ): void {
    const { socket } = incoming;
    client.lastUse = round;
    likeHttp1(incoming, outgoing);
    const stream = streamOf(incoming);
    if (stream !== null) onCut(stream, () => leave(socket));
    const shortCut = shortCuts.get(socket);
    const decided = shortCut?.onRequest(incoming, outgoing) ?? null;
    const exchange = startExchange(incoming, outgoing, expects, client, options, decided);
    if (exchange === "refused") {
      client.refused = true;
      client.waiting.length = 0;
      return;
    }
    if (exchange === "done" || exchange.isAtOnce) shortCut?.onAnsweredAtOnce();
    if (exchange === "done") return;
    begin(client, exchange);
    outgoing.on("finish", () => over(socket, client, exchange, stream === null));
  }
  function begin({ exchanges }: Client, exchange: Exchange): void {
    exchanges.add(exchange);
    running++;
  }
  function over(socket: Socket, client: Client, exchange: Exchange, isConnection: boolean): void {
    const { exchanges, end } = client;
    if (!exchanges.delete(exchange)) return;
    running--;
    client.lastUse = round;
    startWaiting(socket, client);
    if (exchanges.size === 0) {
      end?.();
      // While much waits for its turn, `node:http` reads no further. Deno (2.9.6) does not notice that all of it was sent.
      if (socket.isPaused()) socket.emit("drain");
    }
    if (!options.isClosing()) return;
    if (exchanges.size === 0 && isConnection) socket.destroySoon();
    closeIdle();
  }
  function startWaiting(socket: Socket, { exchanges, waiting }: Client): void {
    if (waiting.length === 0) return;
    while (waiting.length > 0 && exchanges.size < MOST_AT_A_TIME) waiting.shift()!();
    if (waiting.length === 0) socket.resume();
  }
  function shortCutOf(socket: Socket, heads: KnownHeads): ShortCut | null {
    let client: Client | null = null;
    // Once: a socket that is closed is nobody's client any more.
    const clientHere = () => client ??= clientOf(socket);
    return createShortCut(socket, {
      heads,
      atOnce: atOnce!,
      client: clientHere,
      isIdle() {
        const { refused, exchanges } = clientHere();
        return !refused && exchanges.size === 0 && !options.isClosing();
      },
      onBegin: (exchange) => begin(clientHere(), exchange),
      onOver: (exchange) => over(socket, clientHere(), exchange, true),
      isClosing: options.isClosing,
      finish: (head, begun) => finishFor(head, begun, clientHere(), options),
    });
  }
  function closeIdle(): void {
    if (running === 0) return closeSockets((socket) => !sessions?.include(socket));
    for (const [socket, { exchanges }] of clients) {
      if (exchanges.size === 0) socket.destroy();
    }
  }
  function closeUnused(): void {
    round++;
    for (const [socket, { exchanges, lastUse }] of clients) {
      if (exchanges.size === 0 && round - lastUse > KEEP_ALIVE_ROUNDS) socket.destroy();
    }
  }
  function closeLate(headTime: number): void {
    const time = now();
    for (const [socket, met] of sockets) {
      const since = clients.has(socket) ? shortCuts.get(socket)?.headSince() ?? time : met;
      if (time - since > headTime) refuse(lateness(), socket);
    }
  }
  function closeAll(): void {
    closeSockets(() => true);
  }
  function closeSockets(which: (socket: Socket) => boolean): void {
    for (const socket of sockets.keys()) if (which(socket)) socket.destroy();
  }
  server.on("connection", meet);
  server.on("request", (incoming, outgoing) => answer(incoming, outgoing, null));
  server.on("checkContinue", (incoming, outgoing) => answer(incoming, outgoing, "100-continue"));
  server.on("checkExpectation", (incoming, outgoing) => answer(incoming, outgoing, "unknown"));
  server.on("clientError", refuse);
  server.on("connect", (incoming: IncomingMessage, to: Socket | ServerResponse) => {
    if ("writeHead" in to) {
      likeHttp1(incoming, to);
      return options.refusals.send(to, 501);
    }
    shortCuts.get(to)?.end();
    linger(to, options.refusals.bytes(501));
  });
  return { meet, closeIdle, closeUnused, closeLate, closeAll };
}

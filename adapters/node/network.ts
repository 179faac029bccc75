/**
 * HTTP over `node:http` and `node:https`.
 *
 * @module
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Handler } from "../../src/handler.ts";
import type { Listener, ListenOptions, Network } from "../../src/runtime.ts";
import { listenError, listenErrorReason } from "../shared/listen_error.ts";

/** Serving HTTP on Node. */
export const network: Network = { listen };

async function listen(handler: Handler, options: ListenOptions): Promise<Listener> {
  const { hostname, port, tls, onError } = options;
  const secure = tls !== undefined;
  const server = tls ? createTlsServer(tls) : createServer();
  server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    answer(incoming, outgoing).catch((error) => {
      onError?.(error);
      outgoing.destroy();
    });
  });
  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.once("close", () => gone.abort());
    const hasBody = incoming.headers["content-length"] !== undefined ||
      incoming.headers["transfer-encoding"] !== undefined;
    const headers = new Headers();
    for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
      headers.append(incoming.rawHeaders[at]!, incoming.rawHeaders[at + 1]!);
    }
    const host = incoming.headers.host ?? "localhost";
    const request = new Request(`http${secure ? "s" : ""}://${host}${incoming.url}`, {
      method: incoming.method!,
      headers,
      signal: gone.signal,
      ...(hasBody && incoming.method !== "GET" && incoming.method !== "HEAD" &&
        { body: Readable.toWeb(incoming), duplex: "half" }),
    } as RequestInit);
    const response = await handler(request, {
      remote: { hostname: incoming.socket.remoteAddress!, port: incoming.socket.remotePort! },
      local: { hostname: incoming.socket.localAddress!, port: incoming.socket.localPort! },
      secure,
      protocol: `HTTP/${incoming.httpVersion}`,
    }) ?? new Response(null, { status: 404 });
    outgoing.writeHead(response.status, [...response.headers].flat());
    if (response.body === null) outgoing.end();
    else await pipeline(Readable.fromWeb(response.body as never), outgoing);
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(listenError(listenErrorReason(error.code), options, error));
    });
    server.listen(port, hostname, resolve);
  });
  const { address, port: actual } = server.address() as AddressInfo;
  return {
    address: { hostname: address, port: actual },
    close(graceMs) {
      return new Promise((resolve) => {
        if (graceMs !== undefined) setTimeout(() => server.closeAllConnections(), graceMs).unref();
        server.close(() => resolve());
        server.closeIdleConnections();
      });
    },
  };
}

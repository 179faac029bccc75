/**
 * What servers tell of a connection beside the request, each in its own way.
 *
 * @module
 */

import { plainAddress } from "./cgi/ip_address.ts";
import type { Connection } from "./handler.ts";
import type { NetworkAddress } from "./runtime.ts";

/** An `IncomingMessage` of Node's, as far as it is of use. */
interface NodeMessage {
  readonly httpVersion?: string;
  readonly socket?: {
    readonly remoteAddress?: string;
    readonly remotePort?: number;
    readonly localAddress?: string;
    readonly localPort?: number;
    readonly encrypted?: boolean;
  };
}

interface DenoInfo {
  readonly remoteAddr?: { readonly hostname?: string; readonly port?: number };
}

interface BunServer {
  requestIP?(request: Request): { readonly address: string; readonly port: number } | null;
  readonly hostname?: string;
  readonly port?: number;
}

/** What comes as the second argument of a fetch function. */
interface Bindings extends DenoInfo, BunServer, Connection {
  /** `@hono/node-server` */
  readonly incoming?: NodeMessage;
  /** Bun's own server, given `(request, server) => app.fetch(request, { server })`. */
  readonly server?: BunServer;
}

/** What srvx puts on the request itself, whichever runtime it serves on. */
interface SrvxRequest extends Request {
  readonly runtime?: {
    readonly node?: { readonly req?: NodeMessage };
    readonly deno?: { readonly info?: DenoInfo };
    readonly bun?: { readonly server?: BunServer };
  };
}

/**
 * What is known of a request's connection: from the second argument that the server gave to its fetch function (Deno,
 * Bun, `@hono/node-server`, `serve()` of this library), or from the request itself (srvx).
 */
export function connectionFrom(request: Request, bindings: unknown): Connection {
  const { runtime } = request as SrvxRequest;
  const given = (typeof bindings === "object" && bindings !== null ? bindings : {}) as Bindings;
  const incoming = given.incoming ?? runtime?.node?.req;
  if (incoming?.socket !== undefined) return fromNode(incoming);
  const remote = given.remoteAddr ?? runtime?.deno?.info?.remoteAddr;
  if (remote !== undefined) return { remote: address(remote.hostname, remote.port) };
  const server = given.server ?? runtime?.bun?.server ?? given;
  if (server.requestIP !== undefined) {
    const client = server.requestIP(request);
    return { remote: address(client?.address, client?.port), local: address(server.hostname, server.port) };
  }
  return given.remote === undefined ? {} : given;
}

function fromNode({ socket = {}, httpVersion }: NodeMessage): Connection {
  return {
    remote: address(socket.remoteAddress, socket.remotePort),
    local: address(socket.localAddress, socket.localPort),
    secure: socket.encrypted === true,
    ...(httpVersion !== undefined && { protocol: `HTTP/${httpVersion}` }),
  };
}

function address(hostname: string | undefined, port: number | undefined): NetworkAddress | null {
  return hostname === undefined || port === undefined ? null : { hostname: plainAddress(hostname), port };
}

/**
 * Other people's servers for a fetch function, those that there are on this runtime.
 *
 * @module
 */

import { serve as serveHono } from "@hono/node-server";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve as serveSrvx } from "srvx";
import { toNodeListener } from "../adapters/node.ts";
import { runtime } from "./_runtime.ts";

/** A server that runs. */
export interface Running {
  readonly address: { readonly hostname: string; readonly port: number };
  /** Without a slash at its end. */
  readonly url: string;
  stop(): Promise<unknown>;
}

/** A function from a request to a response, with what the server says beside it. */
// deno-lint-ignore no-explicit-any
export type AnyFetch = (request: Request, info?: any) => Response | Promise<Response>;

/** Starts the server on any port of 127.0.0.1. */
export type Start = (fetch: AnyFetch) => Promise<Running>;

const HOSTNAME = "127.0.0.1";

const everywhere: Readonly<Record<string, Start>> = {
  async srvx(fetch) {
    const server = serveSrvx({
      fetch,
      hostname: HOSTNAME,
      port: 0,
      silent: true,
      gracefulShutdown: false,
      bun: { idleTimeout: 0 },
    });
    await server.ready();
    return running(Number(new URL(server.url as string).port), () => server.close(true));
  },
  "@hono/node-server": (fetch) =>
    new Promise((resolve) => {
      // Bun runs all test files in one process, and its own server takes no other Response than Bun's.
      const overrideGlobalObjects = runtime.name !== "bun";
      const server = serveHono({ fetch, hostname: HOSTNAME, port: 0, overrideGlobalObjects }, ({ port }) => {
        resolve(running(port, () => closeNode(server as Server)));
      });
    }),
  "node:http": (fetch) =>
    new Promise((resolve) => {
      const server = createServer(toNodeListener(fetch, { log() {} }));
      server.listen(0, HOSTNAME, () => {
        resolve(running((server.address() as AddressInfo).port, () => closeNode(server)));
      });
    }),
};

/** `@types/bun` and `@types/node` cannot be had together. */
declare const Bun: {
  serve(options: object): { readonly port: number; stop(now: boolean): Promise<void> };
};

const own: Readonly<Record<typeof runtime.name, Readonly<Record<string, Start>>>> = {
  deno: {
    "Deno.serve": (fetch) => {
      const server = Deno.serve({ hostname: HOSTNAME, port: 0, onListen() {} }, fetch);
      return Promise.resolve(running(server.addr.port, () => server.shutdown()));
    },
  },
  bun: {
    "Bun.serve": (fetch) => {
      const server = Bun.serve({ hostname: HOSTNAME, port: 0, idleTimeout: 0, fetch });
      return Promise.resolve(running(server.port, () => server.stop(true)));
    },
    "routes of Bun.serve": (fetch) => {
      const server = Bun.serve({ hostname: HOSTNAME, port: 0, idleTimeout: 0, routes: { "/*": fetch } });
      return Promise.resolve(running(server.port, () => server.stop(true)));
    },
  },
  node: {},
};

/** By name. */
export const servers: Readonly<Record<string, Start>> = { ...own[runtime.name], ...everywhere };

function running(port: number, stop: () => Promise<unknown>): Running {
  return { address: { hostname: HOSTNAME, port }, url: `http://${HOSTNAME}:${port}`, stop };
}

function closeNode(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

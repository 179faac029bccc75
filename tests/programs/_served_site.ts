/**
 * A folder of fixtures, served as the command line would, on a real socket.
 *
 * @module
 */

import { resolve } from "node:path";
import { type LogEvent, serve, site, type SiteCgiOptions } from "../../mod.ts";
import type { Target } from "../_http.ts";

/** A running server. */
export interface ServedSite extends Target {
  /** With a slash at its end. */
  readonly url: string;
  /** All that was logged, in order. */
  readonly log: readonly LogEvent[];
  /** Resolves with the first event, past or future, that the test wants. */
  logged<T extends LogEvent["type"]>(
    type: T,
    wanted: (event: LogEvent & { type: T }) => boolean,
  ): Promise<LogEvent & { type: T }>;
  close(): Promise<void>;
}

/** Serves a folder of `tests/programs/fixtures`, or one given by an absolute path. */
export async function serveSite(
  directory: string,
  // As whoever runs the tests: the checkout may be a place that `nobody` cannot read.
  cgi: SiteCgiOptions = { user: null },
  observe: (request: Request) => void = () => {},
): Promise<ServedSite> {
  const log: LogEvent[] = [];
  const waiting = new Set<() => void>();
  function keep(event: LogEvent): void {
    log.push(event);
    for (const look of waiting) look();
  }
  const handler = site({
    directory: resolve("tests/programs/fixtures", directory),
    cgi,
    static: { listing: true },
    log: keep,
  });
  const server = await serve({
    port: 0,
    log: keep,
    handler(request, connection) {
      observe(request);
      return handler(request, connection);
    },
  });
  return {
    url: server.url,
    hostname: server.address.hostname,
    port: server.address.port,
    log,
    logged(type, wanted) {
      const isWanted = (event: LogEvent) =>
        event.type === type && wanted(event as Parameters<typeof wanted>[0]);
      return new Promise((found, fail) => {
        const timer = setTimeout(
          () => fail(new Error(`Not logged within 10 s: ${type}; there was ${JSON.stringify(log)}`)),
          10_000,
        );
        function look(): void {
          const event = log.find(isWanted);
          if (event === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          found(event as Parameters<typeof wanted>[0]);
        }
        waiting.add(look);
        look();
      });
    },
    async close() {
      await server.close(1000);
      await handler.close(1000);
    },
  };
}

/**
 * Scripts behind a real server, for tests of what happens while they run.
 *
 * @module
 */

import { cgi } from "../../src/cgi/mod.ts";
import type { CgiHandler, CgiOptions } from "../../src/cgi/options.ts";
import type { Handler } from "../../src/handler.ts";
import type { LogEvent, MessageEvent, ScriptExitEvent } from "../../src/log/events.ts";
import { serve } from "../../src/serve.ts";
import { exchange, get, type RawResponse, type Target } from "../_http.ts";
import "../_runtime.ts";

/** A running server, and what it said. */
export interface Served extends Target {
  readonly url: string;
  readonly handler: CgiHandler;
  readonly events: readonly LogEvent[];
  /** The first event that is so, now or later. */
  event<T extends LogEvent>(is: (event: LogEvent) => event is T): Promise<T>;
  /** The messages so far. */
  messages(): readonly string[];
  /** The end of the `count`th script. */
  exit(count?: number): Promise<ScriptExitEvent>;
  /** The first message that matches. */
  message(pattern: RegExp): Promise<MessageEvent>;
  /** A GET request, and its response. */
  get(path?: string, ...headers: string[]): Promise<RawResponse>;
  close(): Promise<void>;
}

/** What is served, and how. */
export interface ServedOptions extends CgiOptions {
  /** Leave the user to `cgi()`. Otherwise it is the tests' own, unless one is given. */
  readonly defaultUser?: true;
  /** In the place of the scripts alone. */
  readonly around?: (scripts: Handler) => Handler;
}

const DEADLINE = 10_000;

/** Serves one shell script, given as its text, at every path. */
export function serveShell(
  source: string,
  options: ServedOptions = {},
): Promise<Served> {
  return serveScripts({ script: "/bin/sh", args: ["-c", source], ...options });
}

/** Serves scripts. They run as the tests do, unless said otherwise. */
export async function serveScripts(options: ServedOptions): Promise<Served> {
  const events: LogEvent[] = [];
  const waiting = new Set<() => void>();
  function log(event: LogEvent): void {
    events.push(event);
    waiting.forEach((wake) => wake());
  }
  const { around = (scripts: Handler) => scripts, defaultUser, ...rest } = options;
  const handler = cgi({ log, ...(defaultUser ? {} : { user: null }), ...rest });
  const server = await serve({ port: 0, handler: around(handler), log });
  const target: Target = server.address;

  function event<T extends LogEvent>(is: (event: LogEvent) => event is T, count = 1): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`Not logged within ${DEADLINE} ms; what was: ${JSON.stringify(events, null, 1)}`));
      }, DEADLINE);
      function look(): void {
        const found = events.filter(is)[count - 1];
        if (found === undefined) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      }
      waiting.add(look);
      look();
    });
  }
  const isMessage = (event: LogEvent): event is MessageEvent => event.type === "message";
  return {
    ...target,
    url: server.url,
    handler,
    events,
    event,
    messages: () => events.filter(isMessage).map(({ message }) => message),
    exit: (count) => event((event) => event.type === "script-exit", count),
    message: (pattern) =>
      event((event): event is MessageEvent => isMessage(event) && pattern.test(event.message)),
    get: (path = "/", ...headers) => exchange(target, get(path, ...headers)),
    async close() {
      await handler.close();
      await server.close(0);
    },
  };
}

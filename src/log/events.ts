/**
 * What a server has to say about itself, as data. Formatting is somebody else's: see `format.ts`.
 *
 * @module
 */

/** One answered request, told once its response has ended. */
export interface AccessEvent {
  /** Which event this is. */
  readonly type: "access";
  /** When the request came in. */
  readonly time: Date;
  /** The name of the request that it belongs to. Empty for a log that wants none: {@linkcode Log.requestIds}. */
  readonly requestId: string;
  /** The client's address, or `null` when it is not known. */
  readonly remote: string | null;
  /** The verified user. */
  readonly user: string | null;
  /** The request's method. */
  readonly method: string;
  /** Path and query as requested. */
  readonly target: string;
  /** The request's protocol, such as `HTTP/1.1`. */
  readonly protocol: string;
  /** The response's status; 499, as nginx writes it, when the client had left before there was one. */
  readonly status: number;
  /**
   * Bytes of the body that were handed to the client's connection: fewer than announced when the transfer was broken
   * off. On a server that does not tell (see `toFetch()`) what Content-Length says, or `null`.
   */
  readonly bytes: number | null;
  /** Whether the response was sent whole, neither broken off by the client nor by a body that failed. */
  readonly complete: boolean;
  /** From the request to the end of its response, in milliseconds. */
  readonly durationMs: number;
  /** Path of the file of the script that answered, or `null`. */
  readonly script: string | null;
  /** That script's process number. */
  readonly pid: number | null;
  /** Its exit status; `null` when a signal ended it, or when it still runs: a `script-exit` event tells it then. */
  readonly code: number | null;
  /** The name of the signal that ended it. */
  readonly signal: string | null;
  /** The request's `Referer`. */
  readonly referer: string | null;
  /** The request's `User-Agent`. */
  readonly userAgent: string | null;
}

/** How much a message matters: something failed, something is odd, something is worth knowing. */
export type LogLevel = "error" | "warning" | "info";

/** Something the operator should know: what, where, and what to do about it. */
export interface MessageEvent {
  /** Which event this is. */
  readonly type: "message";
  /** How much it matters. */
  readonly level: LogLevel;
  /** Which part of the server speaks. */
  readonly source: "server" | "static" | "cgi";
  /** One line, without control characters of its own; what came from outside is escaped by the formatter. */
  readonly message: string;
  /** The name of the request that it belongs to. */
  readonly requestId?: string;
  /** Path of the script's file. */
  readonly script?: string;
  /** The script's process number. */
  readonly pid?: number;
}

/** One line that a script wrote to its standard error. */
export interface ScriptErrorEvent {
  /** Which event this is. */
  readonly type: "script-stderr";
  /** The line without its line end. */
  readonly line: string;
  /** Path of the script's file. */
  readonly script: string;
  /** The script's process number. */
  readonly pid: number;
  /** The name of the request that it belongs to. */
  readonly requestId?: string;
}

/** The end of a script. */
export interface ScriptExitEvent {
  /** Which event this is. */
  readonly type: "script-exit";
  /** Path of the script's file. */
  readonly script: string;
  /** The script's process number. */
  readonly pid: number;
  /** The name of the request that it belongs to. */
  readonly requestId?: string;
  /** Its exit status, or `null` when a signal ended it. */
  readonly code: number | null;
  /** The name of the signal that ended it, or `null`. */
  readonly signal: string | null;
  /** From start to end, in milliseconds. */
  readonly durationMs: number;
}

/** Anything a server logs. */
export type LogEvent =
  | AccessEvent
  | MessageEvent
  | ScriptErrorEvent
  | ScriptExitEvent;

/**
 * Receives events. Must not throw and should not block.
 *
 * @example
 * ```ts
 * import { consoleLog, formatEvent, type Log, type LogEvent, type LogFormat, type LogLevel, serve } from "htbin";
 * import type { AccessEvent, MessageEvent, ScriptErrorEvent, ScriptExitEvent } from "htbin";
 *
 * const format: LogFormat = "combined";
 * const loud: LogLevel = "error";
 * const lines: string[] = [];
 * const log: Log = (event: LogEvent) => {
 *   const kind: (AccessEvent | MessageEvent | ScriptErrorEvent | ScriptExitEvent)["type"] = event.type;
 *   if (kind === "access") lines.push(formatEvent(event, format));
 *   else if (event.type === "message" && event.level === loud) consoleLog()(event);
 * };
 * const server = await serve({ port: 0, handler: () => new Response("Hello"), log });
 * await (await fetch(server.url)).text();
 * await server.close();
 * console.assert(lines[0]?.includes('"GET / HTTP/1.1" 200 5'));
 * ```
 */
export interface Log {
  /** Takes an event. */
  (event: LogEvent): void;
  /** `false` saves the server the making of access events, which this log would drop. */
  readonly access?: boolean;
  /**
   * `false` saves the server the making of names that this log would drop: the `requestId` of an access event is `""` where
   * nothing else was told of the request. With the first name Node loads all of the Web's cryptography. @default {true}
   */
  readonly requestIds?: boolean;
}

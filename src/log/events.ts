/**
 * What a server has to say about itself, as data. Formatting is somebody else's: see `format.ts`.
 *
 * @module
 */

/** One answered request. */
export interface AccessEvent {
  readonly type: "access";
  /** When the request came in. */
  readonly time: Date;
  readonly requestId: string;
  /** The client's address, or `null` when it is not known. */
  readonly remote: string | null;
  /** The verified user. */
  readonly user: string | null;
  readonly method: string;
  /** Path and query as requested. */
  readonly target: string;
  readonly protocol: string;
  readonly status: number;
  /** Length of the body as its Content-Length says, or `null` when it has none or no body is sent (HEAD). */
  readonly bytes: number | null;
  /** From the request to the response's head, in milliseconds. */
  readonly durationMs: number;
  readonly referer: string | null;
  readonly userAgent: string | null;
}

/** How much a message matters: something failed, something is odd, something is worth knowing. */
export type LogLevel = "error" | "warning" | "info";

/** Something the operator should know: what, where, and what to do about it. */
export interface MessageEvent {
  readonly type: "message";
  readonly level: LogLevel;
  /** Which part of the server speaks. */
  readonly source: "server" | "static" | "cgi";
  /** One line, without control characters of its own; what came from outside is escaped by the formatter. */
  readonly message: string;
  readonly requestId?: string;
  /** Path of the script's file. */
  readonly script?: string;
  readonly pid?: number;
}

/** One line that a script wrote to its standard error. */
export interface ScriptErrorEvent {
  readonly type: "script-stderr";
  /** The line without its line end. */
  readonly line: string;
  readonly script: string;
  readonly pid: number;
  readonly requestId?: string;
}

/** The end of a script. */
export interface ScriptExitEvent {
  readonly type: "script-exit";
  readonly script: string;
  readonly pid: number;
  readonly requestId?: string;
  readonly code: number | null;
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

/** Receives events. Must not throw and should not block. */
export type Log = (event: LogEvent) => void;

/**
 * What `cgi()` takes.
 *
 * @module
 */

import {
  either,
  flag,
  hook,
  list,
  map,
  needed,
  number,
  record,
  service,
  type Shape,
  text,
  word,
} from "../check_options.ts";
import type { RenderError } from "../error_page.ts";
import type { Connection, Handler } from "../handler.ts";
import type { Log } from "../log/events.ts";
import type { FileSystem, ProcessHost, UserIdentity } from "../runtime.ts";
import type { Queue } from "./queue.ts";

/** A script that is about to run: what hooks are told. */
export interface ScriptCall {
  /** The request that it answers. */
  readonly request: Request;
  /** What is known beside the request. */
  readonly connection: Connection;
  /** Absolute path of the script's file. */
  readonly scriptFilename: string;
  /** RFC 3875 section 4.1.13. */
  readonly scriptName: string;
  /** RFC 3875 section 4.1.5; `null` when there is none. */
  readonly pathInfo: string | null;
}

/** How a script ended. */
export interface ScriptExit {
  /** What it was started for. */
  readonly call: ScriptCall;
  /** Its process number. */
  readonly pid: number;
  /** Its exit status, or `null` when a signal ended it. */
  readonly code: number | null;
  /** The name of the signal that ended it, or `null`. */
  readonly signal: string | null;
  /** Why this server stopped it, or `null` when it ended by itself. */
  readonly stopped: "client-gone" | "timeout" | "shutdown" | "bad-output" | "output-unwanted" | null;
  /** From its start to its end, in milliseconds. */
  readonly durationMs: number;
}

/** Time limits in seconds (fractions allowed); `Infinity` or 0 switches one off. */
export interface CgiTimeouts {
  /** From the start to the end of the response's head. @default {60} */
  readonly firstByte?: number;
  /** Without a byte moving in either direction, once the head is there. @default {60} */
  readonly idle?: number;
  /** For everything. @default {Infinity} */
  readonly total?: number;
  /** Between asking a script to end (TERM) and forcing it (KILL). @default {3} */
  readonly grace?: number;
}

/** How many scripts may run. */
export interface CgiLimits {
  /** Scripts running at the same time. @default {4 x processors, at least 16} */
  readonly concurrent?: number;
  /** Requests waiting for a place; more are answered 503 with `Retry-After`. @default {1024} */
  readonly queue?: number;
  /** Share of places and queue that one client address may hold, 0 to 1. @default {1} */
  readonly perClient?: number;
  /** Longest wait for a place, in seconds; then 503. @default {60} */
  readonly wait?: number;
  /** Largest request body in bytes; more is 413. @default {Infinity} */
  readonly body?: number;
  /** Bytes of a chunked body held in memory before it goes to a temporary file. @default {65536} */
  readonly spoolMemory?: number;
  /**
   * Bytes that chunked bodies may take on disk, all requests together. A body that is larger by itself is 413, one that
   * finds no room 503. @default {1073741824}
   */
  readonly spoolDisk?: number;
  /** Bytes of standard error logged per request; the rest is read and dropped, and the log says so. @default {65536} */
  readonly stderr?: number;
}

/**
 * Options of `cgi()`.
 *
 * @example
 * ```ts
 * import { cgi, type CgiHandler, type CgiLimits, type CgiOptions, type CgiTimeouts } from "htbin";
 * import type { ScriptCall, ScriptExit } from "htbin";
 *
 * const timeouts: CgiTimeouts = { firstByte: 5, total: 60 };
 * const limits: CgiLimits = { concurrent: 8, body: 10_000_000 };
 * const ended: number[] = [];
 * const options: CgiOptions = {
 *   root: "examples/site/cgi-bin",
 *   timeouts,
 *   limits,
 *   env: ({ request, scriptName }: ScriptCall) => ({ CALLED: `${request.method} ${scriptName}` }),
 *   onExit: ({ code, durationMs }: ScriptExit) => void ended.push(code ?? durationMs),
 *   log() {},
 * };
 * const handler: CgiHandler = cgi(options);
 * const response = await handler(new Request("http://localhost/hello.sh"));
 * await response?.text();
 * await handler.close();
 * console.assert(ended[0] === 0);
 * ```
 */
export interface CgiOptions {
  /** The folder that URL paths below the mount are looked up in. Relative paths start at the working directory. */
  readonly root?: string;
  /**
   * The folders below `root` whose files are scripts, as URL paths without a slash at either end: `cgi-bin`,
   * `sub/dir/cgi-bin`, `.` for all of `root`. What is outside of them is passed on. @default {["."]}
   */
  readonly directories?: readonly string[];
  /**
   * Files anywhere below `root` with one of these endings are scripts too: `.cgi`. Compared ignoring ASCII case.
   * @default {[]}
   */
  readonly extensions?: readonly string[];
  /** One script that answers every path below the mount (front controller), instead of `root`. */
  readonly script?: string;
  /** Arguments for `script`, before any others. @default {[]} */
  readonly args?: readonly string[];
  /**
   * Programs by file ending: `{ ".php": ["php-cgi"] }`. Such a file needs neither a `#!` line nor to be executable; the
   * script's path is the last argument. A program without a slash is looked up in the scripts' PATH.
   * @default {{}}
   */
  readonly interpreters?: Readonly<Record<string, string | readonly string[]>>;
  /** Names of scripts that answer for their folder. @default {[]} */
  readonly index?: readonly string[];
  /** Whether more path may follow the script (`PATH_INFO`); if not, such a path is 404. @default {true} */
  readonly pathInfo?: boolean;
  /** Folder for `DOCUMENT_ROOT` and `PATH_TRANSLATED`. @default {root} */
  readonly documentRoot?: string;
  /** Decides who may run, in place of a queue of its own with these `limits`: for handlers that share one. */
  readonly queue?: Queue;
  /** URL path that `root` stands for, when no router says it (`connection.mount`). @default {""} */
  readonly mount?: string;
  /** Run scripts whose file lies outside `root` behind a symbolic link. @default {false} */
  readonly followSymlinks?: boolean;
  /** Run scripts with names or in folders that begin with a dot. @default {false} */
  readonly dotfiles?: boolean;

  /**
   * Variables for the scripts; they win over the computed ones. `undefined` removes one. A function is called for each
   * request. @default {{}}
   */
  readonly env?:
    | Readonly<Record<string, string | undefined>>
    | ((call: ScriptCall) => Readonly<Record<string, string | undefined>>);
  /** Names of variables of this process that scripts inherit, besides the built-in short list. @default {[]} */
  readonly inheritEnv?: readonly string[];
  /** Give scripts `HTTP_AUTHORIZATION`. @default {false} */
  readonly passAuthorization?: boolean;
  /** Addresses of proxies (`127.0.0.1`, `10.0.0.0/8`, `::1`) whose `Forwarded`/`X-Forwarded-*` are believed. @default {[]} */
  readonly trustedProxies?: readonly string[];
  /** Pass the words of a query without `=` as arguments (RFC 3875 section 4.4). @default {false} */
  readonly indexedQueries?: boolean;
  /** SERVER_SOFTWARE. @default {"htbin/VERSION"} */
  readonly serverSoftware?: string;
  /** Working directory of scripts. @default {the script's folder} */
  readonly workingDirectory?: string;
  /**
   * The user scripts run as: a name, numbers, or `null` for the server's own. @default {`nobody` when the server is
   * root, else `null`}
   */
  readonly user?: string | UserIdentity | null;

  /**
   * What becomes of a request body without a length (chunked): `spool` collects it and tells the script its length,
   * `stream` hands it over at once without `CONTENT_LENGTH`, `refuse` answers 411. @default {"spool"}
   */
  readonly chunked?: "spool" | "stream" | "refuse";
  /** `false` accepts output without a head as a body, and lines a strict reader refuses are skipped. @default {true} */
  readonly strict?: boolean;
  /** Folders whose files a script may have sent in its place with `X-Sendfile: /absolute/path`. @default {[]} */
  readonly sendfile?: readonly string[];
  /**
   * `true`: this process starts scripts itself. Default: on Linux with Python, a small process does it that belongs to
   * this one, which takes a fraction of the time.
   */
  readonly direct?: boolean;
  /** Time limits. */
  readonly timeouts?: CgiTimeouts;
  /** How many scripts may run, and how much they may take. */
  readonly limits?: CgiLimits;

  /** Decides whether a script may run; `false` is 403, a response is sent in its place. */
  readonly authorize?: (call: ScriptCall) => boolean | Response | Promise<boolean | Response>;
  /** Gets each line of standard error, in place of the log. */
  readonly onStderr?: (line: string, call: ScriptCall) => void;
  /** Told of each script that ended. */
  readonly onExit?: (exit: ScriptExit) => void;
  /**
   * Show the client, when it is on this machine, why a script failed: its standard error, exit status and first
   * output. @default {false}
   */
  readonly development?: boolean;
  /** Renders error pages. @default {errorPage} */
  readonly renderError?: RenderError;
  /** Gets what went wrong, and what scripts write to standard error. @default {failures to console.error} */
  readonly log?: Log;
  /** Where scripts are looked up. @default {the runtime's files} */
  readonly fileSystem?: FileSystem;
  /** What starts scripts. @default {the runtime's processes} */
  readonly processes?: ProcessHost;
}

/** A handler that runs scripts, with a way to end them all. */
export interface CgiHandler extends Handler {
  /**
   * Takes no more requests (503), lets running scripts finish for `graceMs`, then stops them: TERM, and KILL after
   * `timeouts.grace`. Resolves when none is left.
   */
  close(graceMs?: number): Promise<void>;
}

/** What each option of `cgi()` may be. */
export const CGI_OPTIONS: Shape<CgiOptions> = {
  root: text,
  directories: list(text),
  extensions: list(text),
  script: text,
  args: list(text),
  interpreters: map(either(text, list(text))),
  index: list(text),
  pathInfo: flag,
  documentRoot: text,
  mount: text,
  followSymlinks: flag,
  dotfiles: flag,
  env: either(hook, service),
  inheritEnv: list(text),
  passAuthorization: flag,
  trustedProxies: list(text),
  indexedQueries: flag,
  serverSoftware: text,
  workingDirectory: text,
  user: either(text, record<UserIdentity>({ uid: needed(number), gid: needed(number) }), word(null)),
  chunked: word("spool", "stream", "refuse"),
  strict: flag,
  sendfile: list(text),
  direct: flag,
  timeouts: record<CgiTimeouts>({ firstByte: number, idle: number, total: number, grace: number }),
  limits: record<CgiLimits>({
    concurrent: number,
    queue: number,
    perClient: number,
    wait: number,
    body: number,
    spoolMemory: number,
    spoolDisk: number,
    stderr: number,
  }),
  authorize: hook,
  onStderr: hook,
  onExit: hook,
  development: flag,
  renderError: hook,
  log: hook,
  fileSystem: service,
  processes: service,
  queue: service,
};

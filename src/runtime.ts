/**
 * The seam: everything the core asks of a runtime, as plain functions and data.
 *
 * One adapter per runtime (`adapters/deno.ts`, `bun.ts`, `node.ts`) implements {@linkcode Runtime}.
 * Each part of the core asks for the narrowest part it needs, so a test passes an object literal and a user may pass a
 * file system of their own. What every adapter owes is held by `tests/contract/`.
 *
 * @module
 */

import type { PreparedResponse } from "./at_once.ts";
import type { Handler } from "./handler.ts";

/** Bytes in memory that the platform's streams and bodies accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** What a path names: a regular file, a directory, or anything else (FIFO, device, socket). */
export type FileKind = "file" | "directory" | "other";

/** What is known of a file without reading it. */
export interface FileInfo {
  /** What it is. */
  readonly kind: FileKind;
  /** In bytes. */
  readonly size: number;
  /** Last modification in whole milliseconds since 1970, or `null` where the system keeps none. */
  readonly mtimeMs: number | null;
  /** Device and inode number: two equal values are one file, whatever its names. `null` where the system has none. */
  readonly identity: string | null;
}

/** A part of a file: `length` bytes from `offset`. */
export interface ByteSpan {
  /** The first byte, counted from 0. */
  readonly offset: number;
  /** How many bytes. */
  readonly length: number;
}

/**
 * Takes bytes of an open file from its descriptor, as many as it can without waiting for anybody. Returns how many; none or
 * less: it could take none.
 *
 * @example A file of which little is moved at a time
 * ```ts
 * import type { ByteSpan, FileTransfer, OpenFile } from "htbin";
 *
 * function inSmallParts(file: OpenFile): OpenFile {
 *   const moveNow = ({ offset, length }: ByteSpan, transfer: FileTransfer) =>
 *     file.moveNow?.({ offset, length: Math.min(length, 16_384) }, transfer) ?? 0;
 *   return { ...file, moveNow };
 * }
 *
 * const file = { moveNow: (span, transfer) => transfer(3, span) } as Partial<OpenFile> as OpenFile;
 * const takeAll: FileTransfer = (_descriptor, { length }) => length;
 * console.assert(inSmallParts(file).moveNow?.({ offset: 0, length: 1e6 }, takeAll) === 16_384);
 * ```
 */
export type FileTransfer = (descriptor: number, span: ByteSpan) => number;

/**
 * A regular file that has been opened. It is released by the first of: `close()`, the end, error or cancel of
 * `stream()`. Whoever opened it owes one of them, also for a stream that nobody comes to read; one that is forgotten
 * stays open until it is garbage. Closing twice is harmless.
 */
export interface OpenFile {
  /** Taken from the open file, not from its name: these are the bytes that will be read. */
  readonly info: FileInfo;
  /**
   * Where the open file is now: absolute, without links. `null` where the system does not tell, and once it is closed.
   * Optional: a file system in which nothing is replaced by a link between `realPath()` and `open()` leaves it out.
   */
  realPath?(): string | null;
  /**
   * Reads the span into memory: the beginning of `into`, which must have room for it, or new one where that is not given or
   * not to be used. Rejects with a {@linkcode FileError} when the file is now shorter or has changed.
   */
  read(span: ByteSpan, into?: Bytes): Promise<Bytes>;
  /**
   * Reads the span into the beginning of `into`, which must have room for it, and returns that part of it, if the bytes
   * are in memory for all that is known: the file was read from a moment ago, and such reads have been quick. `null`
   * when they may have to come from a disk, which `read()` is for. Throws what `read()` rejects with. Optional.
   */
  readNow?(span: ByteSpan, into: Bytes): Bytes | null;
  /**
   * Has the system move the span to somewhere, without its coming into memory, where `readNow()` would read it. Returns
   * how much was taken, from its beginning; `0`: none. Throws what `read()` rejects with, when what was moved may be of a
   * file that has changed. But it may also change later, before what was moved is looked at: what comes last is to be
   * read. Optional.
   */
  moveNow?(span: ByteSpan, transfer: FileTransfer): number;
  /**
   * Reads the span piece by piece, as fast as it is taken. The stream fails, and never mixes, when the file is
   * truncated or changed meanwhile. A file that was being written to when it was opened (in the second before, a log)
   * may grow: its entity tag is a weak one.
   */
  stream(span: ByteSpan): ReadableStream<Bytes>;
  /** Releases the file. */
  close(): Promise<void>;
}

/** One name in a directory. `link` is a symbolic link, whatever it points to. */
export interface DirectoryEntry {
  /** The name alone. */
  readonly name: string;
  /** What the name is, links not followed. */
  readonly kind: FileKind | "link";
}

/** What a listing tells of a regular file. */
export type ListedFile = Pick<FileInfo, "size" | "mtimeMs">;

/** What a path named at one moment, links not followed. */
export interface Observation {
  /** What was there; a link is "other". `null` for nothing. */
  readonly info: FileInfo | null;
  /**
   * When anything about it was changed last (POSIX's ctime, which nobody can set back), in milliseconds since 1970.
   * `null` where the system keeps none.
   */
  readonly changedMs: number | null;
  /**
   * Whether the path still names the very same: the file with the same size and dates, the same folder whatever is in
   * it by now, or nothing. One question to the system, answered at once. `false` also when it cannot be.
   */
  isCurrent(): boolean;
}

/**
 * Reading files. Absence (nothing there, a file where a directory was named, a name too long, a name the system cannot
 * express) is `null`; every other failure rejects with a {@linkcode FileError}.
 *
 * @example
 * ```ts
 * import { staticFiles } from "htbin";
 * import { type Bytes, type ByteSpan, FileError, type FileErrorReason, type FileInfo } from "htbin/runtime";
 * import type { DirectoryEntry, FileKind, FilePermissions, FileSystem } from "htbin/runtime";
 * import type { ListedFile, Observation, OpenFile } from "htbin/runtime";
 *
 * // Files in memory: what `staticFiles()` needs of a file system.
 * const contents = new Map<string, Bytes>([["/hello.txt", new TextEncoder().encode("Hello")]]);
 *
 * function infoOf(path: string): FileInfo | null {
 *   const kind: FileKind = path === "/" ? "directory" : "file";
 *   const size = path === "/" ? 0 : contents.get(path)?.length;
 *   return size === undefined ? null : { kind, size, mtimeMs: 0, identity: null };
 * }
 *
 * function openBytes(bytes: Bytes, info: FileInfo): OpenFile {
 *   const part = ({ offset, length }: ByteSpan) => bytes.slice(offset, offset + length);
 *   const changed: FileErrorReason = "changed";
 *   return {
 *     info,
 *     async read(span) {
 *       if (span.offset + span.length > bytes.length) throw new FileError(changed, "Cannot read past the end");
 *       return part(span);
 *     },
 *     stream: (span) => new Blob([part(span)]).stream(),
 *     async close() {},
 *   };
 * }
 *
 * const permissions: FilePermissions = { uid: 0, gid: 0, mode: 0o444 };
 * const fileSystem: FileSystem = {
 *   stat: async (path) => infoOf(path),
 *   realPath: async (path) => infoOf(path) === null ? null : path,
 *   async open(path) {
 *     const bytes = contents.get(path);
 *     return bytes === undefined ? null : openBytes(bytes, infoOf(path) as FileInfo);
 *   },
 *   async list(path) {
 *     if (path !== "/") return null;
 *     const entries: DirectoryEntry[] = [...contents.keys()].map((name) => ({ name: name.slice(1), kind: "file" }));
 *     return (async function* () {
 *       yield* entries;
 *     })();
 *   },
 *   async *filesIn(directory, names) {
 *     yield names.map((name): ListedFile | null => infoOf(directory + name));
 *   },
 *   permissions: async () => permissions,
 *   observe: (path): Observation => ({ info: infoOf(path), changedMs: null, isCurrent: () => true }),
 * };
 *
 * const response = await staticFiles({ root: "/", fileSystem })(new Request("http://localhost/hello.txt"));
 * console.assert(await response?.text() === "Hello");
 * ```
 */
export interface FileSystem {
  /** Follows symbolic links. */
  stat(path: string): Promise<FileInfo | null>;
  /** The absolute path with no symbolic link in it. */
  realPath(path: string): Promise<string | null>;
  /** Opens a regular file. `null` for anything else: a FIFO or a device is never opened, so it can never block. */
  open(path: string): Promise<OpenFile | null>;
  /**
   * Looks at a path in such a way that it can be asked again and again whether it has changed; `null` when that would
   * take long, or fails. Optional: without it, nothing is answered from memory.
   */
  observe?(path: string): Observation | null;
  /** The entries of a directory, without `.` and `..`, in the system's order, read as they are taken. */
  list(path: string): Promise<AsyncIterable<DirectoryEntry> | null>;
  /**
   * Looks at many names of one directory, for a listing, at less cost than `open()` of each: at regular files that this
   * process may read, links not followed; `null` for a name of anything else, or of nothing. In order, and in pieces that
   * hold the event loop for less than a millisecond; what is missing at the end is not known. `directory` has no links in
   * it: what has come to be at its path meanwhile must not be taken for it. Optional; a file system that changes what
   * `open()` does must not leave this as it was.
   */
  filesIn?(directory: string, names: readonly string[]): AsyncIterable<readonly (ListedFile | null)[]>;
  /** Resolves after a turn of the event loop, in which others are heard. Optional: without it, a timer is waited for. */
  turn?(): Promise<void>;
  /**
   * `true` when this process may execute the file. Optional: a file system that holds no programs leaves it out.
   */
  isExecutable?(path: string): Promise<boolean>;
  /**
   * Owner and permission bits of a file or folder, following links; `null` when nothing is there. Optional: without it,
   * what another user may do only shows when that user tries.
   */
  permissions?(path: string): Promise<FilePermissions | null>;
}

/** Who may do what with a file or folder. */
export interface FilePermissions extends UserIdentity {
  /** The lowest nine bits of the mode: `0o755`. */
  readonly mode: number;
}

/** Why a file could not be used. */
export type FileErrorReason =
  /** The system refuses (EACCES, EPERM, a Deno permission). */
  | "denied"
  /** Out of descriptors, memory or room on the disk (EMFILE, ENFILE, ENOMEM, ENOSPC): worth a try later. */
  | "exhausted"
  /** The file changed or shrank while it was being read. */
  | "changed"
  /** Anything else; the message says what. */
  | "failed";

/** A file that could not be used, for a reason other than absence. */
export class FileError extends Error {
  /** The error's name. */
  override name = "FileError";
  /** Why, in a word. */
  readonly reason: FileErrorReason;
  /** Makes the error; the message is a sentence for the operator. */
  constructor(reason: FileErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * A temporary file without a name: it vanishes with its last user, even after a kill. Written first, then read once,
 * either through `stream()` or as the standard input of a process ({@linkcode Command.stdin}).
 */
export interface SpoolFile {
  /** Bytes written so far. */
  readonly size: number;
  /** Appends these bytes. */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes from the start. Closes the file at the end, error or cancel. */
  stream(): ReadableStream<Bytes>;
  /** Frees the file. Harmless when already closed, and once a process has been given the file. */
  close(): Promise<void>;
}

/** The user a process runs as. */
export interface UserIdentity {
  /** Number of the user. */
  readonly uid: number;
  /** Number of its group. */
  readonly gid: number;
}

/** A program to start. */
export interface Command {
  /** An absolute path. */
  readonly program: string;
  /** The arguments after the program's own name. */
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** An absolute path. */
  readonly cwd: string;
  /** What the program reads; `null` is end of file at once. A program that does not read it does no harm. */
  readonly stdin: ReadableStream<Uint8Array> | Bytes | SpoolFile | null;
  /** `null`: as this process. Supplementary groups are dropped when it is set. */
  readonly user: UserIdentity | null;
  /** `true`: started by this very process. Default: by whatever the host finds to be quickest. */
  readonly direct?: boolean;
}

/** How a process ended: exactly one of the two is not `null`. */
export interface ExitStatus {
  /** The exit status. */
  readonly code: number | null;
  /** The signal's name, such as `SIGTERM`. */
  readonly signal: string | null;
}

/** A started program, in a process group of its own. */
export interface ChildProcess {
  /** Its process number, which is that of its group too. */
  readonly pid: number;
  /**
   * Ends when every holder of the pipe has closed it. Must be read to its end, or cancelled to stop listening, as
   * `stderr` must.
   */
  readonly stdout: ReadableStream<Bytes>;
  /** As `stdout`. */
  readonly stderr: ReadableStream<Bytes>;
  /** Settles once the program itself has ended, however long others hold its pipes. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /**
   * Ends the program and everything it started (its process group): `TERM` asks, `KILL` forces. Returns whether there
   * was anything left to stop, also after the program itself has ended; harmless when nothing was.
   */
  stop(signal: "TERM" | "KILL"): boolean;
}

/** Why a program could not be started. */
export type SpawnErrorReason =
  /** The program, or the interpreter its first line names, is not there. */
  | "missing"
  /** Not executable for the user it would run as. */
  | "denied"
  /** Not a program the system can run: no `#!` line, wrong architecture. */
  | "format"
  /** Out of processes, memory or descriptors, or the program is just being written: worth a try later. */
  | "exhausted"
  | "failed";

/** A program that could not be started. */
export class SpawnError extends Error {
  /** The error's name. */
  override name = "SpawnError";
  /** Why, in a word. */
  readonly reason: SpawnErrorReason;
  /** Makes the error; the message is a sentence for the operator. */
  constructor(reason: SpawnErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Starting programs.
 *
 * @example
 * ```ts
 * import { cgi } from "htbin";
 * import { currentRuntime, SpawnError, type SpawnErrorReason, type SpoolFile } from "htbin/runtime";
 * import type { ChildProcess, Command, ExitStatus, ProcessHost, UserIdentity } from "htbin/runtime";
 *
 * // Starts scripts as the runtime does, and writes down how they end.
 * const { processes } = currentRuntime();
 * const ends: ExitStatus[] = [];
 * const noted: ProcessHost = {
 *   ...processes,
 *   async spawn(command: Command): Promise<ChildProcess> {
 *     const child = await processes.spawn(command);
 *     child.exited.then((status) => ends.push(status));
 *     return child;
 *   },
 * };
 * const handler = cgi({ root: "examples/site/cgi-bin", processes: noted, log() {} });
 * const response = await handler(new Request("http://localhost/hello.sh"));
 * await response?.text();
 * await handler.close();
 * console.assert(ends[0]?.code === 0);
 *
 * const nobody: UserIdentity | null = await processes.findUser("nobody-of-this-name");
 * console.assert(nobody === null);
 * const spool: SpoolFile = await processes.spool();
 * await spool.write(new TextEncoder().encode("Hello"));
 * console.assert(spool.size === 5);
 * await spool.close();
 * const program = { program: "/nowhere", args: [], env: {}, cwd: "/", stdin: null, user: null };
 * const reason: SpawnErrorReason = await processes.spawn(program).then(
 *   () => "failed",
 *   (error) => error instanceof SpawnError ? error.reason : "failed",
 * );
 * console.assert(reason === "missing");
 * ```
 */
export interface ProcessHost {
  /** Resolves once the program runs, or has run; rejects with a {@linkcode SpawnError}. */
  spawn(command: Command): Promise<ChildProcess>;
  /** An empty {@linkcode SpoolFile} in the system's directory for temporary files. */
  spool(): Promise<SpoolFile>;
  /**
   * The user this process runs as: `null` where users have no numbers (Windows), `undefined` where this process may not
   * be told (a Deno permission), so that nobody takes root for somebody harmless.
   */
  readonly user: UserIdentity | null | undefined;
  /** The numbers of the user with this name, from the system's user list. Rejects with a {@linkcode FileError}. */
  findUser(name: string): Promise<UserIdentity | null>;
  /** A variable of this process, for the few that scripts inherit by name. */
  environment(name: string): string | undefined;
  /** Processors this process may use; at least 1. */
  readonly processors: number;
}

/** One end of a connection. */
export interface NetworkAddress {
  /** Without brackets: `127.0.0.1`, `::1`. */
  readonly hostname: string;
  /** The TCP port. */
  readonly port: number;
}

/** A certificate and its key, as PEM text. */
export interface TlsOptions {
  /** The certificate, and those between it and a root. */
  readonly cert: string;
  /** The certificate's private key. */
  readonly key: string;
  /** For an encrypted key. */
  readonly passphrase?: string;
}

/** Where and how to listen. */
export interface ListenOptions {
  /** A name or an address without brackets. */
  readonly hostname: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Serve HTTPS. */
  readonly tls?: TlsOptions;
  /** Offer HTTP/2 beside HTTP/1.1 over TLS, on a runtime that can. @default {true} */
  readonly http2?: boolean;
  /** Let other workers of this program listen on the same port, and share its clients with them. @default {false} */
  readonly shared?: boolean;
  /**
   * Number of a socket that listens already, in place of one for `hostname` and `port`. Only where
   * {@linkcode Network.takesSockets}.
   */
  readonly socket?: number;
  /**
   * Told of failures after the response was handed over (a body that broke), and with a {@linkcode ListenError} of those
   * to accept connections. Never sees a client that left.
   */
  readonly onError?: (error: unknown) => void;
  /**
   * The answer to what no handler is asked: bytes that are no request (400), a head that is too late (408) or too large
   * (431), a chunk that is (413), an expectation (417) or a method (501) that the server does not know. Asked for each
   * status before anybody connects; must not fail. The connection is closed after it. @default {an empty body}
   */
  readonly refuse?: (status: number) => Promise<PreparedResponse>;
}

/** A socket that accepts requests. */
export interface Listener {
  /** The address in use: the real port where 0 was asked for. */
  readonly address: NetworkAddress;
  /**
   * Stops accepting at once, lets open responses finish for `graceMs` milliseconds (default: without limit), then
   * breaks them. Resolves when all connections are closed.
   */
  close(graceMs?: number): Promise<void>;
  /**
   * Shows this certificate to all who connect from now on. Throws a {@linkcode ListenError} for a bad one, and nothing
   * has changed. Only where HTTPS is served.
   */
  setTls?(tls: TlsOptions): void;
}

/** Why listening failed. */
export type ListenErrorReason =
  | "in-use"
  /** A port below 1024 without the right to it, or a Deno permission. */
  | "denied"
  /** The address is not one of this machine's, or the name does not resolve. */
  | "unavailable"
  /** The certificate, key or passphrase. */
  | "tls"
  | "failed";

/** A socket that could not be opened. */
export class ListenError extends Error {
  /** The error's name. */
  override name = "ListenError";
  /** Why, in a word. */
  readonly reason: ListenErrorReason;
  /** With the reason `"tls"`: which of the {@linkcode TlsOptions} is to blame; `null` where that is not known. */
  readonly part: keyof TlsOptions | null;
  /** Makes the error; the message is a sentence for the operator. */
  constructor(
    reason: ListenErrorReason,
    message: string,
    options: ErrorOptions & { readonly part?: keyof TlsOptions } = {},
  ) {
    super(message, options);
    this.reason = reason;
    this.part = options.part ?? null;
  }
}

/**
 * Serving HTTP.
 *
 * @example
 * ```ts
 * import { serve } from "htbin";
 * import { currentRuntime, ListenError, type ListenErrorReason, type Listener } from "htbin/runtime";
 * import type { ListenOptions, Network, NetworkAddress, TlsOptions } from "htbin/runtime";
 *
 * // Listens as the runtime does, and remembers where.
 * const { network } = currentRuntime();
 * const addresses: NetworkAddress[] = [];
 * const noted: Network = {
 *   async listen(handler, options: ListenOptions): Promise<Listener> {
 *     const tls: TlsOptions | undefined = options.tls;
 *     console.assert(tls === undefined);
 *     const listener = await network.listen(handler, options);
 *     addresses.push(listener.address);
 *     return listener;
 *   },
 * };
 * const server = await serve({ port: 0, handler: () => new Response("Hello"), network: noted });
 * const { port } = addresses[0] as NetworkAddress;
 * const reason: ListenErrorReason | null = await serve({ port, handler: () => undefined }).then(
 *   () => null,
 *   (error) => error instanceof ListenError ? error.reason : null,
 * );
 * console.assert(reason === "in-use");
 * await server.close();
 * ```
 */
export interface Network {
  /**
   * Resolves once requests are accepted; rejects with a {@linkcode ListenError}.
   *
   * - `request.signal` aborts when the client leaves before the handler has answered; after that, the response body is
   *   cancelled, also while it is silent.
   * - A body that fails breaks the transfer visibly. It never looks complete.
   * - A handler that throws answers 500 with an empty body and is reported to `onError`; one that returns `undefined`
   *   answers 404 with an empty body. `serve()` leaves neither to the adapter.
   */
  listen(handler: Handler, options: ListenOptions): Promise<Listener>;
  /**
   * By which addresses other machines reach this one, IPv4 first, without brackets; none where this process may not be
   * told. Optional: a network that is none of this machine's leaves it out.
   */
  addresses?(): readonly string[];
  /** Whether it can serve a socket that another program has opened and left to this process. @default {false} */
  readonly takesSockets?: boolean;
}

/** What a command-line program needs of its process. */
export interface Terminal {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  /** The number of this process. */
  readonly pid: number;
  /** Absolute path of the working directory. */
  cwd(): string;
  /** Writes to standard output; resolves once the system has taken it. A closed pipe is ignored. */
  stdout(text: string): Promise<void>;
  /**
   * Writes to standard error without blocking; order is kept. A closed pipe is ignored. Lines that a reader is too slow
   * for are dropped; in their place stands what `dropped` says of their number, a line of its own, also of later ones.
   */
  stderr(text: string, dropped?: (lines: number) => string): void;
  /** Whether standard output, standard error are a terminal. */
  readonly isTerminal: { readonly stdout: boolean; readonly stderr: boolean };
  /** Calls back on SIGINT and SIGTERM (Ctrl-C on Windows), each time, in place of the default. */
  onStop(callback: (signal: "SIGINT" | "SIGTERM") => void): void;
  /**
   * Calls back on SIGHUP, each time, in place of the default. `isGone` when it says that the terminal of this process has
   * been closed; otherwise somebody wants files to be read anew. Never on Windows.
   */
  onHangup(callback: (isGone: boolean) => void): void;
  /**
   * Opens a URL in the user's browser. Rejects when the program that does so cannot be started; what becomes of it then
   * is not known.
   */
  openBrowser(url: string): Promise<void>;
  /**
   * This process listens, is a server and nothing else, and may be set up for that as a whole. Optional: a runtime that
   * has nothing to set up leaves it out.
   */
  becomeServer?(): void;
  /** Ends the process once standard error has been flushed. */
  exit(code: number): Promise<never>;
}

/** Messages to and from another worker or its starter, in order: whatever JSON can hold. */
export interface Line {
  /** Sends a message. One that can no longer arrive is dropped. */
  send(message: unknown): void;
  /** Calls back with each message. Who is started speaks first: before that nobody listens. */
  onMessage(callback: (message: unknown) => void): void;
}

/** One of several that run the same program, to use more than one processor. */
export interface Worker extends Line {
  /** A number for the log: of its process, or of the thread. */
  readonly id: number;
  /** Settles once it has ended. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Ends it at once. */
  kill(): void;
}

/** Running this program several times over, on one port. */
export interface Workers {
  /** Starts the same program with the same arguments and the same rights once more. */
  start(): Worker;
}

/**
 * A runtime, whole.
 *
 * @example
 * ```ts
 * import "htbin/auto";
 * import { currentRuntime, type Line, provideRuntime, type Runtime } from "htbin/runtime";
 * import type { Terminal, Worker, Workers } from "htbin/runtime";
 *
 * const runtime: Runtime = currentRuntime();
 * const terminal: Terminal = runtime.terminal;
 * console.assert(terminal.cwd().startsWith("/") || terminal.cwd().includes(":"));
 * const workers: Workers | undefined = await runtime.workers?.();
 * const starter: Line | null = await runtime.starter?.() ?? null;
 * const start = (): Worker | undefined => workers?.start();
 * console.assert(starter === null && typeof start === "function");
 * // For tests, say, with another file system.
 * provideRuntime({ ...runtime, files: { ...runtime.files } });
 * provideRuntime(runtime);
 * ```
 */
export interface Runtime {
  /** Which runtime it is. */
  readonly name: "deno" | "bun" | "node";
  /** Its version. */
  readonly version: string;
  /** Reading files. */
  readonly files: FileSystem;
  /** Starting programs. */
  readonly processes: ProcessHost;
  /** Serving HTTP. */
  readonly network: Network;
  /** The process, for a command line. */
  readonly terminal: Terminal;
  /** Using more than one processor. Optional: a runtime that cannot leaves it out. */
  workers?(): Promise<Workers>;
  /** The line to the one that started this program as a worker; `null` where nobody did. To be asked for once. */
  starter?(): Promise<Line | null>;
  /** The same as `performance.now()`, where the runtime knows it at less cost; `htbin/auto` has all use it. */
  now?(): number;
}

/** A script's output that nobody reads any more: the server has lost interest, its client has left. */
export class ClosedOutputError extends Error {
  /** The error's name. */
  override name = "ClosedOutputError";
}

/**
 * This process as a CGI script (RFC 3875): what a server has given it, and the way back.
 *
 * @example
 * ```ts
 * import "htbin/cgi-script";
 * import { ClosedOutputError, currentScript, provideScript, type ScriptProcess } from "htbin/runtime";
 *
 * // The process as it is, but for what it writes.
 * const script: ScriptProcess = currentScript();
 * const written: number[] = [];
 * provideScript({
 *   ...script,
 *   async stdout(bytes) {
 *     if (written.length > 1) throw new ClosedOutputError("Nobody reads any more");
 *     written.push(bytes.length);
 *   },
 * });
 * await currentScript().stdout(new Uint8Array(3));
 * console.assert(written[0] === 3);
 * provideScript(script);
 * ```
 */
export interface ScriptProcess {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  /**
   * The whole environment. A byte that is not UTF-8 is a lone surrogate, 0x80 to 0xFF as U+DC80 to U+DCFF; U+FFFD where
   * the runtime hides which byte it was.
   */
  environment(): Readonly<Record<string, string>>;
  /** Removes a variable, for this process and those it starts. */
  unset(name: string): void;
  /** Standard input, of which no more than `limit` bytes are read; `null`: all. Read as it is taken. At most once. */
  stdin(limit: number | null): ReadableStream<Bytes>;
  /**
   * Writes to standard output; resolves once the system has taken all of it. One call at a time. Rejects with a
   * {@linkcode ClosedOutputError} when nobody reads any more.
   */
  stdout(bytes: Uint8Array): Promise<void>;
  /** Writes to standard error, at once. A closed pipe is ignored. */
  stderr(text: string): void;
  /**
   * Makes the rest of the program fit for a script: what it prints (`console`, the runtime's own stream) goes to
   * standard error from now on, as standard output is the response; and what the runtime leaves to its own server is done
   * without it.
   */
  prepare(): void;
  /** Calls back when the server ends the script (SIGTERM), in place of the default. */
  onStop(callback: () => void): void;
  /** Ends the process at once, whatever it is waiting for. */
  exit(code: number): never;
}

let running: Runtime | undefined;
let script: ScriptProcess | undefined;

/** Makes `runtime` the one that is used where none is given. Called by `adapters/auto.ts`. */
export function provideRuntime(runtime: Runtime): void {
  running = runtime;
}

/** The runtime that is running. */
export function currentRuntime(): Runtime {
  if (running === undefined) {
    throw new TypeError(
      'No runtime is known: import "htbin" or "htbin/auto", or pass one in the options',
    );
  }
  return running;
}

/** Makes `process` the one that `runAsCgi()` runs in. Called by `adapters/shared/auto_script.ts`. */
export function provideScript(process: ScriptProcess): void {
  script = process;
}

/** The process that is running, as a script. */
export function currentScript(): ScriptProcess {
  if (script === undefined) throw new TypeError('No runtime is known: import "htbin/cgi-script"');
  return script;
}

/**
 * What a program reads, made ready: a descriptor it inherits, or a stream it is fed with.
 *
 * @module
 */

import { type Bytes, type Command, FileError, SpawnError, type SpoolFile } from "../../src/runtime.ts";
import { createSpool, giveTo, spoolDescriptor } from "./spool_file.ts";

/** At most one of `descriptor` and `source` is not `null`; both `null` is end of file at once. */
export interface StandardInput {
  readonly descriptor: number | null;
  /** Called once the program runs. */
  readonly source: (() => ReadableStream<Uint8Array>) | null;
  /** Must be called once the program has the descriptor: ours is no longer needed. */
  inherited(): void;
  /** Must be called if the program could not be started: what the caller gave stays the caller's. */
  refused(): void;
}

const nothing: StandardInput = {
  descriptor: null,
  source: null,
  inherited() {},
  refused() {},
};

/** For a runtime that can only feed a pipe. */
export function fedInput(command: Command): StandardInput {
  const { stdin } = command;
  if (stdin === null) return nothing;
  if (stdin instanceof Uint8Array) {
    return { ...nothing, source: () => streamOf(stdin) };
  }
  if (!("getReader" in stdin)) {
    return { ...nothing, source: () => stdin.stream() };
  }
  if (stdin.locked) {
    throw new SpawnError(
      "failed",
      `Cannot start ${command.program}: its input is already being read`,
    );
  }
  return { ...nothing, source: () => stdin };
}

/**
 * For a runtime whose pipes are sockets, which `/dev/stdin` cannot open (Node and Bun): what is there as a whole is
 * handed over as a file.
 */
export async function inheritedInput(
  command: Command,
  temporaryDirectory: string,
): Promise<StandardInput> {
  const { stdin } = command;
  if (stdin === null || "getReader" in stdin) return fedInput(command);
  const ours = stdin instanceof Uint8Array;
  const spool = ours ? await spooled(stdin, temporaryDirectory) : stdin;
  const descriptor = spool === null ? null : spoolDescriptor(spool);
  if (spool === null || descriptor === null) return fedInput(command);
  if (command.user !== null) await giveTo(descriptor, command.user);
  const close = () => void spool.close();
  return {
    descriptor,
    source: null,
    inherited: close,
    refused: ours ? close : nothing.refused,
  };
}

async function spooled(
  bytes: Bytes,
  directory: string,
): Promise<SpoolFile | null> {
  try {
    const spool = await createSpool(directory);
    await spool.write(bytes);
    return spool;
  } catch (error) {
    // Nowhere to write: a pipe will do.
    if (error instanceof FileError) return null;
    throw error;
  }
}

function streamOf(bytes: Bytes): ReadableStream<Bytes> {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  }, { highWaterMark: 0 });
}

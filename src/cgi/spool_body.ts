/**
 * Bodies without a length, collected: in memory while they are small, then in a file that becomes the script's standard
 * input.
 *
 * @module
 */

import type { Bytes, ProcessHost, SpoolFile } from "../runtime.ts";
import {
  type BodyReader,
  type BodyRefusal,
  cancelBody,
  concat,
  readInTime,
  refuseBody,
  refuseLargeBody,
} from "./body_reading.ts";
import type { RunSettings } from "./settings.ts";

/** A body that has been collected. */
export interface SpooledBody {
  readonly stdin: Bytes | SpoolFile | null;
  readonly size: number;
  /** Frees what it takes. Harmless the second time. */
  release(): void;
}

/** Collects a body. */
export type Spool = (reader: BodyReader) => Promise<SpooledBody | BodyRefusal>;

/** Makes a collector, whose bodies share the room on disk. */
export function createSpooler(
  { limits, times }: RunSettings,
  processes: Pick<ProcessHost, "spool">,
): Spool {
  let onDisk = 0;

  /** One body, as far as it has come. */
  function createPile() {
    const memory: Bytes[] = [];
    let file: SpoolFile | null = null;
    let size = 0;
    let held = 0;

    async function moveToDisk(): Promise<SpoolFile> {
      file = await processes.spool();
      for (const bytes of memory.splice(0)) await file.write(bytes);
      return file;
    }
    /** Takes a piece, or says why not. */
    async function add(bytes: Bytes): Promise<BodyRefusal | null> {
      size += bytes.length;
      if (size > limits.body) return refuseLargeBody(limits.body);
      if (file === null && size <= limits.spoolMemory) {
        memory.push(bytes);
        return null;
      }
      if (size > limits.spoolDisk) return refuseLargeBody(limits.spoolDisk);
      onDisk += size - held;
      held = size;
      if (onDisk > limits.spoolDisk) {
        return refuseBody(503, "no room left for request bodies (limits.spoolDisk)");
      }
      try {
        await (file ?? await moveToDisk()).write(bytes);
        return null;
      } catch (error) {
        return refuseBody(503, `a request body could not be stored: ${(error as Error).message}`);
      }
    }
    function release(): void {
      onDisk -= held;
      held = 0;
      file?.close().catch(() => {});
    }
    const whole = (): SpooledBody => ({
      stdin: file ?? (size === 0 ? null : concat(memory)),
      size,
      release,
    });
    return { add, release, whole };
  }

  return async function spool(reader) {
    const pile = createPile();
    for (;;) {
      const read = await readInTime(reader, times.idleMs);
      if (!("kind" in read) && read.done) return pile.whole();
      const refusal = "kind" in read ? read : await pile.add(read.value);
      if (refusal === null) continue;
      cancelBody(reader);
      pile.release();
      return refusal;
    }
  };
}

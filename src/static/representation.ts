/**
 * Which form of a file a request gets: the file itself, a compressed file beside it, or one compressed on the fly.
 *
 * @module
 */

import type { OpenFile } from "../runtime.ts";
import { MIN_COMPRESSED_SIZE } from "./compression.ts";
import { acceptedCodings, type Coding, CODINGS, isCompressible } from "./encodings.ts";
import type { Evidence } from "./evidence.ts";
import type { Asked } from "./file_response.ts";
import type { FoundFile, Lookup } from "./lookup.ts";
import type { MediaTypes } from "./media_type.ts";
import { fileValidators, type Validators } from "./validators.ts";

/** One form of a file, ready to be sent. */
export interface Representation {
  /** The file whose bytes are sent; the caller's to close. */
  readonly file: OpenFile;
  readonly type: string;
  readonly validators: Validators;
  /** `Content-Encoding`, or `null` for the file as it is. */
  readonly coding: Coding | null;
  /** Whether the bytes are yet to be compressed to `coding`. */
  readonly onTheFly: boolean;
  /** Whether another request may get another form of it. */
  readonly varies: boolean;
}

/** Chooses the form. On failure the file is closed. `evidence` is told what the choice depends on beside the request. */
export type Choose = (
  found: FoundFile,
  request: Asked,
  evidence?: Evidence | null,
) => Promise<Representation>;

/** What in a request's fields the choice depends on: where this is equal, so is the form. */
export type FormOf = (headers: Pick<Headers, "get">) => string;

const SUFFIXES: Readonly<Record<Coding, string>> = { zstd: ".zst", br: ".br", gzip: ".gz" };

/** What choosing goes by. */
export interface RepresentationRules {
  readonly lookup: Lookup;
  readonly typeOf: MediaTypes;
  readonly precompressed: boolean;
  /** Codings to compress to on the fly, best first; none when that is off. */
  readonly codings: readonly Coding[];
}

/** Makes the choice for a set of rules. */
export function representationChooser(rules: RepresentationRules): Choose {
  const { lookup, typeOf, precompressed, codings } = rules;

  async function choose(
    found: FoundFile,
    request: Asked,
    evidence: Evidence | null,
  ): Promise<Representation> {
    const type = typeOf(found.name);
    const { file } = found;
    const varies = (precompressed || codings.length > 0) && isCompressible(type);
    // Parts are parts of the file itself: a compressed form is another representation, with other bytes at that place.
    if (varies && !(request.method === "GET" && request.headers.get("range") !== null)) {
      const field = request.headers.get("accept-encoding");
      if (precompressed) {
        for (const coding of acceptedCodings(field, CODINGS)) {
          const sidecar = await findSidecar(lookup, found, coding, evidence);
          if (sidecar === null) continue;
          await file.close();
          const validators = fileValidators(sidecar.info, coding);
          return { file: sidecar, type, validators, coding, onTheFly: false, varies };
        }
      }
      const coding = file.info.size < MIN_COMPRESSED_SIZE ? undefined : acceptedCodings(field, codings)[0];
      if (coding !== undefined) {
        const validators = fileValidators(file.info, coding, true);
        return { file, type, validators, coding, onTheFly: true, varies };
      }
    }
    return { file, type, validators: fileValidators(file.info), coding: null, onTheFly: false, varies };
  }

  return async (found, request, evidence = null) => {
    try {
      return await choose(found, request, evidence);
    } catch (error) {
      await found.file.close();
      throw error;
    }
  };
}

/** How many values of `Accept-Encoding` are remembered. */
const MOST_FIELDS = 256;

/** Makes what tells the forms apart; `null` when no file has more than one. */
export function formTeller({ precompressed, codings }: RepresentationRules): FormOf | null {
  if (!precompressed && codings.length === 0) return null;
  const known = new Map<string, string>();
  return (headers) => {
    const field = headers.get("accept-encoding") ?? "";
    let form = known.get(field);
    if (form === undefined) {
      const beside = precompressed ? acceptedCodings(field, CODINGS) : [];
      form = `${beside} ${acceptedCodings(field, codings)}`;
      if (known.size >= MOST_FIELDS) known.clear();
      known.set(field, form);
    }
    return form;
  };
}

/** The compressed file beside a file, of the same root, and not older than it: an older one shows what was there before. */
async function findSidecar(
  lookup: Lookup,
  found: FoundFile,
  coding: Coding,
  evidence: Evidence | null,
): Promise<OpenFile | null> {
  const { segments, file, root } = found;
  const last = segments.at(-1);
  if (last === undefined) return null;
  const sidecar = await lookup.find([...segments.slice(0, -1), last + SUFFIXES[coding]], root, evidence);
  if (sidecar.kind === "directory") evidence?.spoil();
  if (sidecar.kind !== "file") return null;
  if ((sidecar.file.info.mtimeMs ?? 0) >= (file.info.mtimeMs ?? 0)) return sidecar.file;
  await sidecar.file.close();
  return null;
}

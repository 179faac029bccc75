/**
 * The media type of a file, by the ending of its name.
 *
 * @module
 */

import { startLoading } from "../loading.ts";
import type { StaticOptions } from "./options.ts";

/** Finds media types. */
export type MediaTypes = (name: string) => Promise<string>;

/** From an ending, with its dot, to a type of the built-in table. */
type Table = (ending: string) => string | undefined;

let table: Promise<Table> | null = null;

/** 200 KiB, which whoever imports this library for something else does without. */
function loadTable(): Promise<Table> {
  return table ??= startLoading(
    import("#std/media_types/content_type").then(({ contentType }) => contentType),
  );
}

/**
 * Makes the lookup. The table is loaded from now on, and not with the first file that needs it.
 *
 * @throws {TypeError} For an ending without a dot at its start, or a value that cannot stand in a header.
 */
export function mediaTypes(types: NonNullable<StaticOptions["types"]>, defaultType: string): MediaTypes {
  if (typeof types !== "function") return typesByEnding(types, defaultType);
  const builtIn = typesByEnding({}, defaultType);
  return async (name) => {
    const type = types(name);
    return type == null ? await builtIn(name) : withCharset(checkMediaType(type));
  };
}

function typesByEnding(types: Readonly<Record<string, string>>, defaultType: string): MediaTypes {
  const own = new Map<string, string>();
  for (const [extension, type] of Object.entries(types)) {
    if (!extension.startsWith(".")) {
      throw new TypeError(`Cannot use "${extension}" in types: an ending begins with a dot, as in ".txt"`);
    }
    own.set(extension.toLowerCase(), withCharset(checkMediaType(type)));
  }
  const fallback = withCharset(checkMediaType(defaultType));
  const known = new Map<string, string>();
  const table = loadTable();

  async function lookUp(extension: string): Promise<string> {
    let type = known.get(extension);
    if (type === undefined) {
      type = withCharset((await table)(extension)?.replace(/;.*/, "") ?? fallback);
      // Names of files are not ours: an upload folder must not fill the memory.
      if (known.size < 4096) known.set(extension, type);
    }
    return type;
  }

  return async (name) => {
    const ending = own.size === 0 ? undefined : ownType(own, name.toLowerCase());
    if (ending !== undefined) return ending;
    const dot = name.lastIndexOf(".");
    // A dot at the start makes a hidden file, not an ending.
    if (dot <= 0) return fallback;
    return await lookUp(name.slice(dot).toLowerCase());
  };
}

/** The longest ending wins: `.tar.gz` before `.gz`. */
function ownType(own: ReadonlyMap<string, string>, name: string): string | undefined {
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const type = own.get(name.slice(dot));
    if (type !== undefined) return type;
  }
  return undefined;
}

/** Text is UTF-8 unless said otherwise. JSON has no charset parameter (RFC 8259 section 11), XML carries its own. */
function withCharset(type: string): string {
  return /^text\//i.test(type) && !/;\s*charset=/i.test(type) ? `${type}; charset=utf-8` : type;
}

/**
 * The type as it is.
 *
 * @throws {TypeError} For what is none.
 */
export function checkMediaType(type: string): string {
  if (!/^[^\s/;]+\/[^\s/;]+(?:\s*;[\x20-\x7e]*)?$/.test(type)) {
    throw new TypeError(`Cannot use "${type}" as a media type: it has the form "text/plain"`);
  }
  return type;
}

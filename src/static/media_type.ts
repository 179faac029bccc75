/**
 * The media type of a file, by the ending of its name.
 *
 * @module
 */

import { MEDIA_TYPES } from "./media_type_table.ts";
import type { StaticOptions } from "./options.ts";

/** Finds media types. */
export type MediaTypes = (name: string) => string;

/** By ending, without its dot. Made of the table with the first file. */
let builtIn: Map<string, string> | null = null;

function builtInType(ending: string): string | undefined {
  builtIn ??= new Map(
    MEDIA_TYPES.split("\n").flatMap((line) => {
      const [type = "", ...endings] = line.split(" ");
      return endings.map((own) => [own, type]);
    }),
  );
  return builtIn.get(ending);
}

/**
 * Makes the lookup.
 *
 * @throws {TypeError} For an ending without a dot at its start, or a value that cannot stand in a header.
 */
export function mediaTypes(types: NonNullable<StaticOptions["types"]>, defaultType: string): MediaTypes {
  if (typeof types !== "function") return typesByEnding(types, defaultType);
  const others = typesByEnding({}, defaultType);
  return (name) => {
    const type = types(name);
    return type == null ? others(name) : withCharset(checkMediaType(type));
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
  return (name) => {
    const ending = own.size === 0 ? undefined : ownType(own, name.toLowerCase());
    if (ending !== undefined) return ending;
    const dot = name.lastIndexOf(".");
    // A dot at the start makes a hidden file, not an ending.
    if (dot <= 0) return fallback;
    const type = builtInType(name.slice(dot + 1).toLowerCase());
    return type === undefined ? fallback : withCharset(type);
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

/**
 * The media type of a file, by the ending of its name.
 *
 * @module
 */

import { MEDIA_TYPES } from "./media_type_table.ts";
import type { StaticOptions } from "./options.ts";

/** Finds media types. */
export type MediaTypes = (name: string) => string;

/** Looked up where it stands: a map would take longer to make than it saves while a server starts. */
function builtInType(ending: string): string | undefined {
  if (!/^\S+$/.test(ending)) return undefined;
  const isEnding = (at: number) => /\s/.test(MEDIA_TYPES.charAt(at + 1 + ending.length));
  let at = MEDIA_TYPES.indexOf(` ${ending}`);
  while (at >= 0 && !isEnding(at)) at = MEDIA_TYPES.indexOf(` ${ending}`, at + 1);
  if (at < 0) return undefined;
  const line = MEDIA_TYPES.lastIndexOf("\n", at) + 1;
  return MEDIA_TYPES.slice(line, MEDIA_TYPES.indexOf(" ", line));
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

/**
 * The module of media types, made of what `@std/media-types` knows: `npm run media-types`.
 *
 * @module
 */

/** The file that it is. */
export const TABLE_FILE = "src/static/media_type_table.ts";

/** Not typed, and of no use but here. */
const SOURCE: string = "deno-std/media_types/_db.js";

/** The type of each ending, without its dot, as `@std/media-types` knows it. */
export async function knownTypes(): Promise<ReadonlyMap<string, string>> {
  const { types } = await import(SOURCE) as { readonly types: ReadonlyMap<string, string> };
  return types;
}

/** The text of that file. */
export async function mediaTypeTable(): Promise<string> {
  const endings = new Map<string, string[]>();
  for (const [ending, type] of await knownTypes()) endings.set(type, [...endings.get(type) ?? [], ending]);
  const lines = [...endings].map(([type, own]) => `${type} ${own.join(" ")}\n`).sort();
  return `${HEAD}export const MEDIA_TYPES = \`\n${lines.join("")}\`;\n`;
}

const HEAD = `/**
 * Media types, each with the endings of names that have it: what \`@std/media-types\` makes of mime-db. A text, because
 * that module takes 15 ms to load, most of it for what is not about endings. Made by \`npm run media-types\`.
 *
 * Copyright (c) 2014 Jonathan Ong, 2015-2022 Douglas Christopher Wilson (mime-db), 2018-2026 the Deno authors
 * (@std/media-types). MIT license.
 *
 * @module
 */

/** A type on a line, and its endings without their dots. */
`;

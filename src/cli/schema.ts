/**
 * The JSON schema of `htbin.json`, made of the declared settings.
 *
 * @module
 */

import type { Declaration } from "./flags.ts";
import { settingName } from "./flags.ts";
import { FILE_SETTINGS } from "./sources.ts";

/** Makes it. */
export function settingsSchema(): Readonly<Record<string, unknown>> {
  const properties = FILE_SETTINGS.map((declaration) => [settingName(declaration), schemaOf(declaration)]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: "https://unpkg.com/htbin/htbin.schema.json",
    title: "Settings of htbin",
    description: "Each is the command-line flag of the same name, which comes before it.",
    type: "object",
    additionalProperties: false,
    properties: { $schema: { type: "string" }, ...Object.fromEntries(properties) },
  };
}

function schemaOf({ flags, help, value }: Declaration): Readonly<Record<string, unknown>> {
  const description = help.replace(/ ?\(\*(; (.*))?\)/, (_star, _rest, rest) => rest ? ` (${rest})` : "");
  if (value === undefined) {
    const isOn = flags.includes("--no-");
    return { description: isOn ? `false: ${description}` : description, type: "boolean", default: isOn };
  }
  if (!value.repeats) return { description, ...value.schema };
  return { description, anyOf: [value.schema, { type: "array", items: value.schema }] };
}

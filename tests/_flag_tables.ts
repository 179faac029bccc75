/**
 * The tables of flags on `docs/command-line.md`, made of the declared settings: `npm run schema`.
 *
 * @module
 */

import { type Declaration, DECLARATIONS, settingName } from "../src/cli/flags.ts";
import { variableName } from "../src/cli/sources.ts";

/** Their page. */
export const FLAGS_PAGE = "docs/command-line.md";

/** What the parser adds by itself. */
const OTHERS: readonly string[] = [
  "| `-V`, `--version` | print the versions of htbin and of the runtime | | | |",
  "| `-h`, `--help` | print all flags | | | |",
];

/** The page with its tables as they should be. */
export function withFlagTables(page: string): string {
  return DECLARATIONS.reduce((text, [heading, declarations]) => {
    const name = heading.replace(/:$/, "").replace(/ \(.*/, "");
    const rows = declarations.map(rowOf).concat(name === "Output" ? OTHERS : []);
    const table = [
      "| Flag | | Default | Variable | In `htbin.json` |",
      "| --- | --- | --- | --- | --- |",
      ...rows,
    ].join("\n");
    const section = new RegExp(`^(## ${name}\n[^]*?)(?:^\\|.*\n)+`, "m");
    if (!section.test(text)) throw new Error(`${FLAGS_PAGE} has no section "${name}" with a table`);
    return text.replace(section, (_all, before: string) => `${before}${table}\n`);
  }, page);
}

/** A page however its tables are laid out. */
export function unformatted(page: string): string {
  return page.replace(/^\|.*$/gm, (row) => row.replace(/\s*\|\s*/g, "|").replace(/-+/g, "-"));
}

function rowOf(declaration: Declaration): string {
  const { flags, help, value, otherwise, reach } = declaration;
  const [, letter, long = "", taken = ""] = /^(?:(-\w), )?(--[a-z\d-]+)(.*)$/.exec(flags) ?? [];
  const name = `${letter ? `\`${letter}\`, ` : ""}\`${long}${taken}\``;
  const [, meaning = help, told] = /^(.*?) ?\((?:\*; )?default: ([^]*)\)$/.exec(help) ?? [];
  const fallback = otherwise ?? told ??
    (value === undefined ? "off" : "");
  const key = `"${settingName(declaration)}"`;
  const json = value === undefined ? "true or false" : isNumber(value.schema) ? "number" : "text";
  const list = value?.repeats ? ", or a list" : "";
  const cells = [
    name,
    `${meaning.replace(/ ?\(\*\)$/, "")}${value?.repeats ? "; may be repeated" : ""}`,
    String(fallback),
    reach === "nowhere" ? "" : `\`${variableName(declaration)}\``,
    reach === undefined ? `\`${key}\`: ${json}${list}` : "",
  ];
  return `| ${cells.join(" | ")} |`;
}

function isNumber({ type }: Readonly<Record<string, unknown>>): boolean {
  return type === "integer" || type === "number";
}

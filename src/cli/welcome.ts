/**
 * What a terminal is told below the first line: where to look, what is served, which scripts run and as whom.
 *
 * @module
 */

import { printable } from "../log/format.ts";
import { runsScripts, scriptOptions, type SiteOptions } from "../site_options.ts";
import type { Settings } from "./settings.ts";
import type { Urls } from "./urls.ts";

/** What it is made of. */
export interface Facts {
  readonly urls: Urls;
  readonly settings: Pick<Settings, "file" | "auth" | "cors" | "workers">;
  /** Without links. */
  readonly folder: string;
  readonly options: SiteOptions;
  /** Who scripts run as, where that is not plain. */
  readonly runsAs: string | null;
  /** Of the certificate that was made for this run; `null` without one. */
  readonly fingerprint: string | null;
  readonly colours: boolean;
}

/** Makes it: lines of a name and what it is, and an empty line before and after. */
export function welcome({ urls, settings, folder, options, runsAs, fingerprint, colours }: Facts): string {
  const rows: (readonly [name: string, ...values: string[]])[] = [];
  if (urls.local !== null) rows.push(["Local", urls.local]);
  if (urls.network.length > 0) rows.push(["Network", ...urls.network]);
  rows.push(["Folder", folder]);
  rows.push(["Scripts", ...scripts(options, runsAs)]);
  if (fingerprint !== null) {
    // In two lines: it is wider than a terminal.
    const halves = [fingerprint.slice(0, 47), fingerprint.slice(48)];
    rows.push(["TLS", "made for this run: browsers warn. SHA-256:", ...halves]);
  }
  if (settings.auth !== null) rows.push(["Access", "with a password"]);
  if (settings.cors !== null) rows.push(["CORS", settings.cors.origins?.join(", ") ?? "every site may read"]);
  if (settings.workers > 1) rows.push(["Workers", String(settings.workers)]);
  if (settings.file !== null) rows.push(["Settings", settings.file]);
  rows.push(["Stop", "Ctrl-C"]);
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.flatMap(([name, ...values]) =>
    values.map((value, at) => {
      const label = (at === 0 ? name : "").padEnd(width);
      const isUrl = /^https?:/.test(value);
      return `  ${colours ? `\x1b[2m${label}\x1b[0m` : label}${
        colours && isUrl ? `\x1b[36m${value}\x1b[0m` : printable(value)
      }`;
    })
  );
  return `\n${lines.join("\n")}\n\n`;
}

/** Where scripts are, and who runs them. */
function scripts(options: SiteOptions, runsAs: string | null): readonly string[] {
  if (!runsScripts(options)) return ["not run; --cgi runs those in /cgi-bin and /htbin"];
  const { directories = [], extensions = [], interpreters = {} } = scriptOptions(options);
  const places = directories.map((directory) => directory === "." ? "every folder" : `/${directory}`);
  const endings = [...new Set([...extensions, ...Object.keys(interpreters)])];
  const where = [...places, ...endings.map((ending) => `*${ending}`)].join(", ");
  return [where, runsAs ?? "scripts run as you"];
}

/**
 * `--explain URL`: what would run for a request, and how.
 *
 * @module
 */

import { explainCgi } from "../cgi/explain.ts";
import type { Runtime } from "../runtime.ts";
import { scriptOptions, type SiteOptions } from "../site_options.ts";
import { UsageError } from "./usage_error.ts";

/** Prints the explanation. Resolves with the exit status: 0 when a script would run. */
export async function explain({ terminal }: Runtime, options: SiteOptions, target: string): Promise<number> {
  const url = target.startsWith("/") || URL.canParse(target) ? target : `/${target}`;
  if (!/^(\/|https?:)/i.test(url)) {
    throw new UsageError(`--explain takes a path such as /cgi-bin/hello, or an HTTP URL, not '${target}'`);
  }
  const { found, text } = await explainCgi(scriptOptions(options), url);
  await terminal.stdout(text);
  return found ? 0 : 1;
}

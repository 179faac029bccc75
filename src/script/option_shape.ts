/**
 * The check of options. Apart, so that a script without any does not load it.
 *
 * @module
 */

import { checkOptions, flag, hook, list, type Shape, text } from "../check_options.ts";
import type { RunOptions } from "./options.ts";

const RUN_OPTIONS: Shape<RunOptions> = {
  basePath: text,
  trustedProxies: list(text),
  stripScriptName: flag,
  nph: flag,
  renderError: hook,
  onError: hook,
};

/** Throws a `TypeError` for an option that is unknown or of another type. */
export function checkRunOptions(options: RunOptions): void {
  checkOptions("runAsCgi()", options, RUN_OPTIONS);
  const { basePath = "" } = options;
  if (basePath !== "" && !/^\/(?!\/)/.test(basePath)) {
    throw new TypeError(
      `Cannot use the option basePath: ${JSON.stringify(basePath)}: it must begin with one "/"`,
    );
  }
}

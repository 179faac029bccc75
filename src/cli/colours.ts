/**
 * Whether what is written to a terminal has colours.
 *
 * @module
 */

/**
 * As the usual variables have it, and Python: `NO_COLOR`, then `FORCE_COLOR` (but for `0`), then `TERM=dumb`; else where
 * a terminal shows it. A variable that is empty is none.
 */
export function usesColours(
  isTerminal: boolean,
  environment: (name: string) => string | undefined,
): boolean {
  if (environment("NO_COLOR")) return false;
  const forced = environment("FORCE_COLOR");
  if (forced) return forced !== "0" && forced !== "false";
  return isTerminal && environment("TERM") !== "dumb";
}

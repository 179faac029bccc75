/**
 * What somebody may have meant.
 *
 * @module
 */

import { closestString } from "#std/text/closest_string";
import { levenshteinDistance } from "#std/text/levenshtein_distance";

/** The known name that is most like another one, or `null` when none is like it. */
export function similarName(name: string, known: readonly string[]): string | null {
  const closest = closestString(name, known);
  const distance = levenshteinDistance(name.toLowerCase(), closest.toLowerCase());
  return distance <= 0.4 * closest.length ? closest : null;
}

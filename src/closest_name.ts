/**
 * Which name was meant by one that is not known.
 *
 * Not `@std/text`: that takes 4.4 MB as soon as it is imported, which costs Bun 2 ms of each start.
 *
 * @module
 */

/** A name that is known, and how many letters of the other one have to be changed, added or left out for it. */
export interface CloseName {
  readonly name: string;
  readonly distance: number;
}

/** The first of those that are closest to `given`, in letters of any case; `known` is not empty. */
export function closestName(given: string, known: readonly string[]): CloseName {
  return known
    .map((name) => ({ name, distance: levenshteinDistance(given.toLowerCase(), name.toLowerCase()) }))
    .reduce((closest, other) => other.distance < closest.distance ? other : closest);
}

/** Row by row of Wagner and Fischer's table: https://en.wikipedia.org/wiki/Wagner–Fischer_algorithm. */
function levenshteinDistance(from: string, to: string): number {
  const columns = [...to];
  let row = [0, ...columns.map((_letter, at) => at + 1)];
  for (const letter of from) {
    const next = [row[0]! + 1];
    columns.forEach((other, at) => {
      const replaced = row[at]! + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, row[at + 1]! + 1, next[at]! + 1));
    });
    row = next;
  }
  return row.at(-1)!;
}

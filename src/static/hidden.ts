/**
 * Files that an operator has named, so that they are neither served nor listed.
 *
 * @module
 */

import { foldName } from "../cgi/area.ts";

/** Whether a path below the root is one of them, or lies in one that is a folder. */
export type HidesPath = (segments: readonly string[]) => boolean;

/**
 * Makes the answer for names (`notes.txt`, wherever it is) and paths below the root (`/private`). Names that some file
 * system takes for the same count as the same.
 *
 * @throws {TypeError} For what is neither.
 */
export function hiddenPaths(hide: readonly string[]): HidesPath {
  const names = new Set<string>();
  const paths: string[][] = [];
  for (const given of hide) {
    const segments = given.replace(/^\/|\/$/g, "").split("/");
    if (segments.some((segment) => /^\.{0,2}$/.test(segment))) {
      throw new TypeError(`Cannot hide "${given}": give a name, or a path from the root such as "/private"`);
    }
    const folded = segments.map(foldName);
    if (given.includes("/")) paths.push(folded);
    else names.add(folded[0] as string);
  }
  if (hide.length === 0) return () => false;
  return (segments) => {
    const folded = segments.map(foldName);
    return folded.some((name) => names.has(name)) ||
      paths.some((path) => path.every((name, at) => name === folded[at]));
  };
}

/**
 * Which name is taken for the one that was meant.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { closestName } from "../src/closest_name.ts";

test("the closest name is found in letters of any case, the first of several, and counts changes of one letter", () => {
  const cases:
    readonly (readonly [given: string, known: readonly string[], name: string, distance: number])[] = [
      ["cleanURLs", ["cache", "cleanUrls", "compress"], "cleanUrls", 0],
      ["lisitng", ["index", "listing"], "listing", 2],
      ["timeout", ["timeouts"], "timeouts", 1],
      ["timeouts", ["timeout"], "timeout", 1],
      ["kitten", ["sitting"], "sitting", 3],
      ["", ["abc", "ab", "cd"], "ab", 2],
      ["abc", [""], "", 3],
      ["\u{1f600}a", ["\u{1f601}a"], "\u{1f601}a", 1],
      // Longer than a machine word has bits.
      ["a".repeat(70), ["b".repeat(70), "a".repeat(68)], "a".repeat(68), 2],
    ];
  for (const [given, known, name, distance] of cases) {
    assert.deepEqual(closestName(given, known), { name, distance }, given);
  }
});

/**
 * Group I: a query as arguments.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { ask, askUsual, environmentIn, serving } from "./_ask.ts";
import { together } from "./_together.ts";

async function words(query: string, method = "GET"): Promise<readonly string[]> {
  const server = await serving({ indexedQueries: true });
  return environmentIn(await ask(server, `${method} /cgi-bin/env.sh${query}`)).args;
}

async function wordsByDefault(query: string): Promise<readonly string[]> {
  return environmentIn(await askUsual(`GET /cgi-bin/env.sh${query}`)).args;
}

/** Indexed queries. */
export const argumentCases: ConformanceSection = together({
  title: "I. Query as arguments (indexed queries)",
  cases: [
    test("I1", "S", "?a+b%20c; with indexedQueries, and without", "a, b c; none", async () => {
      assert.deepEqual(await words("?a+b%20c"), ["a", "b c"]);
      assert.deepEqual(await wordsByDefault("?a+b%20c"), []);
    }),
    test("I2", "M", "?a=b", "none", async () => assert.deepEqual(await words("?a=b"), [])),
    test("I3", "M", "?a%3Db+c", "a=b, c: only an unencoded = counts", async () => {
      assert.deepEqual(await words("?a%3Db+c"), ["a=b", "c"]);
    }),
    test("I4", "M", "POST ?a+b", "none", async () => assert.deepEqual(await words("?a+b", "POST"), [])),
    test("I5", "C", "?-s, ?-d+x, ?x+-d, ?%2ds", "none: no word may begin with -", async () => {
      for (const query of ["?-s", "?-d+x", "?x+-d", "?%2ds", "?x+%2Dd"]) {
        assert.deepEqual(await words(query), []);
      }
    }),
    test(
      "I6",
      "M",
      "too many words, too long a query, a NUL, a control character, a malformed escape, an empty word",
      "none at all",
      async () => {
        const queries = [
          Array(300).fill("a").join("+"),
          "x".repeat(9000),
          "a+b%00",
          "a+%0a",
          "a+%zz",
          "a++b",
          "a+%FF",
        ];
        for (const query of queries) assert.deepEqual(await words(`?${query}`), [], query.slice(0, 20));
      },
    ),
    test("I7", "M", "no query", "none", async () => assert.deepEqual(await words(""), [])),
  ],
});

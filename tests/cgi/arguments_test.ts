/** The words of a query as arguments. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queryArguments } from "../../src/cgi/arguments.ts";

describe("queryArguments()", () => {
  const cases: readonly (readonly [query: string, words: readonly string[], method?: string])[] = [
    ["a+b%20c", ["a", "b c"]],
    ["a+b%20c", ["a", "b c"], "HEAD"],
    ["a", ["a"]],
    ["a%3Db+c", ["a=b", "c"]],
    ["a%2Bb", ["a+b"]],
    ["caf%C3%A9", ["caf\u00e9"]],
    ["a;b$(c)", ["a;b$(c)"]],
    ["", []],
    ["a=b", []],
    ["a+b=c", []],
    ["a+b", [], "POST"],
    ["-s", []],
    ["a+-d", []],
    ["%2Ds", []],
    ["a+%2dd", []],
    ["a++b", []],
    ["+a", []],
    ["a+", []],
    ["a%00", []],
    ["a%0Ab", []],
    ["a+%7F", []],
    ["a+%zz", []],
    ["a%", []],
    ["a+%FF", []],
    [Array(256).fill("a").join("+"), Array<string>(256).fill("a")],
    [Array(257).fill("a").join("+"), []],
    ["a".repeat(8192), ["a".repeat(8192)]],
    ["a".repeat(8193), []],
  ];
  for (const [query, words, method = "GET"] of cases) {
    it(`${method} ?${query.slice(0, 20)} (${query.length}) gives ${words.length}`, () => {
      assert.deepEqual(queryArguments({ method }, query, true), words);
    });
  }
  it("gives none unless asked to", () => {
    assert.deepEqual(queryArguments({ method: "GET" }, "a+b", false), []);
  });
});

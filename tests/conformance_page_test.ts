/**
 * The page that is made of the results of the conformance suites.
 *
 * @module
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { conformancePage, type ConformanceReport, type ReportCase } from "./_conformance_page.ts";

const CASE: ReportCase = {
  id: "1",
  title: "GET /<b>a|b</b>",
  authority: "M",
  expect: "200",
  result: "pass",
};

function report(runtime: string, ...cases: Partial<ReportCase>[]): ConformanceReport {
  const all = cases.map((entry) => ({ ...CASE, ...entry }));
  return { suite: "x", runtime, sections: [{ title: "Section", cases: all }] };
}

describe("conformancePage()", () => {
  it("has a row for each case, with a result for each runtime", () => {
    const reason = "No such thing there.";
    const page = conformancePage("Heading", "Introduction.", [
      report("node", {}),
      report("bun", { result: "impossible", note: reason }),
      report("deno", { result: "fail" }),
    ]);
    assert.match(page, /^# Heading\n\nIntroduction\.\n/);
    assert.ok(page.includes(
      "| 1 | GET /&lt;b>a\\|b&lt;/b> | M | 200 | **FAIL** | impossible here [1](#notes) | pass |\n",
    ));
    assert.ok(page.includes(`\n1. ${reason}\n`));
    assert.ok(page.includes("| Deno | 0 | 0 | 1 |\n| Bun | 0 | 1 | 0 |\n| Node | 1 | 0 | 0 |"));
  });

  it("numbers equal notes once", () => {
    const pending = { result: "pending", note: "Later." } as const;
    const cases = [pending, { ...pending, id: "2" }];
    const reports = ["deno", "bun", "node"].map((name) => report(name, ...cases));
    const page = conformancePage("Heading", "Introduction.", reports);
    assert.equal(page.match(/Later\./g)?.length, 1);
    assert.equal(page.match(/pending \[1\]/g)?.length, 6);
  });

  it("refuses reports that are not of one suite", () => {
    const deno = report("deno", {});
    const bun = report("bun", {});
    assert.throws(
      () => conformancePage("", "", [deno, bun]),
      /no results of node/,
    );
    assert.throws(
      () => conformancePage("", "", [deno, bun, report("node", { title: "GET /b" })]),
      /results of node differ from those of deno at \| 1 \|/,
    );
    assert.throws(
      () => conformancePage("", "", [deno, bun, report("node", {}, { id: "2" })]),
      /results of node differ from those of deno at \| 2 \|/,
    );
  });
});

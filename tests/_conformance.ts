/**
 * Conformance suites: tables of numbered cases, each run as a test of its own,
 * and their results on three runtimes merged into one page.
 *
 * With `HTBIN_CONFORMANCE_OUT` set to a folder, a run writes
 * `<suite>.<runtime>.json` there; `tools/conformance.ts` makes the page of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { caseCells, type ConformanceReport } from "./_conformance_page.ts";

/** A runtime's name. */
export type RuntimeName = "deno" | "bun" | "node";

/** The runtime this process is. */
export const runtimeName: RuntimeName = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/**
 * Who says so: `M` an RFC's MUST, `S` an RFC's SHOULD, `T` a test of another
 * server's, `C` other servers differ and this is our choice.
 */
export type Authority = "M" | "S" | "T" | "C";

/** A case that some runtimes make impossible. */
export interface Impossible {
  readonly runtimes: readonly RuntimeName[];
  /** Why. */
  readonly reason: string;
  /** Tests what happens there instead. */
  readonly run: () => void | Promise<void>;
}

/** One numbered case. */
export interface ConformanceCase {
  /** Its number in the catalogue: `12`, `A7`. */
  readonly id: string;
  /** What is asked: `HEAD /hello.txt`. */
  readonly title: string;
  readonly authority: Authority;
  /** What must come of it, in words. */
  readonly expect: string;
  /** Throws unless it does. */
  readonly run: () => void | Promise<void>;
  readonly impossible?: readonly Impossible[];
  /** What the case, or the rest of it, waits for. `run` tests what is there. */
  readonly pending?: string;
  /** Why this machine cannot run it, found out when the suite is loaded. */
  readonly unless?: string | undefined;
}

/** Cases under one heading. */
export interface ConformanceSection {
  readonly title: string;
  readonly cases: readonly ConformanceCase[];
}

/** A whole catalogue. */
export interface ConformanceSuite {
  /** Names the page: `docs/<name>-conformance.md`. */
  readonly name: string;
  readonly sections: readonly ConformanceSection[];
  /** Frees what the cases share. */
  readonly close?: () => void | Promise<void>;
}

/** For the `run` of a case of which nothing can be tested yet. */
export function notYet(): never {
  throw new Error("a pending case is not run");
}

/** A case, in one line and its test. */
export function test(
  id: string | number,
  authority: Authority,
  title: string,
  expect: string,
  run: () => void | Promise<void>,
  more: Pick<ConformanceCase, "impossible" | "pending" | "unless"> = {},
): ConformanceCase {
  return { id: `${id}`, authority, title, expect, run, ...more };
}

/** Makes tests of a suite's cases, and one that its page lists exactly them. */
export function conformanceTests(suite: ConformanceSuite): void {
  const results = new Map<string, CaseResult>();
  refuseDoubles(suite);
  describe(`${suite.name} conformance`, () => {
    for (const section of suite.sections) {
      describe(section.title, () => {
        for (const entry of section.cases) defineTest(entry, results);
      });
    }
    it(`docs/${suite.name}-conformance.md lists exactly these cases`, () => {
      checkPage(suite);
    });
    after(async () => {
      writeReport(suite, results);
      await suite.close?.();
    });
  });
}

/** Longest time for a case, in milliseconds: Bun's own limit is five seconds. */
const PATIENCE = 60_000;

interface CaseResult {
  readonly result: "pass" | "fail" | "impossible" | "pending" | "skipped";
  readonly note?: string;
}

function refuseDoubles(suite: ConformanceSuite): void {
  const ids = suite.sections.flatMap((section) => section.cases.map((entry) => entry.id));
  const doubles = ids.filter((id, index) => ids.indexOf(id) !== index);
  assert.deepEqual(doubles, [], "case numbers must be unique");
}

function defineTest(
  entry: ConformanceCase,
  results: Map<string, CaseResult>,
): void {
  const name = `#${entry.id} ${entry.title}`;
  if (entry.unless !== undefined) {
    results.set(entry.id, { result: "skipped", note: entry.unless });
    return void it(name, { skip: entry.unless }, () => {});
  }
  if (entry.pending !== undefined && entry.run === notYet) {
    results.set(entry.id, { result: "pending", note: entry.pending });
    return void it(name, { skip: `pending: ${entry.pending}` }, () => {});
  }
  const impossible = entry.impossible?.find(({ runtimes }) => runtimes.includes(runtimeName));
  it(name, { timeout: PATIENCE }, async () => {
    results.set(entry.id, { result: "fail" });
    await (impossible ?? entry).run();
    if (impossible !== undefined) {
      results.set(entry.id, { result: "impossible", note: impossible.reason });
    } else {
      results.set(entry.id, {
        result: "pass",
        ...(entry.pending !== undefined && { note: entry.pending }),
      });
    }
  });
}

function writeReport(
  suite: ConformanceSuite,
  results: ReadonlyMap<string, CaseResult>,
): void {
  const folder = process.env["HTBIN_CONFORMANCE_OUT"];
  if (folder === undefined || folder === "") return;
  const report: ConformanceReport = {
    suite: suite.name,
    runtime: runtimeName,
    sections: suite.sections.map(({ title, cases }) => ({
      title,
      cases: cases.map((entry) => ({
        id: entry.id,
        title: entry.title,
        authority: entry.authority,
        expect: entry.expect,
        ...(results.get(entry.id) ?? { result: "fail" }),
      })),
    })),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, `${suite.name}.${runtimeName}.json`),
    JSON.stringify(report, null, 2) + "\n",
  );
}

function checkPage(suite: ConformanceSuite): void {
  const page = readFileSync(`docs/${suite.name}-conformance.md`, "utf8");
  const rows = page.split("\n").filter((line) => /^\| [A-Z]?\d/.test(line));
  const expected = suite.sections.flatMap(({ cases }) => cases.map(caseCells));
  assert.deepEqual(
    rows.map((row) => row.split(" | ", 4).join(" | ")),
    expected,
    "run `npm run conformance`, and commit what it writes",
  );
}

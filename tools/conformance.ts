/**
 * Runs the conformance suites on the three runtimes, and makes
 * `docs/*-conformance.md` of their results. `npm run conformance`; with a folder
 * as its argument it takes the results that are there.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { conformancePage, type ConformanceReport } from "../tests/_conformance_page.ts";

/** What stands above each table. */
const PAGES: Readonly<
  Record<string, { readonly heading: string; readonly introduction: string }>
> = {
  static: {
    heading: "Static files: conformance",
    introduction: introduction(
      "static files and of the command line",
      "tests/static/conformance/",
      "Requests go to a site whose files were modified on `Tue, 02 Jan 2024 03:04:05 GMT` (LM); `hello.txt` holds the ten bytes `0123456789`, and E is its entity tag.",
    ),
  },
  cgi: {
    heading: "CGI: conformance",
    introduction: introduction("CGI", "tests/cgi/conformance/", ""),
  },
};

function introduction(of: string, where: string, setting: string): string {
  return [
    `The black-box cases of ${of}, each a test of the same name in \`${where}\`, sent over raw sockets on Deno, Bun and Node. \`npm run conformance\` runs them and writes this page; do not edit it by hand.`,
    ...(setting === "" ? [] : [setting]),
    [
      "**Source**: M is a MUST of an RFC, S a SHOULD, T what another server's own tests demand, C a point on which other servers differ and this is our choice.",
      '"Impossible here" means that the runtime leaves no way to do it; what happens instead is tested, too.',
    ].join(" "),
  ].join("\n\n");
}

/** The suites, on each runtime, as `npm test` runs them. */
const RUNS: readonly (readonly [program: string, before: readonly string[]])[] = [
  ["deno", ["test", "-A"]],
  ["bun", ["test"]],
  ["node", ["--test"]],
];

const [given] = process.argv.slice(2);
const folder = given ?? mkdtempSync(join(tmpdir(), "htbin-conformance-"));
try {
  if (given === undefined) runSuites(folder);
  writePages(folder);
} finally {
  if (given === undefined) rmSync(folder, { recursive: true, force: true });
}

function runSuites(folder: string): void {
  run("tsc", ["-p", "tsconfig.test.json"], {});
  const suites = readdirSync("tests").map((name) => `./tests/${name}/conformance_test.ts`).filter((path) =>
    isFile(path)
  );
  for (const [program, before] of RUNS) {
    const files = program === "node"
      ? suites.map((path) => path.replace("./", "./build/").replace(/\.ts$/, ".js"))
      : suites;
    // A test fails while the page is out of date; the reports tell what else.
    run(program, [...before, ...files], { HTBIN_CONFORMANCE_OUT: folder });
  }
}

function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): void {
  const bin = join("node_modules", ".bin");
  const { error } = spawnSync(program, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, ...env },
  });
  if (error !== undefined) throw error;
}

function isFile(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}

function writePages(folder: string): void {
  const reports = readdirSync(folder).filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as ConformanceReport);
  for (const suite of new Set(reports.map((report) => report.suite))) {
    writePage(suite, reports.filter((report) => report.suite === suite));
  }
}

function writePage(suite: string, reports: readonly ConformanceReport[]): void {
  const page = PAGES[suite];
  if (page === undefined) throw new Error(`No heading for suite "${suite}"`);
  const path = join("docs", `${suite}-conformance.md`);
  writeFileSync(
    path,
    conformancePage(page.heading, page.introduction, reports),
  );
  process.stdout.write(`${path}\n`);
  const failed = reports.flatMap(({ runtime, sections }) =>
    sections.flatMap(({ cases }) => cases)
      .filter(({ result }) => result === "fail")
      .map(({ id, title }) => `FAILED on ${runtime}: #${id} ${title}\n`)
  );
  for (const line of failed) process.stderr.write(line);
  if (failed.length > 0) process.exitCode = 1;
}

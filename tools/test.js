/**
 * Runs the tests on every runtime and those of the packages, or those that are named, and ends with each runner's own
 * totals. What failed is told again just before them: whoever keeps the end of a log alone knows what it was.
 *
 *     node tools/test.js [deno] [bun] [node] [packages]
 *
 * One that fails does not keep the others from running; the exit status is 1 if any did.
 */

// deno-lint-ignore-file no-console

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";

/** A runner that takes longer is ended: nothing may hang a build. */
const LIMIT_MINUTES = 6;

/** How much of what failed is told again, at most. */
const FAILURE_LINES = 24;

/**
 * What is run: all of `prepare` one after another, then all of `tests` at once; which lines are the totals, and which tell
 * what failed.
 */
const RUNNERS = {
  deno: {
    tests: () => halves().map((files) => [bin("deno"), "test", "-A", "--no-check", ...files]),
    totals: /^(ok|FAILED) \| .*/,
    failures: denoFailures,
  },
  bun: {
    // Its limit of five seconds a test is for unit tests on a machine of their own. A path that begins with a dot is one,
    // and no filter.
    tests: () =>
      halves().map((files) => {
        return [bin("bun"), "test", "--timeout", "120000", ...files.map((file) => `./${file}`)];
      }),
    totals: /^ *\d+ (pass|fail|skip|todo|error).*|^Ran \d+ tests.*/,
    failures: bunFailures,
  },
  node: {
    prepare: [
      [process.execPath, "node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json"],
      [process.execPath, "tools/build.js"],
    ],
    // The command as npm has it: from its source, Node takes twice as long to start, and tests start it often.
    env: { HTBIN_COMMAND: resolve("dist/cli.js") },
    tests: () => [
      [
        process.execPath,
        "--test",
        "--test-reporter=spec",
        "--test-timeout=120000",
        // Its default is one file at a time on two cores, and most of the time is spent waiting.
        "--test-concurrency=4",
        // Where the compiler puts them: never what an earlier run left there.
        ...testsIn("tests").map((path) => join("build", path.replace(/\.ts$/, ".js"))),
      ],
    ],
    totals: /^. (tests|suites|pass|fail|cancelled|skipped|todo) \d+/,
    failures: nodeFailures,
  },
  // Installing and publishing are the same whoever starts them: once is enough.
  packages: {
    tests: () => [[bin("deno"), "test", "-A", "--no-check", "tests/packages/packages.ts"]],
    totals: /^(ok|FAILED) \| .*/,
    failures: denoFailures,
  },
};

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
const results = [];
for (const name of chosenRunners()) {
  console.log(`\n== ${name}`);
  results.push({ name, ...await runAll(RUNNERS[name]) });
}
for (const { name, code, totals, failures } of results) {
  console.log(`\n== ${name}: ${code === 0 ? "passed" : `FAILED (exit status ${code})`}`);
  if (code !== 0) console.log(failures.slice(0, FAILURE_LINES).join("\n"));
  console.log(totals.length > 0 ? totals.join("\n") : "(no totals)");
}
// A runner without totals has not run any tests, whatever its exit status says.
process.exitCode = results.every(({ code, totals }) => code === 0 && totals.length > 0) ? 0 : 1;

function chosenRunners() {
  const names = process.argv.slice(2);
  for (const name of names) {
    if (!Object.hasOwn(RUNNERS, name)) {
      throw new Error(`No runner ${name}: ${Object.keys(RUNNERS).join(", ")}`);
    }
  }
  return names.length > 0 ? names : Object.keys(RUNNERS);
}

/** Runs all, whatever becomes of them: the compiler leaves tests that run also where types are wrong. */
async function runAll({ prepare = [], env = {}, tests, totals: pattern, failures: failuresIn }) {
  const ended = [];
  for (const command of prepare) ended.push(await run(command, env));
  // Those that run beside the first are shown when they have ended.
  ended.push(...await Promise.all(tests().map((command, at) => run(command, env, at > 0))));
  const runs = ended.map(({ code, output }) => ({ code, lines: output.split("\n").map(plain) }));
  const failures = runs.filter(({ code }) => code !== 0).flatMap(({ lines }) => {
    const told = failuresIn(lines).filter((line) => line !== "" && !/^ +at .*node:/.test(line));
    // One that was ended, or could not start: where it was.
    return told.length > 0 ? told : lines.slice(-FAILURE_LINES);
  });
  const totals = runs.map(({ lines }) => lines.filter((line) => pattern.test(line)));
  return {
    code: runs.find(({ code }) => code !== 0)?.code ?? 0,
    // Each that runs tests tells of them; what prepares them does not.
    totals: totals.slice(prepare.length).some(({ length }) => length === 0) ? [] : totals.flat(),
    failures,
  };
}

/** Deno tells its errors together, then their names. */
function denoFailures(lines) {
  const from = lines.indexOf(" ERRORS");
  return from < 0 ? [] : lines.slice(from + 1, lines.indexOf(" FAILURES", from));
}

/** Bun tells an error where the test was, above the test's name. */
function bunFailures(lines) {
  const isResult = (line) => /^\((pass|fail|skip|todo)\) /.test(line);
  return lines.flatMap((line, at) => {
    if (!line.startsWith("(fail) ")) return [];
    const before = lines.slice(lines.slice(0, at).findLastIndex(isResult) + 1, at);
    return [
      line,
      ...before.filter((text) => /^\S*error:|\bError\b|^ *at .*_test\.|^[+-] /i.test(text)).slice(0, 6),
    ];
  });
}

/** Node tells what failed once more, at the end. */
function nodeFailures(lines) {
  const from = lines.indexOf("✖ failing tests:");
  return from < 0 ? [] : lines.slice(from + 1);
}

/** Runs a program, keeps what it writes, and shows it: as it comes, or when all of it is there. */
function run([program, ...args], env, isShownLater = false) {
  return new Promise((resolve, reject) => {
    // In a group of its own: what npm puts into .bin starts the program instead of being it.
    const stdio = ["ignore", "pipe", "pipe"];
    const child = spawn(program, args, { stdio, detached: true, env: { ...process.env, ...env } });
    const kill = () => process.kill(-child.pid, "SIGKILL");
    process.once("exit", kill);
    const timer = setTimeout(() => {
      console.error(`Ended after ${LIMIT_MINUTES} minutes`);
      kill();
    }, LIMIT_MINUTES * 60_000);
    let output = "";
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      from.setEncoding("utf8").on("data", (text) => {
        output += text;
        if (!isShownLater) to.write(text);
      });
    }
    child.once("error", reject);
    child.once("exit", () => {
      clearTimeout(timer);
      process.off("exit", kill);
    });
    child.once("close", (code) => {
      if (isShownLater) process.stdout.write(output);
      resolve({ code: code ?? 1, output });
    });
  });
}

function bin(name) {
  return join("node_modules", ".bin", name);
}

function testsIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testsIn(path);
    return entry.name.endsWith("_test.ts") ? [path] : [];
  }).sort();
}

/** For runners that take one file after another, and spend much of the time waiting: each half at once with the other. */
function halves() {
  return [0, 1].map((part) => testsIn("tests").filter((_file, at) => at % 2 === part));
}

function plain(line) {
  return line.replace(/\x1b\[[0-9;]*m/g, "").trimEnd();
}

/**
 * Most arguments are taken without the parser of all arguments: just as that one would.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Arguments } from "../../src/cli/arguments.ts";
import { parseArguments } from "../../src/cli/command_line.ts";
import { DECLARATIONS, settingName } from "../../src/cli/flags.ts";
import { plainArguments } from "../../src/cli/plain_arguments.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import { pick, randomNumbers } from "../_random.ts";

/** What comes of arguments, or the message about them. */
function outcome(parse: () => Arguments | null | { readonly kind: "print" }): unknown {
  try {
    const given = parse();
    if (given?.kind !== "arguments") return given;
    const asked = given.complete({ environment: () => undefined, file: null });
    return { asked, config: given.config, origins: given.origins };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.message;
  }
}

const LETTERS = DECLARATIONS.flatMap(([, declarations]) =>
  declarations.flatMap(({ flags }) => /^-\w/.exec(flags)?.[0] ?? [])
);

const NAMES = DECLARATIONS.flatMap(([, declarations]) => declarations.map(settingName));

const TEXTS = [
  "1",
  "8000",
  "99999",
  "0.5",
  "::1",
  "127.0.0.1:80",
  "a",
  ".cgi",
  "a:b",
  "X-A: b",
  "http://a",
  "a=b",
];

const ODD = [
  "",
  "-",
  "--",
  "-h",
  "-V",
  "--help",
  "--version",
  "-qd",
  "-q=1",
  "--n",
  "--no-",
  "-0",
  "--=",
  "x\ny",
];

test("whatever the arguments are: the same settings, the same message, or left to the other parser", () => {
  const random = randomNumbers(7);
  const counts = { plain: 0, left: 0, refused: 0 };
  const token = (): readonly string[] => {
    const name = `--${pick(["", "", "no-"], random)}${pick(NAMES, random)}`;
    const text = pick(TEXTS, random);
    const kind = random();
    if (kind < 0.3) return [name];
    if (kind < 0.5) return [name, text];
    if (kind < 0.6) return [`${name}=${text}`];
    if (kind < 0.7) return [pick(LETTERS, random), text];
    if (kind < 0.8) return [pick(LETTERS, random)];
    return [pick([...TEXTS, ...TEXTS, ...ODD], random)];
  };
  for (let run = 0; run < 4000; run++) {
    const args = Array.from({ length: Math.floor(random() * 4) }, token).flat();
    const plain = outcome(() => plainArguments(args));
    counts[plain === null ? "left" : typeof plain === "string" ? "refused" : "plain"]++;
    if (plain === null) continue;
    assert.deepEqual(plain, outcome(() => parseArguments(args, "")), JSON.stringify(args));
  }
  for (const [kind, count] of Object.entries(counts)) assert.ok(count > 100, `${kind}: ${count}`);
});

test("what most starts have is taken", () => {
  for (
    const args of [
      "",
      "8000",
      "--cgi 8000",
      "0 --directory site --quiet",
      "-d public -b 0.0.0.0 -q",
      "--bind=:: --cgi-dir=a --cgi-dir b --workers 2",
      "--no-listing --no-config --log none --spa",
      "--no-cgi --listing --drain 5",
      "--explain /cgi-bin/x?y=z",
    ]
  ) {
    assert.notEqual(plainArguments(args.split(" ").filter(Boolean)), null, args);
  }
});

test("help, versions, what is unknown or has no value is left to the other parser", () => {
  for (
    const args of ["--help", "-V", "--unknown", "--bind", "1 2", "folder", "-qd site", "--cgi=1", "-H A b"]
  ) {
    assert.equal(plainArguments(args.split(" ")), null, args);
  }
});

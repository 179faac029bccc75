/**
 * Scripts that are not there, what they would be told, and URLs that lead to them.
 *
 * @module
 */

import { createEnvironment, type CreateVariables } from "../../src/cgi/environment.ts";
import { createLookup, type FindScript } from "../../src/cgi/lookup.ts";
import type { CgiOptions } from "../../src/cgi/options.ts";
import { isRefusal, requestPath, requestUrl } from "../../src/request_path.ts";
import { pick, randomNumbers } from "../_random.ts";
import { fakeProcesses, programFiles } from "./_fakes.ts";

const names = [
  "env",
  "a b",
  "q?m",
  "100%",
  "%41",
  "semi;colon",
  "caf\u00e9",
  "\u65e5\u672c",
  "a=b&c",
  "#x",
  "[v]",
  "'\"",
];
const files = programFiles(Object.fromEntries(
  names.flatMap((name) => [
    [`/site/cgi-bin/${name}`, "#!/bin/sh\n"],
    [`/site/cgi-bin/sub/${name}/${name}`, "#!/bin/sh\n"],
  ]),
));
const processes = fakeProcesses();
/** A way to scripts. */
export interface Mounted {
  readonly options: CgiOptions;
  readonly mount: string;
  /** The path before the scripts' names, or `null` for one script at the root. */
  readonly prefix: string | null;
  readonly find: FindScript;
  readonly make: CreateVariables;
}

/** Scripts in folders, below another path, and one that is the whole server. */
export const mounted: readonly Mounted[] = [
  { options: { root: "/site", directories: ["cgi-bin"] }, mount: "", prefix: "/cgi-bin" },
  { options: { root: "/site/cgi-bin" }, mount: "/m n/x", prefix: "/m n/x" },
  { options: { script: "/site/cgi-bin/env" }, mount: "", prefix: null },
].map((one) => ({
  ...one,
  find: createLookup(one.options, files, processes),
  make: createEnvironment(one.options, processes),
}));

/** The variables of a script. */
export type Variables = Readonly<Record<string, string>>;

/** Asks for a URL; the variables, or `null` where no script runs. */
export async function ask(url: string, { find, make, mount }: Mounted): Promise<Variables | null> {
  const request = new Request(url);
  const parsed = requestUrl(request);
  const path = requestPath(parsed);
  if (isRefusal(path)) return null;
  const lookup = await find(path, mount);
  if (lookup.kind !== "script") return null;
  const local = { hostname: "127.0.0.1", port: 8000 };
  return make({
    request,
    url: parsed,
    connection: { local },
    script: lookup.script,
    contentLength: null,
    deadlineMs: null,
  });
}

const pieces = [
  ..."abcXYZ019-._~!$&'()*+,;=:@/",
  ...'%2F %2f %5C %25 %3B %3D %3F %23 %20 %C3%A9 %E6%97%A5 %2e %2E . .. // %00 %0A %7F %FF %zz % \\ | " < > ^ ` { }'
    .split(" "),
];

function text(random: () => number, most: number, from: readonly string[] = pieces): string {
  return Array.from({ length: Math.floor(random() * most) }, () => pick(from, random)).join("");
}

/** URLs of scripts, with extra paths and queries; the same ones for the same seed. */
export function* generatedUrls(seed: number, { prefix }: Mounted): Iterable<string> {
  const random = randomNumbers(seed);
  for (let round = 0; round < 3000; round++) {
    const name = pick(names, random);
    const script = prefix === null
      ? ""
      : `${prefix}/${pick([name, `sub/${name}/${name}`], random)}`.split("/").map(encodeURIComponent).join(
        "/",
      );
    const extra = pick(["", "/"], random) && `/${text(random, 12)}`;
    const query = pick(["", `?${text(random, 12, [...pieces, "?", "&", "="])}`], random);
    yield `http://example.com:8000${script}${extra}${query}`;
  }
}

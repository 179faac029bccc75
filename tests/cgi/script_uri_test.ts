/**
 * RFC 3875 section 3.3 (A47): a URL made from the variables leads to the same script with the same variables. With
 * generated paths and queries; the same ones in each run.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvironment } from "../../src/cgi/environment.ts";
import { createLookup } from "../../src/cgi/lookup.ts";
import { isRefusal, requestPath, requestUrl } from "../../src/request_path.ts";
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
const mounted = [
  { options: { root: "/site", directories: ["cgi-bin"] }, mount: "", prefix: "/cgi-bin" },
  { options: { root: "/site/cgi-bin" }, mount: "/m n/x", prefix: "/m n/x" },
  { options: { script: "/site/cgi-bin/env" }, mount: "", prefix: null },
].map((one) => ({
  ...one,
  find: createLookup(one.options, files, processes),
  make: createEnvironment(one.options, processes),
}));

type Variables = Readonly<Record<string, string>>;

/** Asks for a URL; the variables, or `null` where no script runs. */
async function ask(url: string, { find, make, mount }: (typeof mounted)[number]): Promise<Variables | null> {
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

/** Section 3.3: `SCRIPT_NAME` and `PATH_INFO` encoded, with `;`, `=` and `?` among what is. */
function scriptUri(variables: Variables): string {
  const encode = (path = "") => path.split("/").map(encodeURIComponent).join("/");
  const query = variables["QUERY_STRING"] === "" ? "" : `?${variables["QUERY_STRING"]}`;
  return `${variables["REQUEST_SCHEME"]}://${variables["SERVER_NAME"]}:${variables["SERVER_PORT"]}` +
    (encode(variables["SCRIPT_NAME"]) + encode(variables["PATH_INFO"]) || "/") + query;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let bits = Math.imul(seed ^ seed >>> 15, 1 | seed);
    bits = bits + Math.imul(bits ^ bits >>> 7, 61 | bits) ^ bits;
    return ((bits ^ bits >>> 14) >>> 0) / 4294967296;
  };
}

const pieces = [
  ..."abcXYZ019-._~!$&'()*+,;=:@/",
  ...'%2F %2f %5C %25 %3B %3D %3F %23 %20 %C3%A9 %E6%97%A5 %2e %2E . .. // %00 %0A %7F %FF %zz % \\ | " < > ^ ` { }'
    .split(" "),
];

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

function text(random: () => number, most: number, from: readonly string[] = pieces): string {
  return Array.from({ length: Math.floor(random() * most) }, () => pick(from, random)).join("");
}

describe("the Script-URI (A47)", () => {
  for (const [index, one] of mounted.entries()) {
    it(`leads back, ${JSON.stringify(one.options)}`, async () => {
      const random = generator(3875 + index);
      let ran = 0;
      for (let round = 0; round < 3000; round++) {
        const name = pick(names, random);
        const script = one.prefix === null
          ? ""
          : `${one.prefix}/${pick([name, `sub/${name}/${name}`], random)}`.split("/").map(encodeURIComponent)
            .join("/");
        const extra = pick(["", "/"], random) && `/${text(random, 12)}`;
        const query = pick(["", `?${text(random, 12, [...pieces, "?", "&", "="])}`], random);
        const url = `http://example.com:8000${script}${extra}${query}`;
        const first = await ask(url, one);
        if (first === null) continue;
        ran++;
        const again = await ask(scriptUri(first), one);
        for (
          const key of ["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SCRIPT_FILENAME", "PATH_TRANSLATED"]
        ) {
          assert.equal(again?.[key], first[key], `${key} of ${url} by way of ${scriptUri(first)}`);
        }
      }
      // Enough of what was generated is a script's: the rest is refused.
      assert.ok(ran > 1000, `${ran}`);
    });
  }
});

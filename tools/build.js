/**
 * Builds `dist/`, the package that npm publishes, and of it the command that JSR has: compiles, puts the command together
 * into a few files, and keeps what can be reached from its entry points. Most declarations are of modules that no public
 * type mentions.
 *
 *     node tools/build.js
 */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import process from "node:process";
import { bundle } from "./bundle.js";

const { bin, dependencies, exports } = JSON.parse(readFileSync("package.json", "utf8"));

/** Of what is in the command from elsewhere; and for JSR, which wants types of all that it exports. */
const NOTICE = `// @ts-self-types="./cli.d.ts"
// With functions of @std: Copyright 2018-2026 the Deno authors. MIT license (see LICENSE).
// With commander: Copyright (c) 2011 TJ Holowaychuk. MIT license (see LICENSE).`;

rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
  stdio: "inherit",
});
// Dependencies stay what npm installs, but for functions of @std; commander is none.
await bundle("cli.ts", dirname(bin.htbin), Object.keys(dependencies).filter((name) => name !== "deno-std"));
const command = readFileSync(bin.htbin, "utf8");
writeFileSync(bin.htbin, command.replace("\n", `\n${NOTICE}\n`));
const entries = Object.values(exports).flatMap((entry) => Object.values(entry));
const types = bin.htbin.replace(/js$/, "d.ts");
writeFileSync(types, "/** The command `htbin`: to import it is to run it. */\nexport {};\n");
const needed = reachable([types, ...Object.values(bin), ...entries].map(normalize));
for (const path of filesBelow("dist")) {
  if (!needed.has(path)) rmSync(path);
}

/** The files that these import, themselves included. A declaration imports declarations. */
function reachable(queue) {
  const seen = new Set();
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const code = readFileSync(path, "utf8");
    for (const [, name] of code.matchAll(/(?:\bfrom |^import |\bimport\()"(\.[^"]+)"/gm)) {
      const file = path.endsWith(".d.ts") ? name.replace(/\.[jt]s$/, ".d.ts") : name;
      queue.push(normalize(join(dirname(path), file)));
    }
  }
  return seen;
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

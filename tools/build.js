/**
 * Builds `dist/`, the package that npm publishes: compiles, and keeps what can be reached from its entry points. Most
 * declarations are of modules that no public type mentions.
 *
 *     node tools/build.js
 */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import process from "node:process";

const { bin, exports } = JSON.parse(readFileSync("package.json", "utf8"));

rmSync("dist", { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
  stdio: "inherit",
});
const entries = Object.values(exports).flatMap((entry) => Object.values(entry));
const needed = reachable([...Object.values(bin), ...entries].map(normalize));
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

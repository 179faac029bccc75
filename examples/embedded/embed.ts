/**
 * Writes a folder as a TypeScript module, for `main.ts` to import:
 *
 *     bun embed.ts public > files.ts
 *     bun build --compile main.ts --outfile site     # or: deno compile -A -o site main.ts
 *     ./site
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const root = process.argv[2] ?? "public";
const lines = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => statSync(join(root, name)).isFile())
  .sort()
  .map((name) => {
    const path = JSON.stringify("/" + name.replaceAll("\\", "/"));
    return `  ${path}: "${readFileSync(join(root, name), "base64")}",\n`;
  });

process.stdout.write(
  `export const built = ${Date.now()};\n\n` +
    `export const files: Record<string, string> = {\n${lines.join("")}};\n`,
);

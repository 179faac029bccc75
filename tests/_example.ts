/**
 * Examples as programs: what documentation shows, run from the source.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";

/** Whether this runtime runs what the compiler made, and no TypeScript. */
export const compiled: boolean = !("Deno" in globalThis || "Bun" in globalThis);

/** The code with the names of this package replaced by the files that they stand for here. */
export function withSource(code: string): string {
  const { exports } = JSON.parse(readFileSync("jsr.json", "utf8")) as { exports: Record<string, string> };
  return code.replace(/(from |import |import\()"htbin(\/[\w-]+)?"/g, (_all, before: string, entry = "") => {
    const path = exports[`.${entry}`];
    if (path === undefined) throw new Error(`An example imports htbin${entry}, which is not exported`);
    return `${before}"${new URL(`../${compiled ? path.replace(/ts$/, "js") : path}`, import.meta.url)}"`;
  });
}

/** Writes the example as a program that this runtime runs from the source, on any free port. */
export async function prepareExample(
  example: string,
  directory: string,
): Promise<readonly [program: string, ...args: string[]]> {
  const code = (await readFile(example, "utf8")).replace(/(?<=port: |listen\()8000/, "0");
  const program = join(directory, basename(example).replace(/ts$/, compiled ? "mjs" : "ts"));
  await writeFile(program, withSource(code));
  return "Deno" in globalThis ? [process.execPath, "run", "-A", program] : [process.execPath, program];
}

/** Starts an example, and resolves once it has said where it is. */
export function startExample(
  [program, ...args]: readonly [program: string, ...args: string[]],
  cwd: string,
): Promise<{ readonly url: string; stop(): Promise<unknown> }> {
  return new Promise((started, failed) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise((done) => child.once("close", done));
    let printed = "";
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`${args.at(-1)} ended with ${code}:\n${printed}`)));
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding("utf8").on("data", (text) => {
        printed += text;
        const url = addressIn(plain(printed));
        if (url === null) return;
        started({
          url,
          stop() {
            child.kill();
            return ended;
          },
        });
      });
    }
  });
}

/** A URL, or what a server of Node's prints for its address. */
function addressIn(text: string): string | null {
  const [, url] = /(?:Serving|Listening on):? (http:\S+)\s/.exec(text) ?? [];
  const [, port] = /port: (\d+)\b/.exec(text) ?? [];
  return url ?? (port === undefined ? null : `http://127.0.0.1:${port}/`);
}

/** Without colours. */
function plain(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

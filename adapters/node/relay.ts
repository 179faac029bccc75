/**
 * The log of workers on its way through their starter, where they cannot write it themselves: `node_workers.ts`.
 *
 * @module
 */

import type { Readable } from "node:stream";
import type { DroppedLines, Output } from "../shared/output.ts";
import { process } from "../shared/process.ts";

/** The variable that tells a worker so. */
const VARIABLE = "HTBIN_RELAYED_LOG";

/** What a worker is started with. */
export const RELAYED_ENVIRONMENT: Readonly<Record<string, string>> = { [VARIABLE]: "1" };

/** No line of a log begins with a control character. */
const MARK = "\0";

/** How a worker says that lines were dropped, so that its starter adds their number to its own; `undefined` elsewhere. */
export const relayedDrop: DroppedLines | undefined = process.env[VARIABLE] === undefined
  ? undefined
  : (lines) => `${MARK}${lines}\n`;

/** Writes what a worker has written, in whole lines. */
export function relayLines(from: Readable, output: Pick<Output, "log" | "drop">): void {
  let rest = "";
  function relay(line: string): void {
    if (line.startsWith(MARK)) output.drop(Number(line.slice(MARK.length)));
    else output.log(line);
  }
  from.setEncoding("utf8");
  from.on("data", (piece: string) => {
    const lines = (rest + piece).split(/(?<=\n)/);
    rest = lines.at(-1)!.endsWith("\n") ? "" : lines.pop()!;
    lines.forEach(relay);
  });
  from.on("end", () => rest !== "" && relay(`${rest}\n`));
}

/**
 * The table of a case: ratios, each with its least, median and greatest.
 *
 * @module
 */

import { aimOf } from "./aims.ts";
import { failureOf, type Load, type Sample } from "./load.ts";
import { type Case, type Figure, figureOf, type Results, type Run } from "./suite.ts";

const NAMES: Readonly<Record<Figure, string>> = { requests: "ratio", bytes: "ratio", p99: "ratio of p99" };

const UNITS: Readonly<Record<Figure, (value: number) => string>> = {
  requests: (value) => `${value.toFixed(0)}/s`,
  bytes: (value) => `${(value / 1e6).toFixed(0)} MB/s`,
  p99: (value) => `${(value * 1e3).toFixed(2)} ms`,
};

/** Makes it. */
export function tableOf(one: Case, results: Results): string {
  const references = one.compare.map((comparison) => referenceOf(comparison, results));
  const large = one.compare[0]!.figure === "bytes";
  const head = [
    "",
    ...one.compare.flatMap(({ figure }) => [NAMES[figure], "aim"]),
    one.background !== undefined ? "meanwhile" : large ? "CPU s/GB" : "CPU µs",
    ...large ? [] : ["p50 ms", "p99 ms"],
    ...one.memory ? ["memory MB"] : [],
    "connection",
  ];
  const rows = [...results].map(([contender, runs]) => {
    const { name } = contender;
    const failure = whyNot(runs);
    if (typeof runs === "string" || failure !== null) return [name, `no: ${failure}`];
    return [
      name,
      ...one.compare.flatMap(({ figure }, column) =>
        comparisonCells(one, name, figure, runs, references[column]!)
      ),
      one.background !== undefined ? meanwhile(one.background, runs) : costOf(large, runs),
      ...large ? [] : [milliseconds(runs, "p50"), milliseconds(runs, "p99")],
      ...one.memory ? [memoryOf(runs)] : [],
      "command" in contender ? "" : connectionOf(runs),
    ];
  });
  return markdown(head, rows);
}

/** A table whose first column is of names, and the others of figures. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${head.map((_, column) => cells[column] ?? "").join(" | ")} |`;
  return [head, head.map((_, column) => column === 0 ? "---" : "---:"), ...rows].map(line).join("\n");
}

/** The median, and the least and the greatest. */
export function spread(values: readonly number[], digits = 2): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `**${median(values).toFixed(digits)}** (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

/** The median, and between what half of them are: of many, the least and the greatest say little. */
export function quartiles(values: readonly number[], digits = 2): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]!.toFixed(digits);
  return `**${median(values).toFixed(digits)}** (half of them ${at(0.25)}–${at(0.75)})`;
}

/** What should be reached, and whether it is. */
export function aimCell(value: number, aim: number | null, at: "least" | "most"): string {
  if (aim === null) return "";
  const met = at === "least" ? value >= aim : value <= aim;
  return `${at === "least" ? "≥" : "≤"} ${aim} ${met ? "met" : "**missed**"}`;
}

/** Its ratio, and whether that is what it should be. */
function comparisonCells(
  one: Case,
  name: string,
  figure: Figure,
  runs: readonly Run[],
  reference: readonly Run[] | null,
): readonly string[] {
  const own = UNITS[figure](median(runs.map((run) => figureOf(figure, run))));
  if (reference === null) return [own, ""];
  if (runs === reference) return [`1 = ${own}`, ""];
  const ratios = runs.map((run) => figureOf(figure, run) / figureAround(figure, reference, run.order));
  const aim = aimOf(one.name, figure, name);
  return [spread(ratios), aimCell(median(ratios), aim, figure === "p99" ? "most" : "least")];
}

/** What a reference had at that time: the mean of its last run before and its first one after. */
function figureAround(figure: Figure, reference: readonly Run[], order: number): number {
  const near = [
    reference.filter((run) => run.order < order).at(-1),
    reference.find((run) => run.order > order),
  ].flatMap((run) => run === undefined ? [] : [figureOf(figure, run)]);
  return near.reduce((sum, one) => sum + one, 0) / near.length;
}

/** Why there is nothing to compare, if so. */
function whyNot(runs: readonly Run[] | string): string | null {
  if (typeof runs === "string") return runs;
  const behind = runs.flatMap(({ background }) => background ?? []);
  const failure = failureOf(runs);
  if (failure !== null) return failure;
  const wrong = behind.some(({ errors }) => errors > 0) ? failureOf(behind) : null;
  return wrong === null ? null : `meanwhile, ${wrong}`;
}

/** Runs of the best of those that the others are compared with. */
function referenceOf(
  { figure, references }: Case["compare"][number],
  results: Results,
): readonly Run[] | null {
  const found = [...results].flatMap(([{ name }, runs]) =>
    references.includes(name) && typeof runs !== "string" && whyNot(runs) === null ? [runs] : []
  );
  const better = figure === "p99" ? -1 : 1;
  const value = (runs: readonly Run[]) => better * median(runs.map((run) => figureOf(figure, run)));
  return found.sort((a, b) => value(b) - value(a))[0] ?? null;
}

function costOf(large: boolean, samples: readonly Sample[]): string {
  if (large) return median(samples.map(({ cpu, bytes }) => cpu / bytes * 1e9)).toFixed(2);
  return median(samples.map(({ cpu, requests }) => cpu / requests * 1e6)).toFixed(0);
}

/** What the others got at the same time: files in bytes, scripts in answers. */
function meanwhile({ bytes = 0 }: Load, runs: readonly Run[]): string {
  const behind = runs.flatMap(({ background }) => background ?? []);
  const figure = bytes < 1e6 ? "requests" : "bytes";
  return UNITS[figure](median(behind.map((sample) => figureOf(figure, sample))));
}

/** Whether the server keeps connections: to open one for each answer is part of what the answer costs. */
function connectionOf(samples: readonly Sample[]): string {
  const sum = (key: "reopened" | "requests") => samples.reduce((sum, sample) => sum + sample[key], 0);
  return sum("reopened") * 2 >= sum("requests") ? "one each" : "kept";
}

function memoryOf(samples: readonly Sample[]): string {
  const peak = Math.max(...samples.map((sample) => sample.peak));
  return `${(samples[0]!.rest / 1e6).toFixed(0)} → ${(peak / 1e6).toFixed(0)}`;
}

function milliseconds(samples: readonly Sample[], key: "p50" | "p99"): string {
  return (median(samples.map((sample) => sample[key])) * 1e3).toFixed(2);
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The table of a case: ratios, each with its least, median and greatest.
 *
 * @module
 */

import { aimOf } from "./aims.ts";
import type { Contender } from "./contender.ts";
import type { Sample } from "./load.ts";
import { type Case, type Figure, figureOf, type Results } from "./suite.ts";

const UNITS: Readonly<Record<Figure, (value: number) => string>> = {
  requests: (value) => `${value.toFixed(0)}/s`,
  bytes: (value) => `${(value / 1e6).toFixed(0)} MB/s`,
  p99: (value) => `${(value * 1e3).toFixed(2)} ms`,
};

/** Makes it. */
export function tableOf(one: Case, results: Results): string {
  const reference = referenceOf(one, results);
  const head = [
    "",
    one.figure === "p99" ? "p99, ratio" : "ratio",
    "aim",
    one.figure === "bytes" ? "CPU s/GB" : "CPU µs",
    ...one.memory ? ["memory MB"] : one.load.requests === undefined ? ["p50 ms", "p99 ms"] : [],
    "errors",
  ];
  const rows = [...results].map(([contender, samples]) => {
    if (typeof samples === "string") {
      return [
        contender.name,
        `no: ${samples}`,
        ...head.slice(2).map(() => ""),
      ];
    }
    const ratio = ratioOf(one.figure, samples, reference);
    return [
      contender.name,
      ratio === null
        ? ""
        : samples === reference
        ? `1 = ${UNITS[one.figure](median(samples.map((sample) => figureOf(one.figure, sample))))}`
        : `**${ratio.median.toFixed(2)}** (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})`,
      aimCell(one, contender, ratio),
      one.background === undefined ? costOf(one.figure, samples) : "",
      ...one.memory
        ? [memoryOf(samples)]
        : one.load.requests === undefined
        ? [milliseconds(samples, "p50"), milliseconds(samples, "p99")]
        : [],
      String(samples.reduce((sum, { errors }) => sum + errors, 0)),
    ];
  });
  return [head, head.map((_, column) => column === 0 ? "---" : "---:"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Least, median and greatest. */
export interface Ratio {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** The ratio within each round. */
export function ratioOf(
  figure: Figure,
  samples: readonly Sample[],
  reference: readonly Sample[] | null,
): Ratio | null {
  if (reference === null) return null;
  const ratios = samples.map((sample, round) =>
    figureOf(figure, sample) / figureOf(figure, reference[round] ?? sample)
  );
  return { least: Math.min(...ratios), median: median(ratios), most: Math.max(...ratios) };
}

/** Samples of the best of those that the others are compared with. */
export function referenceOf(one: Case, results: Results): readonly Sample[] | null {
  const found = [...results].flatMap(([{ name }, samples]) => {
    return one.references.includes(name) && typeof samples !== "string" ? [samples] : [];
  });
  const better = one.figure === "p99" ? -1 : 1;
  const value = (samples: readonly Sample[]) =>
    better * median(samples.map((sample) => figureOf(one.figure, sample)));
  return found.sort((a, b) => value(b) - value(a))[0] ?? null;
}

function aimCell(one: Case, contender: Contender, ratio: Ratio | null): string {
  const aim = aimOf(one.name, contender.name);
  if (aim === null || ratio === null) return "";
  const met = one.figure === "p99" ? ratio.median <= aim : ratio.median >= aim;
  return `${one.figure === "p99" ? "≤" : "≥"} ${aim} ${met ? "met" : "**missed**"}`;
}

function costOf(figure: Figure, samples: readonly Sample[]): string {
  if (figure === "bytes") return median(samples.map(({ cpu, bytes }) => cpu / bytes * 1e9)).toFixed(2);
  return median(samples.map(({ cpu, requests }) => cpu / requests * 1e6)).toFixed(0);
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

/**
 * What htbin should reach: its ratio in a case, at least (of a time: at most).
 *
 * @module
 */

import type { Figure } from "./suite.ts";

type Aims = Readonly<Record<"Node" | "Deno" | "Bun", number>>;

const SMALL: Aims = { Bun: 1.1, Node: 0.7, Deno: 0.7 };
const MIDDLE: Aims = { Bun: 0.75, Node: 0.75, Deno: 0.35 };
const ONE_CORE: Aims = { Bun: 0.9, Node: 0.9, Deno: 0.9 };
const TWO_CORES: Aims = { Bun: 1.15, Node: 1, Deno: 0.9 };

const AIMS: readonly (readonly [cases: RegExp, figure: Figure, aims: Aims])[] = [
  [/^1k( log)?$/, "requests", SMALL],
  [/^100k( log)?$/, "requests", MIDDLE],
  [/^1g$/, "bytes", { Bun: 1.1, Node: 0.7, Deno: 0.5 }],
  [/^1k while 32 downloads$/, "p99", { Bun: 2, Node: 2, Deno: 2 }],
  [/^hello(\.sh|\.pl)? c=\d+$/, "requests", ONE_CORE],
  [/^hello(\.sh|\.pl)? c=1( two cores)?$/, "p99", { Bun: 3, Node: 3, Deno: 3 }],
  [/^hello(\.sh|\.pl)? c=8 two cores$/, "requests", TWO_CORES],
  [/^post10m$/, "bytes", { Bun: 1.2, Deno: 0.8, Node: 0.6 }],
  [/^blast100m$/, "bytes", { Bun: 0.9, Node: 0.5, Deno: 0.5 }],
];

const HTBIN = /^htbin on (Node|Deno|Bun)$/;

/** The aim of a contender in a case, if there is one. */
export function aimOf(name: string, figure: Figure, contender: string): number | null {
  const [, runtime] = HTBIN.exec(contender) ?? [];
  if (runtime === undefined) return null;
  const found = AIMS.find(([cases, of]) => of === figure && cases.test(name));
  return found?.[2][runtime as keyof Aims] ?? null;
}

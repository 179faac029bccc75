/**
 * What htbin should reach: its ratio in a case, at least (of a time: at most).
 *
 * @module
 */

type Aims = Readonly<Record<"Node" | "Deno" | "Bun", number>>;

const SMALL: Aims = { Bun: 1.1, Node: 0.7, Deno: 0.7 };
const MIDDLE: Aims = { Bun: 0.75, Node: 0.75, Deno: 0.35 };
const ONE_CORE: Aims = { Bun: 0.9, Node: 0.9, Deno: 0.9 };
const TWO_CORES: Aims = { Bun: 1.15, Node: 1, Deno: 0.9 };

const AIMS: readonly (readonly [cases: RegExp, aims: Aims])[] = [
  [/^1k( log)?$/, SMALL],
  [/^100k( log)?$/, MIDDLE],
  [/^1g$/, { Bun: 1.1, Node: 0.7, Deno: 0.5 }],
  [/^1k while 32 downloads$/, { Bun: 2, Node: 2, Deno: 2 }],
  [/^hello(\.sh|\.pl)? c=(8|32)$/, ONE_CORE],
  [/^hello(\.sh|\.pl)? c=1$/, { Bun: 3, Node: 3, Deno: 3 }],
  [/^hello(\.sh|\.pl)? c=8 two cores$/, TWO_CORES],
  [/^post10m$/, { Bun: 1.2, Deno: 0.8, Node: 0.6 }],
  [/^blast100m$/, { Bun: 0.9, Node: 0.5, Deno: 0.5 }],
];

/** The aim of a contender in a case, if there is one. */
export function aimOf(name: string, contender: string): number | null {
  const [, runtime] = /^htbin on (Node|Deno|Bun)$/.exec(contender) ?? [];
  if (runtime === undefined) return null;
  return AIMS.find(([cases]) => cases.test(name))?.[1][runtime as keyof Aims] ?? null;
}

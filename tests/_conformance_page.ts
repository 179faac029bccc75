/**
 * The page of a conformance suite, made from its results on three runtimes.
 *
 * @module
 */

/** What one run of a suite wrote. */
export interface ConformanceReport {
  readonly suite: string;
  readonly runtime: string;
  readonly sections: readonly ReportSection[];
}

/** A heading and its rows. */
export interface ReportSection {
  readonly title: string;
  readonly cases: readonly ReportCase[];
}

/** A row. */
export interface ReportCase {
  readonly id: string;
  readonly title: string;
  readonly authority: string;
  readonly expect: string;
  readonly result: "pass" | "fail" | "impossible" | "pending" | "skipped";
  /** Why it is not a plain pass. */
  readonly note?: string;
}

/** The columns, in order. */
const RUNTIMES = ["deno", "bun", "node"] as const;

const TITLES: Readonly<Record<string, string>> = {
  deno: "Deno",
  bun: "Bun",
  node: "Node",
};

/** The cells of a row that do not depend on a result. */
export function caseCells(
  entry: Pick<ReportCase, "id" | "title" | "authority" | "expect">,
): string {
  return `| ${entry.id} | ${cell(entry.title)} | ${entry.authority} | ${cell(entry.expect)}`;
}

/**
 * The page. The same reports make the same page, byte for byte.
 *
 * @throws {Error} When a runtime's report is missing or lists other cases.
 */
export function conformancePage(
  heading: string,
  introduction: string,
  reports: readonly ConformanceReport[],
): string {
  const columns = RUNTIMES.map((runtime) => {
    const report = reports.find((each) => each.runtime === runtime);
    if (report === undefined) {
      throw new Error(`Cannot make the page: no results of ${runtime}`);
    }
    return report;
  });
  checkSame(columns);
  const notes = new Map<string, number>();
  const body = columns[0]!.sections.map((section, at) =>
    renderSection(section, columns.map((column) => column.sections[at]), notes)
  );
  return [
    `# ${heading}`,
    "",
    introduction,
    "",
    renderTotals(columns),
    "",
    ...body,
    ...renderNotes(notes),
  ].join("\n");
}

/** All runs must have been of the same cases. */
function checkSame([first, ...others]: readonly ConformanceReport[]): void {
  const rows = first!.sections.flatMap(({ cases }) => cases.map(caseCells));
  for (const { runtime, sections } of others) {
    const own = sections.flatMap(({ cases }) => cases.map(caseCells));
    const at = rows.findIndex((row, index) => row !== own[index]);
    if (at < 0 && own.length === rows.length) continue;
    const row = rows[at] ?? own[rows.length];
    throw new Error(
      `Cannot make the page: the results of ${runtime} differ from those of ${first!.runtime} at ${row}`,
    );
  }
}

function renderSection(
  section: ReportSection,
  columns: readonly (ReportSection | undefined)[],
  notes: Map<string, number>,
): string {
  const rows = section.cases.map((entry, at) => {
    const results = columns.map((column) => renderResult(column!.cases[at]!, notes));
    return `${caseCells(entry)} | ${results.join(" | ")} |`;
  });
  return [
    `## ${section.title}`,
    "",
    "| # | Case | Source | Expected | Deno | Bun | Node |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

function renderResult(entry: ReportCase, notes: Map<string, number>): string {
  const words = {
    pass: "pass",
    fail: "**FAIL**",
    impossible: "impossible here",
    pending: "pending",
    skipped: "not run",
  }[entry.result];
  if (entry.note === undefined) return words;
  const number = notes.get(entry.note) ?? notes.size + 1;
  notes.set(entry.note, number);
  return `${words} [${number}](#notes)`;
}

function renderNotes(notes: ReadonlyMap<string, number>): string[] {
  if (notes.size === 0) return [];
  return [
    "## Notes",
    "",
    ...Array.from(notes, ([note, number]) => `${number}. ${note}`),
    "",
  ];
}

function renderTotals(columns: readonly ConformanceReport[]): string {
  const results = ["pass", "impossible", "pending", "skipped", "fail"] as const;
  const counts = columns.map((column) =>
    results.map((result) =>
      column.sections.flatMap(({ cases }) => cases)
        .filter((entry) => entry.result === result).length
    )
  );
  const shown = results.map((_, at) => at).filter((at) =>
    at === 0 || counts.some((count) => count[at] !== 0)
  );
  const titles = ["Pass", "Impossible here", "Pending", "Not run", "**FAIL**"];
  return [
    `| Runtime | ${shown.map((at) => titles[at]).join(" | ")} |`,
    `| --- | ${shown.map(() => "---:").join(" | ")} |`,
    ...columns.map(({ runtime }, column) =>
      `| ${TITLES[runtime]} | ${shown.map((at) => counts[column]![at]).join(" | ")} |`
    ),
  ].join("\n");
}

/** Text that cannot end its table cell or turn into a tag. */
function cell(text: string): string {
  return text.replaceAll("\n", " ").replaceAll("|", "\\|").replace(
    /<(?=[a-z/!?])/gi,
    "&lt;",
  );
}

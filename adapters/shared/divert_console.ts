/**
 * `console` without standard output, which is the response of a CGI script.
 *
 * @module
 */

/** Makes every method of `console` that prints to standard output print to standard error. */
export function divertConsole(): void {
  const print = console.error.bind(console);
  const counts = new Map<string, number>();
  const starts = new Map<string, number>();
  function elapsed(label: string, ...data: readonly unknown[]): void {
    const start = starts.get(label);
    if (start !== undefined) print(`${label}: ${(performance.now() - start).toFixed(3)}ms`, ...data);
  }
  Object.assign(console, {
    log: print,
    info: print,
    debug: print,
    dirxml: print,
    dir: (value: unknown) => print(value),
    table: (value: unknown) => print(value),
    group: print,
    groupCollapsed: print,
    // Bun prints it to standard output.
    trace: (...data: readonly unknown[]) => print(...data, new Error().stack?.replace(/^.*\n/, "\n")),
    count(label = "default") {
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      print(`${label}: ${count}`);
    },
    countReset: (label = "default") => void counts.delete(label),
    time: (label = "default") => void starts.set(label, performance.now()),
    timeLog: (label = "default", ...data: readonly unknown[]) => elapsed(label, ...data),
    timeEnd(label = "default") {
      elapsed(label);
      starts.delete(label);
    },
  });
}

/**
 * `console` without standard output, which is the response of a CGI script. For Deno and Bun, whose `console` is not
 * made of a stream that could be another one.
 *
 * @module
 */

/** Prints to standard error in place of standard output. */
type Printer = (...data: readonly unknown[]) => void;

/**
 * Makes `console` divertible; returns what diverts it. To be called early: many a program keeps `console.log` for later
 * (Hono's logger does), and what it has kept before goes where it always went.
 */
export function divertibleConsole(): () => void {
  let isDiverted = false;
  const methods = console as unknown as Record<string, Printer>;
  for (const [name, diverted] of Object.entries(printers())) {
    const original = methods[name]?.bind(console);
    methods[name] = (...data) => (isDiverted ? diverted : original)?.(...data);
  }
  return () => void (isDiverted = true);
}

/** What stands for each method that prints to standard output, and for those that it needs. */
function printers(): Readonly<Record<string, Printer>> {
  // deno-lint-ignore no-console
  const print: Printer = (...data) => console.error(...data);
  const counts = new Map<unknown, number>();
  const starts = new Map<unknown, number>();
  const elapsed: Printer = (label = "default", ...data) => {
    const start = starts.get(label);
    if (start !== undefined) print(`${label}: ${(performance.now() - start).toFixed(3)}ms`, ...data);
  };
  return {
    log: print,
    info: print,
    debug: print,
    dirxml: print,
    dir: (value) => print(value),
    table: (value) => print(value),
    group: print,
    groupCollapsed: print,
    groupEnd() {},
    // Bun prints it to standard output.
    trace: (...data) => print(...data, new Error().stack?.replace(/^.*\n/, "\n")),
    count(label = "default") {
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      print(`${label}: ${count}`);
    },
    countReset: (label = "default") => void counts.delete(label),
    time: (label = "default") => void starts.set(label, performance.now()),
    timeLog: elapsed,
    timeEnd(label = "default") {
      elapsed(label);
      starts.delete(label);
    },
  };
}

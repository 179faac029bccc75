/**
 * Header fields of an answer that is being made.
 *
 * @module
 */

/** What is done to them: `Headers` can do it, too. */
export interface Fields {
  get(name: string): string | null;
  /** In place of any of that name. */
  set(name: string, value: string): void;
  /** Beside those of that name. */
  append(name: string, value: string): void;
}

/**
 * Fields with names in lower case, in the order in which they were set. A `Headers` costs more to fill and to read, and
 * the first one takes Node 20 ms: it comes with a whole HTTP client.
 */
export class AnswerFields implements Fields {
  readonly #values = new Map<string, string | string[]>();

  get(name: string): string | null {
    const value = this.#values.get(name);
    return value === undefined ? null : typeof value === "string" ? value : value.join(", ");
  }

  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  append(name: string, value: string): void {
    const before = this.#values.get(name);
    this.#values.set(name, before === undefined ? value : [before, value].flat());
  }

  /** Takes away those whose names fit. */
  drop(fits: (name: string) => boolean): void {
    for (const name of [...this.#values.keys()]) if (fits(name)) this.#values.delete(name);
  }

  /** As a prepared response has them. */
  toRecord(): Readonly<Record<string, string | string[]>> {
    return Object.fromEntries(this.#values);
  }

  toHeaders(): Headers {
    const headers = new Headers();
    for (const [name, value] of this.#values) {
      for (const one of [value].flat()) headers.append(name, one);
    }
    return headers;
  }
}

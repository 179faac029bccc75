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
  readonly #values: Map<string, string | string[]>;
  #record: Readonly<Record<string, string | string[]>> | null = null;

  constructor(values: Iterable<readonly [name: string, value: string | string[]]> = []) {
    this.#values = new Map(values);
  }

  get(name: string): string | null {
    const value = this.#values.get(name);
    return value === undefined ? null : typeof value === "string" ? value : value.join(", ");
  }

  set(name: string, value: string): void {
    this.#change(name, value);
  }

  append(name: string, value: string): void {
    const before = this.#values.get(name);
    this.#change(name, before === undefined ? value : [before, value].flat());
  }

  /** The same with another field, these as they are. */
  with(name: string, value: string): AnswerFields {
    const fields = new AnswerFields(this.#values);
    fields.set(name, value);
    return fields;
  }

  /** Takes away those whose names fit. */
  drop(fits: (name: string) => boolean): void {
    this.#record = null;
    for (const name of [...this.#values.keys()]) if (fits(name)) this.#values.delete(name);
  }

  /** As a prepared response has them: the same object until they are changed. */
  toRecord(): Readonly<Record<string, string | string[]>> {
    return this.#record ??= Object.fromEntries(this.#values);
  }

  toHeaders(): Headers {
    const headers = new Headers();
    for (const [name, value] of this.#values) {
      for (const one of [value].flat()) headers.append(name, one);
    }
    return headers;
  }

  #change(name: string, value: string | string[]): void {
    this.#record = null;
    this.#values.set(name, value);
  }
}

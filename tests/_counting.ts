/**
 * Counts the calls of an object's methods: how often a part of the seam is asked.
 *
 * @module
 */

/** Calls by the name of the method. */
export type Calls = Record<string, number>;

/** The same object, with each call of a method counted. */
export function counting<T extends object>(object: T, calls: Calls): T {
  return new Proxy(object, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls[String(name)] = (calls[String(name)] ?? 0) + 1;
        return value.apply(target, args);
      };
    },
  });
}

/**
 * Options of the wrong name or the wrong type, found when a handler is made and not in its first request.
 *
 * @module
 */

import { closestName } from "./closest_name.ts";

/** What an option may be. */
export interface Kind {
  /** Continues "it must be". */
  readonly wanted: string;
  /** Whether nothing can be done without it. */
  readonly needed?: true;
  fits(value: unknown): boolean;
  /** Checks what is in a value that fits; `path` is the option's name. */
  inside?(value: unknown, path: string, owner: string): void;
}

/** The kind of every option: one that the interface has and the shape lacks, or the reverse, does not compile. */
export type Shape<Options> = { readonly [Name in keyof Options]-?: Kind };

type AnyShape = Readonly<Record<string, Kind>>;

/**
 * Checks options against their shape. `undefined` stands for an option that is not given.
 *
 * @throws {TypeError} For the first that is unknown or of another type.
 */
export function checkOptions<Options extends object>(
  owner: string,
  options: Options,
  shape: Shape<Options>,
): void {
  if (!isObject(options)) {
    throw new TypeError(`Cannot use ${owner} with ${show(options)}: its options are an object`);
  }
  checkFields(options, shape, "", owner);
}

function checkFields(options: object, shape: AnyShape, prefix: string, owner: string): void {
  for (const [name, value] of Object.entries(options)) {
    const path = prefix + name;
    if (!Object.hasOwn(shape, name)) throw unknown(path, name, Object.keys(shape), owner);
    if (value !== undefined) check(shape[name] as Kind, value, path, owner);
  }
  for (const [name, { needed, wanted }] of Object.entries(shape)) {
    if (!needed || (options as Record<string, unknown>)[name] !== undefined) continue;
    throw new TypeError(`Cannot use ${owner} without the option ${prefix}${name}: it must be ${wanted}`);
  }
}

function check(kind: Kind, value: unknown, path: string, owner: string): void {
  if (!kind.fits(value)) {
    throw new TypeError(`Cannot use the option ${path}: ${show(value)}: it must be ${kind.wanted}`);
  }
  kind.inside?.(value, path, owner);
}

/** Any text. */
export const text: Kind = { wanted: "a string", fits: (value) => typeof value === "string" };

/** Any number, also `Infinity` and `NaN`; ranges are the option's own affair. */
export const number: Kind = { wanted: "a number", fits: (value) => typeof value === "number" };

/** Yes or no. */
export const flag: Kind = { wanted: "true or false", fits: (value) => typeof value === "boolean" };

/** A hook. */
export const hook: Kind = { wanted: "a function", fits: (value) => typeof value === "function" };

/** An object that somebody else made: a file system, a network. */
export const service: Kind = { wanted: "an object", fits: isObject };

/** An option that has to be given. */
export function needed(kind: Kind): Kind {
  return { ...kind, needed: true };
}

/** One of these values. */
export function word(...values: readonly (string | boolean | null)[]): Kind {
  return { wanted: values.map(show).join(" or "), fits: (value) => values.some((one) => one === value) };
}

/** A list of one kind. A single string is none: it would be taken for the list of its letters. */
export function list(kind: Kind): Kind {
  return {
    wanted: `a list, each ${kind.wanted}`,
    fits: Array.isArray,
    inside(value, path, owner) {
      (value as readonly unknown[]).forEach((item, at) => check(kind, item, `${path}[${at}]`, owner));
    },
  };
}

/** An object with names of the user's own. */
export function map(kind: Kind): Kind {
  return {
    wanted: "an object",
    fits: isObject,
    inside(value, path, owner) {
      for (const [name, item] of Object.entries(value as object)) {
        check(kind, item, `${path}[${show(name)}]`, owner);
      }
    },
  };
}

/** An object with options of its own. */
export function record<Options>(shape: Shape<Options>): Kind {
  return {
    wanted: "an object",
    fits: isObject,
    inside: (value, path, owner) => checkFields(value as object, shape as AnyShape, `${path}.`, owner),
  };
}

/** Any of these kinds. */
export function either(...kinds: readonly Kind[]): Kind {
  return {
    wanted: kinds.map((kind) => kind.wanted).join(" or "),
    fits: (value) => kinds.some((kind) => kind.fits(value)),
    inside: (value, path, owner) => kinds.find((kind) => kind.fits(value))?.inside?.(value, path, owner),
  };
}

/** A shape less these options. */
export function without<S extends AnyShape, const Name extends keyof S>(
  shape: S,
  names: readonly Name[],
): Omit<S, Name> {
  const left = Object.entries(shape).filter(([name]) => !(names as readonly string[]).includes(name));
  return Object.fromEntries(left) as Omit<S, Name>;
}

function unknown(path: string, name: string, known: readonly string[], owner: string): TypeError {
  const closest = closestName(name, known);
  const isClose = closest.distance <= 0.4 * closest.name.length;
  const hint = isClose ? `, did you mean ${path.slice(0, path.length - name.length)}${closest.name}?` : "";
  return new TypeError(`Cannot use the option ${path}: unknown option of ${owner}${hint}`);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value in a few words: what was given may be long, or a secret with a wrong name. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/**
 * From the text of an argument to its value, or to a message that says what the text should have been.
 *
 * @module
 */

import { UsageError } from "./usage_error.ts";

/** A port number. 0 lets the system choose. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  if (/^\d+$/.test(text)) throw new UsageError(`port ${text} is too large: ports go from 0 to 65535`);
  throw new UsageError(`'${text}' is not a port; to serve a folder: htbin --directory ${text}`);
}

/** A parser for the text of one flag. */
export type ValueParser<T> = (text: string, previous?: T) => T;

/** Any text but an empty one. */
export function text(flag: string): ValueParser<string> {
  return (value) => notEmpty(flag, value);
}

/** Any text but an empty one, as often as the flag is given. */
export function texts(flag: string): ValueParser<readonly string[]> {
  return (value, previous = []) => [...previous, notEmpty(flag, value)];
}

/** Seconds, fractions allowed. */
export function seconds(flag: string): ValueParser<number> {
  return (value) => {
    if (/^\d+(\.\d*)?$|^\.\d+$/.test(value)) return Number(value);
    throw new UsageError(`${flag} takes seconds, such as 60 or 0.5, not '${value}'`);
  };
}

/** A whole number. */
export function count(flag: string, least: number): ValueParser<number> {
  return (value) => {
    if (/^\d+$/.test(value) && Number(value) >= least) return Number(value);
    throw new UsageError(`${flag} takes a whole number from ${least}, not '${value}'`);
  };
}

/** One of some words. */
export function oneOf<T extends string>(flag: string, words: readonly T[]): ValueParser<T> {
  return (value) => {
    const word = words.find((word) => word === value);
    if (word !== undefined) return word;
    throw new UsageError(`${flag} takes ${words.join(", ")}, not '${value}'`);
  };
}

/** File endings, with or without their dot, as often as the flag is given. */
export function endings(flag: string): ValueParser<readonly string[]> {
  return (value, previous = []) => [...previous, ending(flag, value)];
}

/** `.EXT=PROGRAM ARGUMENTS`, as often as the flag is given. Words are parted by spaces; quotes keep them together. */
export function interpreters(flag: string): ValueParser<Readonly<Record<string, readonly string[]>>> {
  return (value, previous = {}) => {
    const at = value.indexOf("=");
    const command = Array.from(
      value.slice(at + 1).matchAll(/"([^"]*)"|\S+/g),
      (match) => match[1] ?? match[0],
    );
    if (at < 1 || command.length === 0) {
      throw new UsageError(`${flag} takes .EXT=PROGRAM, such as .php=php-cgi, not '${value}'`);
    }
    return { ...previous, [ending(flag, value.slice(0, at))]: command };
  };
}

/** What `--cgi-env` collects: values to set, and names to inherit. */
export interface ScriptVariables {
  readonly set: Readonly<Record<string, string>>;
  readonly inherit: readonly string[];
}

/** `NAME=VALUE` sets a variable, `NAME` alone lets scripts inherit it. */
export function variables(flag: string): ValueParser<ScriptVariables> {
  return (value, previous = { set: {}, inherit: [] }) => {
    const [, name, rest] = /^([^=\0]+)(?:=([^\0]*))?$/s.exec(value) ?? [];
    if (name === undefined) {
      throw new UsageError(`${flag} takes NAME=VALUE, or NAME to inherit it, not '${value}'`);
    }
    if (rest === undefined) return { ...previous, inherit: [...previous.inherit, name] };
    return { ...previous, set: { ...previous.set, [name]: rest } };
  };
}

function ending(flag: string, value: string): string {
  const name = value.replace(/^\*?\.?/, "");
  if (name === "" || /[/\\]/.test(name)) {
    throw new UsageError(`${flag} takes a file ending, such as .cgi, not '${value}'`);
  }
  return `.${name}`;
}

function notEmpty(flag: string, value: string): string {
  if (value !== "") return value;
  throw new UsageError(`${flag} needs a value that is not empty`);
}

/**
 * From the text of a setting to its value, or to a message that says what the text should have been.
 *
 * @module
 */

import { hostMatcher } from "../access/allow_hosts.ts";
import { checkedOrigins } from "../access/cors.ts";
import { checkCredentials } from "../access/passwords.ts";
import { parseDirectory } from "../cgi/area.ts";
import { parseTrusted } from "../cgi/forwarded.ts";
import { type HeaderField, responseField } from "../header_field.ts";
import { cacheControlValue } from "../static/cache_control.ts";
import { indexNames } from "../static/context.ts";
import { checkMediaType } from "../static/media_type.ts";
import { UsageError } from "./usage_error.ts";

/** What a setting takes. */
export interface ValueType<T> {
  /** One value of it as JSON Schema has it, for `htbin.json`. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Whether it can be given several times; `parse` then gets what came before. */
  readonly repeats: boolean;
  /** `name` is what the setting is called where the text comes from: `--bind`. */
  parse(name: string, text: string, previous?: T): T;
}

function one<T>(
  schema: ValueType<T>["schema"],
  parse: (name: string, text: string) => T,
): ValueType<T> {
  return { schema, repeats: false, parse };
}

function many<T>(
  schema: ValueType<T>["schema"],
  parse: (name: string, text: string, previous?: T) => T,
): ValueType<T> {
  return { schema, repeats: true, parse };
}

const TEXT = { type: "string", minLength: 1 };

/** A port number. 0 lets the system choose. */
export const port: ValueType<number> = one({ type: "integer", minimum: 0, maximum: 65535 }, (name, text) => {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  if (/^\d+$/.test(text)) throw new UsageError(`${name} ${text} is too large: ports go from 0 to 65535`);
  if (name !== "port" || /^-/.test(text)) {
    throw new UsageError(`${name} takes a port from 0 to 65535, not '${text}'`);
  }
  const advice = adviceForBoth(text) ?? `to serve a folder: htbin --directory ${text}`;
  throw new UsageError(`'${text}' is not a port; ${advice}`);
});

/** The address to listen on. Whether it is this machine's shows when it is listened on. */
export const address: ValueType<string> = one(TEXT, (name, text) => {
  const advice = /^\d+$/.test(text) ? `the port is given by itself: htbin ${text}` : adviceForBoth(text);
  if (advice === null) return notEmpty(name, text);
  throw new UsageError(`${name} takes an address, not '${text}'; ${advice}`);
});

/** For an address and a port in one; `null` for what is not. */
function adviceForBoth(text: string): string | null {
  const [, host, port] = /^([^:]*|\[.*\]):(\d+)$/.exec(text) ?? [];
  if (port === undefined) return null;
  return `address and port are given apart: htbin${host ? ` --bind ${host}` : ""} ${port}`;
}

/** Any text but an empty one. */
export const text: ValueType<string> = one(TEXT, notEmpty);

/** The path of a file or folder. In a file of settings a relative one starts at that file's folder. */
export const path: ValueType<string> = one(TEXT, notEmpty);

/** Text that something else can say about whether it can be used: `check` throws a `TypeError`. */
function textFor(
  check: (text: string) => unknown,
  schema: ValueType<string>["schema"] = TEXT,
): ValueType<string> {
  return one(schema, (name, text) => checkedText(name, text, check));
}

/** Such text, as often as it is given. */
function textsFor(check: (text: string) => unknown): ValueType<readonly string[]> {
  return many(TEXT, (name, text, previous = []) => [...previous, checkedText(name, text, check)]);
}

function checkedText(name: string, text: string, check: (text: string) => unknown): string {
  naming(name, () => check(notEmpty(name, text)));
  return text;
}

/** What the library refuses, the command line refuses with the name of the setting. */
function naming<T>(name: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`${name}: ${error.message}`, { cause: error });
  }
}

/** A value of Cache-Control. */
export const cacheControl: ValueType<string> = textFor(cacheControlValue);

/** A media type. */
export const mediaType: ValueType<string> = textFor(checkMediaType, {
  type: "string",
  pattern: "^[^\\s/;]+/[^\\s/;]+",
});

/** Folders below the one that is served; `/cgi-bin/` and `./cgi-bin` mean what `cgi-bin` means. */
export const folders: ValueType<readonly string[]> = many(
  TEXT,
  (name, text, previous = []) => [...previous, checkedText(name, trimSlashes(text), parseDirectory)],
);

function trimSlashes(path: string): string {
  return path && (path.replace(/^(\.?\/+)+/, "").replace(/\/+$/, "") || ".");
}

/** Names of files. */
export const fileNames: ValueType<readonly string[]> = textsFor((text) => indexNames([text]));

/** Names of hosts. */
export const hosts: ValueType<readonly string[]> = textsFor((text) => hostMatcher([text]));

/** Sites, by scheme and host. */
export const origins: ValueType<readonly string[]> = textsFor((text) => checkedOrigins([text], false));

/** Addresses of proxies, or blocks of them. */
export const proxies: ValueType<readonly string[]> = textsFor(parseTrusted);

/** Seconds, fractions allowed. */
export const seconds: ValueType<number> = one({ type: "number", minimum: 0 }, (name, text) => {
  if (/^\d+(\.\d*)?$|^\.\d+$/.test(text)) return Number(text);
  throw new UsageError(`${name} takes seconds, such as 60 or 0.5, not '${text}'`);
});

/** A whole number. */
export function count(least: number): ValueType<number> {
  return one({ type: "integer", minimum: least }, (name, text) => {
    if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
    throw new UsageError(`${name} takes a whole number from ${least}, not '${text}'`);
  });
}

/** One of some words. */
export function oneOf<T extends string>(words: readonly T[]): ValueType<T> {
  return one({ enum: words }, (name, text) => {
    const word = words.find((word) => word === text);
    if (word !== undefined) return word;
    throw new UsageError(`${name} takes ${words.join(", ")}, not '${text}'`);
  });
}

/** What `--protocol` takes. */
export type Protocol = "HTTP/1.0" | "HTTP/1.1";

/** The versions of HTTP that Python's server can be told to speak. */
export const protocol: ValueType<Protocol> = one({ enum: ["HTTP/1.0", "HTTP/1.1"] }, (name, text) => {
  if (text === "HTTP/1.0" || text === "HTTP/1.1") return text;
  const advice = /^\d+$/.test(text) ? `; the port is given by itself: htbin ${text}` : "";
  throw new UsageError(`${name} takes HTTP/1.0 or HTTP/1.1, not '${text}'${advice}`);
});

/** `NAME: VALUE`, as often as it is given. */
export const headers: ValueType<readonly HeaderField[]> = many(
  { type: "string", pattern: "^[^:\\s]+:" },
  (name, text, previous = []) => {
    const at = text.indexOf(":");
    if (at < 1) {
      const example = name === "--header" ? "--header X-Name value" : '"X-Name: value"';
      throw new UsageError(`${name} takes a name and a value: ${example}`);
    }
    const value = text.slice(at + 1).replace(/^[ \t]+/, "");
    return [...previous, naming(name, () => responseField(text.slice(0, at), value))];
  },
);

/** A user name and its password, or the bcrypt hash of it. */
export type Credentials = readonly [user: string, password: string];

/** `USER:PASSWORD`, as often as it is given. What is wrong with it is not shown: it may be a password. */
export const credentials: ValueType<readonly Credentials[]> = many(
  { type: "string", pattern: "^[^:]+:." },
  (name, text, previous = []) => {
    const at = text.indexOf(":");
    if (at < 1 || at === text.length - 1) {
      throw new UsageError(`${name} takes a user and a password: ${name} ada:secret`);
    }
    const [user, password] = [text.slice(0, at), text.slice(at + 1)];
    naming(name, () => checkCredentials(user, password));
    return [...previous, [user, password]];
  },
);

/** File endings, with or without their dot, as often as they are given. */
export const endings: ValueType<readonly string[]> = many(
  TEXT,
  (name, text, previous = []) => [...previous, ending(name, text)],
);

/** `.EXT=PROGRAM ARGUMENTS`, as often as it is given. Words are parted by spaces; quotes keep them together. */
export const interpreters: ValueType<Readonly<Record<string, readonly string[]>>> = many(
  { type: "string", pattern: "^[^=]+=." },
  (name, text, previous = {}) => {
    const at = text.indexOf("=");
    const command = Array.from(
      text.slice(at + 1).matchAll(/"([^"]*)"|\S+/g),
      (match) => match[1] ?? match[0],
    );
    if (at < 1 || command.length === 0) {
      throw new UsageError(`${name} takes .EXT=PROGRAM, such as .php=php-cgi, not '${text}'`);
    }
    return { ...previous, [ending(name, text.slice(0, at))]: command };
  },
);

/** What `--cgi-env` collects: values to set, and names to inherit. */
export interface ScriptVariables {
  readonly set: Readonly<Record<string, string>>;
  readonly inherit: readonly string[];
}

/** `NAME=VALUE` sets a variable, `NAME` alone lets scripts inherit it. */
export const variables: ValueType<ScriptVariables> = many(
  { type: "string", pattern: "^[^=]" },
  (name, text, previous = { set: {}, inherit: [] }) => {
    const [, variable, value] = /^([^=\0]+)(?:=([^\0]*))?$/s.exec(text) ?? [];
    if (variable === undefined) {
      throw new UsageError(`${name} takes NAME=VALUE, or NAME to inherit it, not '${text}'`);
    }
    if (value === undefined) return { ...previous, inherit: [...previous.inherit, variable] };
    return { ...previous, set: { ...previous.set, [variable]: value } };
  },
);

function ending(name: string, text: string): string {
  const ending = text.replace(/^\*?\.?/, "");
  if (ending === "" || /[/\\]/.test(ending)) {
    throw new UsageError(`${name} takes a file ending, such as .cgi, not '${text}'`);
  }
  if (ending.includes(",")) throw new UsageError(`${name} takes one ending at a time, not '${text}'`);
  return `.${ending}`;
}

function notEmpty(name: string, text: string): string {
  if (text !== "") return text;
  throw new UsageError(`${name} needs a value that is not empty`);
}

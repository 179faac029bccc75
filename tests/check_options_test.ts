/** What is wrong with the options is said when a handler is made. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as hono from "../src/hono.ts";
import { cgi, explainCgi, serve, site, staticFiles } from "../mod.ts";

/** What JavaScript passes where TypeScript would have objected. */
// deno-lint-ignore no-explicit-any
type Anything = any;

function refuses(what: string, make: () => unknown, message: RegExp): void {
  test(what, async () => {
    await assert.rejects(async () => await make(), (error) => {
      assert.ok(error instanceof TypeError, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

const unknown: readonly (readonly [factory: string, make: (options: Anything) => unknown])[] = [
  ["staticFiles()", (options) => staticFiles({ root: ".", ...options })],
  ["cgi()", (options) => cgi({ root: ".", ...options })],
  ["site()", (options) => site({ directory: ".", ...options })],
  ["serve()", (options) => serve({ handler: () => undefined, ...options })],
  ["explainCgi()", (options) => explainCgi({ root: ".", ...options }, "/")],
  ["staticFiles()", (options) => hono.staticFiles({ root: ".", ...options })],
  ["cgi()", (options) => hono.cgi({ root: ".", ...options })],
];
for (const [factory, make] of unknown) {
  const name = factory.replace("()", "\\(\\)");
  refuses(
    `${factory} refuses an option that it does not know`,
    () => make({ colour: "green" }),
    new RegExp(`^Cannot use the option colour: unknown option of ${name}$`),
  );
  refuses(
    `${factory} takes a prototype's names for unknown`,
    () => make({ constructor: 1 }),
    /unknown option/,
  );
}

const close: readonly (readonly [make: () => unknown, name: string, meant: string])[] = [
  [() => staticFiles({ rot: "." } as Anything), "rot", "root"],
  [() => staticFiles({ root: ".", lisitng: true } as Anything), "lisitng", "listing"],
  [() => staticFiles({ root: ".", cleanURLs: true } as Anything), "cleanURLs", "cleanUrls"],
  [() => cgi({ root: ".", timeout: 5 } as Anything), "timeout", "timeouts"],
  [
    () => cgi({ root: ".", timeouts: { firstbyte: 5 } } as Anything),
    "timeouts.firstbyte",
    "timeouts.firstByte",
  ],
  [
    () => site({ directory: ".", static: { listings: true } } as Anything),
    "static.listings",
    "static.listing",
  ],
  [() => site({ directory: ".", cgi: { limit: {} } } as Anything), "cgi.limit", "cgi.limits"],
  [() => serve({ handler: () => undefined, hostName: "x" } as Anything), "hostName", "hostname"],
];
for (const [make, name, meant] of close) {
  refuses(
    `${name} is taken for a slip: ${meant}`,
    make,
    new RegExp(`: unknown option of .*, did you mean ${meant}\\?$`),
  );
}

const mistyped: readonly (readonly [make: () => unknown, message: string])[] = [
  [() => staticFiles("." as Anything), 'Cannot use staticFiles() with ".": its options are an object'],
  [() => staticFiles({ root: 5 } as Anything), "root: 5: it must be a string or a list, each a string"],
  [() => staticFiles({ root: ["a", 5] } as Anything), "root[1]: 5: it must be a string"],
  [() => staticFiles({ root: ".", listing: "yes" } as Anything), 'listing: "yes": it must be true or false'],
  [
    () => staticFiles({ root: ".", index: "a.html" } as Anything),
    'index: "a.html": it must be a list, each a string',
  ],
  [
    () => staticFiles({ root: ".", dotfiles: "alow" } as Anything),
    'dotfiles: "alow": it must be true or false or "deny"',
  ],
  [
    () => staticFiles({ root: ".", cache: null } as Anything),
    "cache: null: it must be a string or a number or an object",
  ],
  [
    () => staticFiles({ root: ".", cache: { default: null } } as Anything),
    "cache.default: null: it must be a string",
  ],
  [
    () => staticFiles({ root: ".", headers: { "x-a": "b" } } as Anything),
    "headers: an object: it must be a list",
  ],
  [
    () => staticFiles({ root: ".", headers: [{ path: "*" }] } as Anything),
    "Cannot use staticFiles() without the option headers[0].headers: it must be an object",
  ],
  [() => staticFiles({ root: ".", types: { ".x": 1 } } as Anything), 'types[".x"]: 1: it must be a string'],
  [() => staticFiles({ root: ".", log: console } as Anything), "log: an object: it must be a function"],
  [() => cgi({ root: ".", directories: "cgi-bin" } as Anything), 'directories: "cgi-bin": it must be a list'],
  [
    () => cgi({ root: ".", chunked: "refused" } as Anything),
    'chunked: "refused": it must be "spool" or "stream" or "refuse"',
  ],
  [() => cgi({ root: ".", timeouts: 5 } as Anything), "timeouts: 5: it must be an object"],
  [
    () => cgi({ root: ".", interpreters: { ".php": [1] } } as Anything),
    'interpreters[".php"][0]: 1: it must be a string',
  ],
  [
    () => cgi({ root: ".", user: { uid: 5 } } as Anything),
    "without the option user.gid: it must be a number",
  ],
  [() => site({} as Anything), "Cannot use site() without the option directory: it must be a string"],
  [
    () => site({ directory: ".", cgi: "yes" } as Anything),
    'cgi: "yes": it must be true or false or an object',
  ],
  [() => serve({} as Anything), "Cannot use serve() without the option handler: it must be a function"],
  [() => serve({ handler: () => undefined, port: "80" } as Anything), 'port: "80": it must be a number'],
];
for (const [make, message] of mistyped) {
  refuses(message, make, new RegExp(message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
}

test("what is undefined is not given", () => {
  staticFiles({ root: ".", listing: undefined, cache: undefined } as Anything);
  cgi({ root: ".", timeouts: { total: undefined }, user: undefined } as Anything);
});

test("a value is told in a few words: it may be a secret under a wrong name", () => {
  const secret = "x".repeat(60);
  assert.throws(() => staticFiles({ root: ".", listing: secret } as Anything), (error) => {
    assert.ok(!String(error).includes(secret));
    return true;
  });
});

/**
 * Settings from the environment and from a file: the same as their flags, which come before them.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseArguments } from "../../src/cli/command_line.ts";
import { settingName } from "../../src/cli/flags.ts";
import { settingsSchema } from "../../src/cli/schema.ts";
import type { Settings } from "../../src/cli/settings.ts";
import { FILE_SETTINGS, type Sources, variableName } from "../../src/cli/sources.ts";
import { UsageError } from "../../src/cli/usage_error.ts";

interface Given {
  readonly environment?: Readonly<Record<string, string>>;
  readonly file?: Readonly<Record<string, unknown>>;
  readonly path?: string;
}

function settingsOf(
  args: readonly string[],
  { environment = {}, file, path = "htbin.json" }: Given = {},
): Settings {
  const sources: Sources = {
    environment: (name) => environment[name],
    file: file === undefined ? null : { path, values: file },
  };
  const given = parseArguments(args, "");
  assert.ok(given.kind === "arguments");
  const { settings } = given.complete(sources);
  // Where they come from is not what they are.
  return { ...settings, file: null };
}

/** A value for each setting: as flags, as a variable, in a file. */
const SAMPLES: Readonly<Record<string, readonly [args: readonly string[], text: string, json: unknown]>> = {
  "port": [["8123"], "8123", 8123],
  "bind": [["--bind", "::"], "::", "::"],
  "directory": [["--directory", "/srv"], "/srv", "/srv"],
  "protocol": [["-p", "HTTP/1.0"], "HTTP/1.0", "HTTP/1.0"],
  "header": [["-H", "X-A", "b", "-H", "X-C: d, e"], '["X-A: b", "X-C: d, e"]', ["X-A: b", "X-C: d, e"]],
  "tls-cert": [["--tls-cert", "/c.pem"], "/c.pem", "/c.pem"],
  "tls-key": [["--tls-cert", "/c", "--tls-key", "/k"], "/k", "/k"],
  "tls-password-file": [["--tls-cert", "/c", "--tls-password-file", "/p"], "/p", "/p"],
  "tls-self-signed": [["--tls-self-signed"], "true", true],
  "health": [["--health"], "true", true],
  "drain": [["--drain", "5"], "5", 5],
  "open": [["--open"], "true", true],
  "qr": [["--qr"], "true", true],
  "grace": [["--grace", "2.5"], "2.5", 2.5],
  "workers": [["--workers", "2"], "2", 2],
  "auth": [["--auth", "a:b:c", "--auth", "d:e"], '["a:b:c", "d:e"]', ["a:b:c", "d:e"]],
  "auth-file": [["--auth-file", "/users"], "/users", "/users"],
  "cors": [["--cors"], "true", true],
  "cors-origin": [["--cors-origin", "http://a"], "http://a", "http://a"],
  "allow-host": [["--allow-host", "a.test"], "a.test", ["a.test"]],
  "cgi": [["--cgi"], "1", true],
  "cgi-dir": [["--cgi-dir", "a", "--cgi-dir", "b"], '["a","b"]', ["a", "b"]],
  "cgi-ext": [["--cgi-ext", ".cgi"], ".cgi", ".cgi"],
  "cgi-interpreter": [["--cgi-interpreter", ".php=php-cgi -q"], ".php=php-cgi -q", [".php=php-cgi -q"]],
  "cgi-user": [["--cgi-user", "www"], "www", "www"],
  "cgi-env": [["--cgi-env", "A=[1]", "--cgi-env", "HOME"], '["A=[1]", "HOME"]', ["A=[1]", "HOME"]],
  "cgi-timeout": [["--cgi-timeout", "1"], "1", 1],
  "cgi-idle-timeout": [["--cgi-idle-timeout", "0"], "0", 0],
  "cgi-total-timeout": [["--cgi-total-timeout", "9"], "9", 9],
  "cgi-max": [["--cgi-max", "3"], "3", 3],
  "cgi-queue": [["--cgi-queue", "0"], "0", 0],
  "cgi-pass-auth": [["--cgi-pass-auth"], "yes", true],
  "cgi-lenient": [["--cgi-lenient"], "true", true],
  "cgi-direct": [["--cgi-direct"], "on", true],
  "cgi-development": [["--cgi-development"], "on", true],
  "trust-proxy": [["--trust-proxy", "::1"], "::1", "::1"],
  "index": [["--index", "a", "--index", "b"], '["a", "b"]', ["a", "b"]],
  "http2": [["--no-http2"], "false", false],
  "listing": [["--no-listing"], "false", false],
  "dotfiles": [["--dotfiles"], "TRUE", true],
  "follow-symlinks": [["--follow-symlinks"], "true", true],
  "clean-urls": [["--clean-urls"], "true", true],
  "spa": [["--spa"], "true", true],
  "precompressed": [["--precompressed"], "true", true],
  "compress": [["--compress"], "true", true],
  "cache": [["--cache", "max-age=60"], "max-age=60", "max-age=60"],
  "content-type": [["--content-type", "text/x"], "text/x", "text/x"],
  "log": [["--log", "json"], "json", "json"],
  "quiet": [["--quiet"], "true", true],
  "ready-json": [["--ready-json"], "true", true],
};

/** What some of them cannot do without. */
const NEEDED: Readonly<Record<string, Given>> = {
  "tls-key": { environment: { HTBIN_TLS_CERT: "/c" }, file: { "tls-cert": "/c" } },
  "tls-password-file": { environment: { HTBIN_TLS_CERT: "/c" }, file: { "tls-cert": "/c" } },
};

test("every setting has a sample here", () => {
  assert.deepEqual(FILE_SETTINGS.map(settingName).sort(), Object.keys(SAMPLES).sort());
});

for (const declaration of FILE_SETTINGS) {
  const name = settingName(declaration);
  const variable = variableName(declaration);
  test(`${name}: the flag, ${variable} and the file say the same`, () => {
    const [args, text, json] = SAMPLES[name]!;
    const wanted = settingsOf(args);
    assert.notDeepEqual(wanted, settingsOf([]));
    assert.deepEqual(
      settingsOf([], { environment: { ...NEEDED[name]?.environment, [variable]: text } }),
      wanted,
    );
    assert.deepEqual(settingsOf([], { file: { ...NEEDED[name]?.file, [name]: json } }), wanted);
  });
}

test("the flag comes before the environment, the environment before the file", () => {
  const environment = {
    HTBIN_PORT: "2",
    HTBIN_CACHE: "environment",
    HTBIN_CGI_DIR: "environment",
    HTBIN_CORS: "0",
  };
  const file = { "port": 3, "cache": "file", "cgi-dir": ["file", "other"], "cors": true, "index": "file" };
  const both = settingsOf([], { environment, file });
  assert.equal(both.port, 2);
  assert.equal(both.site.static?.cache, "environment");
  assert.deepEqual(both.site.cgi, { directories: ["environment"], index: ["file"] });
  assert.equal(both.cors, null);
  assert.deepEqual(both.site.static?.index, ["file"]);
  const all = settingsOf(["1", "--cache", "flag", "--cgi-dir", "flag", "--cors"], { environment, file });
  assert.equal(all.port, 1);
  assert.equal(all.site.static?.cache, "flag");
  assert.deepEqual(all.site.cgi, { directories: ["flag"], index: ["file"] });
  assert.deepEqual(all.cors, {});
});

test("--no-NAME and --listing take back a switch of the file or the environment", () => {
  const switches = FILE_SETTINGS.filter(({ value }) => value === undefined).map(settingName);
  assert.ok(switches.length > 10);
  for (const name of switches) {
    const isOff = name === "listing";
    const file = { [name]: !isOff };
    const environment = { [`HTBIN_${name.toUpperCase().replaceAll("-", "_")}`]: String(!isOff) };
    const flag = isOff ? "--listing" : `--no-${name}`;
    assert.deepEqual(settingsOf([flag], { file }), settingsOf([flag]), name);
    assert.deepEqual(settingsOf([flag], { environment }), settingsOf([flag]), name);
    assert.equal(settingsOf([flag]).site.cgi, false, name);
  }
  assert.equal(settingsOf(["--no-cgi"], { file: { "cgi-dir": "a" } }).site.cgi, false);
});

test("an empty variable, and an empty list in the file, are as if they were not there", () => {
  const environment = { HTBIN_PORT: "", HTBIN_CGI: "", HTBIN_BIND: "" };
  assert.deepEqual(settingsOf([], { environment, file: { "cgi-dir": [], "$schema": "x" } }), settingsOf([]));
});

test("a path in a file starts at the file's folder", () => {
  const file = { "directory": "public", "auth-file": "../users", "tls-cert": "/etc/c.pem" };
  const { directory, auth, tls } = settingsOf([], { file, path: "conf/site.json" });
  assert.deepEqual([directory, auth?.file], ["conf/public", "conf/../users"]);
  assert.deepEqual(tls, { cert: "/etc/c.pem" });
  assert.equal(settingsOf([], { file }).directory, "public");
});

const WRONG: readonly (readonly [given: Given, message: string])[] = [
  [{ environment: { HTBIN_PORT: "http" } }, "HTBIN_PORT takes a port from 0 to 65535, not 'http'"],
  [{ environment: { HTBIN_PORT: "70000" } }, "HTBIN_PORT 70000 is too large: ports go from 0 to 65535"],
  [{ environment: { HTBIN_CGI: "maybe" } }, "HTBIN_CGI takes true or false, not 'maybe'"],
  [{ environment: { HTBIN_CGI_MAX: "0" } }, "HTBIN_CGI_MAX takes a whole number from 1, not '0'"],
  [
    { environment: { HTBIN_AUTH: "geheim" } },
    "HTBIN_AUTH takes a user and a password: HTBIN_AUTH ada:secret",
  ],
  [{ environment: { HTBIN_HEADER: "x" } }, 'HTBIN_HEADER takes a name and a value: "X-Name: value"'],
  [
    { environment: { HTBIN_CGI_DIR: '["a", "../x"]' } },
    'HTBIN_CGI_DIR: Cannot use the CGI directory "../x": it must be a path below the root, such as "cgi-bin", or "."',
  ],
  [
    { file: { "content-type": "html" } },
    'htbin.json: content-type: Cannot use "html" as a media type: it has the form "text/plain"',
  ],
  [{ file: { "port": "8000" } }, "htbin.json: port takes a number"],
  [{ file: { "port": 1.5 } }, "htbin.json: port takes a port from 0 to 65535, not '1.5'"],
  [{ file: { "port": null } }, "htbin.json: port takes a number"],
  [{ file: { "cgi": "yes" } }, "htbin.json: cgi takes true or false"],
  [{ file: { "cgi-max": 0 } }, "htbin.json: cgi-max takes a whole number from 1, not '0'"],
  [{ file: { "cgi-dir": [1] } }, "htbin.json: cgi-dir takes text in quotes, or a list of it"],
  [{ file: { "auth": { "ada": "geheim" } } }, "htbin.json: auth takes text in quotes, or a list of it"],
  [{ file: { "log": "xml" } }, "htbin.json: log takes common, combined, json, none, not 'xml'"],
  [{ file: { "cgi-dri": "x" } }, "htbin.json: unknown setting 'cgi-dri': did you mean cgi-dir?"],
  [{ file: { "explain": "/x" } }, "htbin.json: unknown setting 'explain': did you mean dotfiles?"],
  [{ file: { "config": "x" } }, "htbin.json: unknown setting 'config': did you mean auth-file?"],
];

for (const [given, message] of WRONG) {
  test(message, () => {
    assert.throws(() => settingsOf([], given), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.equal(error.message.replace(/did you mean .*$/, ""), message.replace(/did you mean .*$/, ""));
      assert.doesNotMatch(error.message, /geheim/);
      return true;
    });
  });
}

test("htbin.schema.json is what `npm run schema` writes", () => {
  assert.equal(readFileSync("htbin.schema.json", "utf8"), JSON.stringify(settingsSchema(), null, 2) + "\n");
});

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
}

/** Whether a value fits, as far as these schemas go. */
function fits(schema: Schema, value: unknown): boolean {
  if (schema.anyOf) return schema.anyOf.some((one) => fits(one, value));
  if (schema.enum) return schema.enum.includes(value);
  if (schema.type === "array") {
    return Array.isArray(value) && value.every((item) => fits(schema.items!, item));
  }
  if (schema.type === "string") {
    return typeof value === "string" && value.length >= (schema.minLength ?? 0) &&
      new RegExp(schema.pattern ?? "", "u").test(value);
  }
  if (schema.type === "boolean") return typeof value === "boolean";
  return typeof value === "number" && (schema.type === "number" || Number.isInteger(value)) &&
    value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
}

test("the schema takes what the command line takes, and not what it does not", () => {
  const { properties } = settingsSchema() as { properties: Readonly<Record<string, Schema>> };
  for (const [name, [, , json]] of Object.entries(SAMPLES)) assert.ok(fits(properties[name]!, json), name);
  for (const [{ file }] of WRONG) {
    for (const [name, json] of Object.entries(file ?? {})) {
      assert.ok(properties[name] === undefined || !fits(properties[name], json), name);
    }
  }
});

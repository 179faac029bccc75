/**
 * What serves files beside htbin: servers, JavaScript packages on their runtimes, and what a runtime's HTTP costs alone.
 *
 * @module
 */

import { join } from "node:path";
import type { Contender } from "./contender.ts";
import * as native from "./native_servers.ts";
import { BENCH, DOCUMENTS, installPackages, type Runtime, RUNTIMES, WORDS } from "./work.ts";

/** All cases but those of the limits. */
const ANY = /^/;

const SERVERS: readonly Contender[] = [
  {
    name: "nginx",
    needs: ["nginx"],
    version: ["-v"],
    cases: ANY,
    start: (setting) => native.nginx(setting),
  },
  {
    name: "nginx with open_file_cache",
    needs: ["nginx"],
    version: ["-v"],
    cases: /^(1k|100k|304)/,
    start: (setting) => native.nginx(setting, { cached: true }),
  },
  { name: "lighttpd", needs: ["lighttpd"], version: ["-v"], cases: ANY, start: native.lighttpd },
  {
    name: "Apache event",
    needs: ["apache2"],
    version: ["-v"],
    cases: ANY,
    start: (setting) => native.apache(setting, "event"),
  },
  { name: "Caddy", needs: ["caddy"], version: ["version"], cases: ANY, start: native.caddy },
  { name: "BusyBox", needs: ["busybox"], version: [], cases: ANY, start: native.busybox },
  { name: "Go net/http", needs: ["go"], version: ["version"], cases: /^[^ ]+$/, start: native.go },
  {
    name: "Python http.server",
    needs: ["python3"],
    version: ["-V"],
    cases: /^(?!304)/,
    start: (setting) => native.python(setting, []),
  },
];

/** Name of a package, and the runtimes it is made for. */
const PACKAGES: readonly (readonly [name: string, runtimes: readonly Runtime[]])[] = [
  ["sirv", ["Node"]],
  ["send", ["Node"]],
  ["serve-handler", ["Node"]],
  ["hono", ["Node", "Deno", "Bun"]],
  ["Bun.file", ["Bun"]],
];

/** All of them. */
export const STATIC_PEERS: readonly Contender[] = [
  ...SERVERS,
  ...PACKAGES.flatMap(([name, runtimes]) => runtimes.map((runtime) => javascript(name, runtime, /^[^ ]+$/))),
  ...RUNTIMES.map((runtime) => ({
    ...javascript("bare node:http", runtime, /^(1k|100k|304|HEAD|1k c=1)$/),
    paired: true,
  })),
];

function javascript(name: string, runtime: Runtime, cases: RegExp): Contender {
  return {
    name: `${name} on ${runtime}`,
    needs: [WORDS[runtime][0]!],
    version: ["--version"],
    cases,
    jit: true,
    start: ({ port }) => ({
      argv: [...WORDS[runtime], join(BENCH, "servers/static.mjs"), name, String(port), DOCUMENTS],
      env: { PACKAGES: join(installPackages(), "node_modules") },
    }),
  };
}

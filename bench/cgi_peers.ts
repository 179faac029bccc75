/**
 * What runs scripts beside htbin, and what the machine can do without any server.
 *
 * @module
 */

import { join } from "node:path";
import { program } from "../adapters/shared/launcher/program.ts";
import type { Contender, Limit } from "./contender.ts";
import * as native from "./native_servers.ts";
import { BENCH, DOCUMENTS, RUNTIMES, tool, WORDS } from "./work.ts";

/** Cases of scripts alone. */
const SCRIPTS_ONLY = /^(hello|post|blast)/;
const ANY = /^/;

/** All of them. */
export const CGI_PEERS: readonly (Contender | Limit)[] = [
  {
    name: "lighttpd mod_cgi",
    needs: ["lighttpd"],
    version: ["-v"],
    cases: ANY,
    start: (setting) => native.lighttpd(setting),
  },
  {
    name: "lighttpd mod_cgi, streaming",
    needs: ["lighttpd"],
    version: ["-v"],
    cases: /^(post|blast|1k while . prints? )/,
    start: (setting) => native.lighttpd(setting, { streaming: true }),
  },
  { name: "Go net/http/cgi", needs: ["go"], version: ["version"], cases: ANY, start: native.go },
  {
    name: "Apache prefork mod_cgi",
    needs: ["apache2"],
    version: ["-v"],
    cases: ANY,
    start: (setting) => native.apache(setting, "prefork"),
  },
  {
    name: "Apache event mod_cgid",
    needs: ["apache2"],
    version: ["-v"],
    cases: ANY,
    start: (setting) => native.apache(setting, "event"),
  },
  {
    name: "nginx and fcgiwrap",
    needs: ["nginx", "fcgiwrap"],
    version: ["-v"],
    cases: ANY,
    start: (setting) => native.nginx(setting, { scripts: true }),
  },
  { name: "BusyBox", needs: ["busybox"], version: [], cases: ANY, start: native.busybox },
  {
    name: "Python http.server --cgi",
    needs: ["python3"],
    version: ["-V"],
    cases: SCRIPTS_ONLY,
    start: (setting) => native.python(setting, ["--cgi"]),
  },
  ...RUNTIMES.map((runtime): Contender => ({
    name: `bare node:http and launcher on ${runtime}`,
    needs: [WORDS[runtime][0]!, "/usr/bin/python3"],
    version: ["--version"],
    cases: /^hello c=/,
    jit: true,
    paired: true,
    start: ({ port }) => ({
      argv: [...WORDS[runtime], join(BENCH, "servers/script.mjs"), String(port), DOCUMENTS],
      env: { LAUNCHER: program },
    }),
  })),
  {
    name: "vfork in C, no HTTP",
    needs: ["cc"],
    version: ["--version"],
    cases: /^hello/,
    command: ({ path, connections, seconds }, cores) => [
      tool("spawn"),
      `-c${connections}`,
      `-w${Math.min(cores, connections)}`,
      `-d${seconds}`,
      join(DOCUMENTS, path),
    ],
  },
];

/**
 * The flags of the command line, declared for the parser.
 *
 * @module
 */

import { Command, Option } from "commander";
import { LOG_FORMATS, type LogFormat } from "../log/format.ts";
import * as value from "./values.ts";

/** What the parser makes of the flags; those that were not given are absent. */
export interface Flags {
  readonly bind?: string;
  readonly directory?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsPasswordFile?: string;
  readonly grace: number;

  readonly cgi?: true;
  readonly cgiDir?: readonly string[];
  readonly cgiExt?: readonly string[];
  readonly cgiInterpreter?: Readonly<Record<string, readonly string[]>>;
  readonly cgiUser?: string;
  readonly cgiEnv?: value.ScriptVariables;
  readonly cgiTimeout?: number;
  readonly cgiIdleTimeout?: number;
  readonly cgiTotalTimeout?: number;
  readonly cgiMax?: number;
  readonly cgiQueue?: number;
  readonly cgiPassAuth?: true;
  readonly cgiDevelopment?: true;
  readonly explain?: string;
  readonly trustProxy?: readonly string[];

  readonly index?: readonly string[];
  readonly listing: boolean;
  readonly dotfiles?: true;
  readonly followSymlinks?: true;
  readonly cleanUrls?: true;
  readonly spa?: true;
  readonly precompressed?: true;
  readonly compress?: true;
  readonly cache?: string;
  readonly contentType?: string;

  readonly log: LogFormat | "none";
  readonly quiet?: true;
}

/** Flags that other servers have, and what they are here. */
export const FOREIGN_FLAGS: Readonly<Record<string, string>> = {
  "-p": "the port is given by itself: htbin 8000",
  "--port": "the port is given by itself: htbin 8000",
  "-a": "the address to listen on is --bind",
  "--address": "the address to listen on is --bind",
  "--host": "the address to listen on is --bind",
  "--hostname": "the address to listen on is --bind",
  "-l": "the address to listen on is --bind",
  "--listen": "the address to listen on is --bind",
  "--root": "the folder to serve is --directory",
  "-r": "the folder to serve is --directory",
  "--dir": "the folder to serve is --directory",
  "-s": "for a single-page application use --spa; to log failures only, --quiet",
  "--single": "for a single-page application use --spa",
  "--silent": "to log failures only use --quiet",
  "-v": "for the version use --version; each request is logged anyway",
};

/** A flag as the parser takes it, its line in the help, and what makes a value of its text (none: a switch). */
type Declaration = readonly [
  flags: string,
  help: string,
  parser?: (flag: string) => (text: string, previous?: never) => unknown,
  otherwise?: string | number,
];

const SERVER: readonly Declaration[] = [
  [
    "-b, --bind <address>",
    "address to listen on; 0.0.0.0 or :: for all networks (default: 127.0.0.1)",
    value.text,
  ],
  ["-d, --directory <path>", "folder to serve (default: the current one)", value.text],
  ["--tls-cert <file>", "serve HTTPS with this certificate (PEM)", value.text],
  ["--tls-key <file>", "its key (default: in the certificate's file)", value.text],
  ["--tls-password-file <file>", "the password of an encrypted key", value.text],
  ["--grace <seconds>", "time for open responses and scripts after Ctrl-C", value.seconds, 10],
];

const CGI: readonly Declaration[] = [
  ["--cgi", "run the scripts in /cgi-bin and /htbin"],
  ["--cgi-dir <path>", "folder of scripts instead; . for every folder (*)", value.texts],
  ["--cgi-ext <.ext>", "run files with this ending anywhere (*)", value.endings],
  [
    "--cgi-interpreter <.ext=prog>",
    "program that runs files with this ending (*)",
    value.interpreters,
  ],
  [
    "--cgi-user <name>",
    "user, or UID:GID, to run scripts as (default: your own, or nobody if you are root)",
    value.text,
  ],
  ["--cgi-env <name[=value]>", "set a variable, or let scripts inherit it (*)", value.variables],
  [
    "--cgi-timeout <seconds>",
    "limit for a script's headers (default: 60)",
    value.seconds,
  ],
  ["--cgi-idle-timeout <seconds>", "limit for silence after that (default: 60)", value.seconds],
  ["--cgi-total-timeout <seconds>", "limit for a whole script (default: none)", value.seconds],
  [
    "--cgi-max <n>",
    "scripts at a time (default: 4 per processor, at least 16)",
    (name) => value.count(name, 1),
  ],
  [
    "--cgi-queue <n>",
    "requests that may wait (default: 1024)",
    (name) => value.count(name, 0),
  ],
  ["--cgi-pass-auth", "show scripts the Authorization header"],
  ["--cgi-development", "show browsers on this machine why a script failed"],
  ["--trust-proxy <address>", "proxy to believe Forwarded headers of (*)", value.texts],
  ["--explain <url>", "tell what would run for this path, and how", value.text],
];

const FILES: readonly Declaration[] = [
  ["--index <name>", "page of a folder (*; default: index.html, index.htm)", value.texts],
  ["--no-listing", "404 for a folder without such a page"],
  ["--dotfiles", "serve names that begin with a dot"],
  ["--follow-symlinks", "serve what links lead to outside of the folder"],
  ["--clean-urls", "serve /page from page.html"],
  ["--spa", "answer navigation to nowhere with index.html"],
  ["--precompressed", "serve name.br, .zst or .gz in place of name"],
  ["--compress", "compress what has no such file"],
  ["--cache <value>", "Cache-Control of files (default: no-cache)", value.text],
  ["--content-type <type>", "media type of files with an unknown ending", value.text],
];

const OUTPUT: readonly Declaration[] = [
  [
    "--log <format>",
    `${LOG_FORMATS.join(", ")} or none`,
    (name) => value.oneOf(name, [...LOG_FORMATS, "none"]),
    "common",
  ],
  ["-q, --quiet", "log failures only"],
];

/** The parser. `version` is the text that `--version` prints. It writes through `print`, and throws to end. */
export function declareFlags(version: string, print: (text: string) => void): Command {
  const program = new Command("htbin");
  program
    .exitOverride()
    .configureOutput({
      writeOut: print,
      // Failures are told through the error that is thrown, on one line.
      writeErr: () => {},
      // Asking the terminal or the environment would need a permission on Deno, and make the text vary.
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .description("Serves the files of a folder over HTTP, and runs its CGI scripts.")
    .argument("[port]", "port to listen on; 0 for any (default: 8000, or the next free one)", value.parsePort)
    .addHelpText("after", "\n(*) may be given several times");
  declare(program, "Server:", SERVER);
  declare(program, "CGI scripts (each of these flags implies --cgi):", CGI);
  declare(program, "Files:", FILES);
  declare(program, "Output:", OUTPUT);
  return program
    .version(version, "-V, --version", "print the versions of htbin and of the runtime")
    .helpOption("-h, --help", "print this help");
}

function declare(program: Command, heading: string, declarations: readonly Declaration[]): void {
  program.optionsGroup(heading);
  for (const [flags, help, parser, otherwise] of declarations) {
    const option = new Option(flags, help);
    // The parser names the flag in its messages.
    if (parser !== undefined) {
      option.argParser<unknown>(parser(option.long ?? flags) as value.ValueParser<unknown>);
    }
    if (otherwise !== undefined) option.default(otherwise, String(otherwise));
    program.addOption(option);
  }
}

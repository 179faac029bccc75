/**
 * The settings of the command line, each declared once: for the parser, for its help, and for every other place that a
 * setting can come from.
 *
 * @module
 */

import type { HeaderField } from "../header_field.ts";
import { LOG_FORMATS, type LogFormat } from "../log/format.ts";
import * as value from "./values.ts";

/** What the flags come to; those that were not given are absent. */
export interface Flags {
  readonly config?: string | false;
  readonly bind?: string;
  readonly directory?: string;
  readonly protocol?: value.Protocol;
  readonly header?: readonly HeaderField[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsPasswordFile?: string;
  readonly tlsSelfSigned?: boolean;
  readonly http2: boolean;
  readonly health?: boolean;
  readonly drain: number;
  readonly grace: number;
  readonly workers: number;

  readonly auth?: readonly value.Credentials[];
  readonly authFile?: string;
  readonly cors?: boolean;
  readonly corsOrigin?: readonly string[];
  readonly allowHost?: readonly string[];

  readonly cgi?: boolean;
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
  readonly cgiPassAuth?: boolean;
  readonly cgiLenient?: boolean;
  readonly cgiDirect?: boolean;
  readonly cgiDevelopment?: boolean;
  readonly trustProxy?: readonly string[];
  readonly explain?: string;

  readonly index?: readonly string[];
  readonly listing: boolean;
  readonly dotfiles?: boolean;
  readonly followSymlinks?: boolean;
  readonly cleanUrls?: boolean;
  readonly spa?: boolean;
  readonly precompressed?: boolean;
  readonly compress?: boolean;
  readonly cache?: string;
  readonly contentType?: string;

  readonly log: LogFormat | "none";
  readonly quiet?: boolean;
  readonly readyJson?: boolean;
  readonly open?: boolean;
  readonly qr?: boolean;
}

/** A setting. */
export interface Declaration {
  /** Letter, name and value, as the parser has them: `-b, --bind <address>`. */
  readonly flags: string;
  /** Its line in the help. */
  readonly help: string;
  /** What it takes; a switch takes nothing. */
  readonly value?: value.ValueType<unknown>;
  readonly otherwise?: string | number;
  /** Where it may come from besides the command line. @default {"everywhere": the environment and a file} */
  readonly reach?: "nowhere" | "environment";
}

/** What a setting is called: `cgi-dir` for `--cgi-dir <path>`, `listing` for `--no-listing`. */
export function settingName({ flags }: Pick<Declaration, "flags">): string {
  return /--(?:no-)?([a-z\d-]+)/.exec(flags)?.[1] ?? flags;
}

/** Its name in {@linkcode Flags}. */
export function flagKey(declaration: Pick<Declaration, "flags">): keyof Flags {
  const key = settingName(declaration).replace(/-(.)/g, (_dash, letter: string) => letter.toUpperCase());
  return key as keyof Flags;
}

/** Whether it is a switch that has to be switched off. */
export function isOnByDefault({ flags }: Pick<Declaration, "flags">): boolean {
  return flags.includes("--no-");
}

/** A setting that takes a value. */
function valued(
  flags: string,
  help: string,
  value: value.ValueType<unknown>,
  otherwise?: string | number,
): Declaration {
  return { flags, help, value, ...(otherwise !== undefined && { otherwise }) };
}

/** A setting that is on or off. */
function toggle(flags: string, help: string): Declaration {
  return { flags, help };
}

/** All of them, under the headings of the help. */
export const DECLARATIONS: readonly (readonly [heading: string, declarations: readonly Declaration[]])[] = [
  ["Server:", [
    valued(
      "-b, --bind <address>",
      "address to listen on; 0.0.0.0 or :: for all networks (default: 127.0.0.1)",
      value.address,
    ),
    valued("-d, --directory <path>", "folder to serve (default: the current one)", value.path),
    valued(
      "-p, --protocol <version>",
      "HTTP/1.1, or HTTP/1.0 to close the connection after each response (default: HTTP/1.1)",
      value.protocol,
    ),
    valued("-H, --header <name value>", "send a header with every response (*)", value.headers),
    valued("--tls-cert <file>", "serve HTTPS with this certificate (PEM)", value.path),
    valued("--tls-key <file>", "its key (default: in the certificate's file)", value.path),
    valued("--tls-password-file <file>", "the password of an encrypted key", value.path),
    toggle("--tls-self-signed", "serve HTTPS with a certificate made for this run, for development"),
    toggle("--no-http2", "HTTP/1.1 alone, also where HTTPS could be HTTP/2 (on Node)"),
    toggle("--health", "answer probes at /.well-known/htbin/health"),
    valued("--drain <seconds>", "time from Ctrl-C on in which probes are told 503", value.seconds, 0),
    valued("--grace <seconds>", "time for open responses and scripts after Ctrl-C", value.seconds, 10),
    {
      ...valued("--config <file>", "settings as JSON (default: htbin.json, where that is)", value.path),
      reach: "environment",
    },
    valued("--workers <n>", "processes (threads on Deno) that answer requests", value.count(1), 1),
  ]],
  ["Access:", [
    valued(
      "--auth <user:password>",
      "ask for this password; the list of processes shows it to everybody on this machine (*)",
      value.credentials,
    ),
    valued("--auth-file <file>", "ask for one of the passwords in this file of htpasswd -B", value.path),
    toggle("--cors", "let the pages of every other site read the answers"),
    valued("--cors-origin <origin>", "of this site only, and with passwords and cookies (*)", value.origins),
    valued(
      "--allow-host <name>",
      "host name to answer to; .NAME for those below it too, '*' for any (*; default: any, " +
        "but for --bind 127.0.0.1 and the like only localhost and addresses)",
      value.hosts,
    ),
  ]],
  ["CGI scripts (each of these flags implies --cgi):", [
    toggle("--cgi", "run the scripts in /cgi-bin and /htbin"),
    valued("--cgi-dir <path>", "folder of scripts instead; . for every folder (*)", value.folders),
    valued("--cgi-ext <.ext>", "run files with this ending anywhere (*)", value.endings),
    valued(
      "--cgi-interpreter <.ext=prog>",
      "program that runs files with this ending (*)",
      value.interpreters,
    ),
    valued(
      "--cgi-user <name>",
      "user, or UID:GID, to run scripts as (default: your own, or nobody if you are root)",
      value.text,
    ),
    valued("--cgi-env <name[=value]>", "set a variable, or let scripts inherit it (*)", value.variables),
    valued("--cgi-timeout <seconds>", "limit for a script's headers (default: 60)", value.seconds),
    valued("--cgi-idle-timeout <seconds>", "limit for silence after that (default: 60)", value.seconds),
    valued("--cgi-total-timeout <seconds>", "limit for a whole script (default: none)", value.seconds),
    valued("--cgi-max <n>", "scripts at a time (default: 4 per processor, at least 16)", value.count(1)),
    valued("--cgi-queue <n>", "requests that may wait (default: 1024)", value.count(0)),
    toggle("--cgi-pass-auth", "show scripts the Authorization header"),
    toggle("--cgi-lenient", "take output without headers, and skip lines that are none"),
    toggle("--cgi-direct", "start scripts from the server's own process, never from a launcher"),
    toggle("--cgi-development", "show browsers on this machine why a script failed"),
    valued("--trust-proxy <address>", "proxy to believe Forwarded headers of (*)", value.proxies),
    {
      ...valued("--explain <url>", "tell what would run for this path, and how", value.text),
      reach: "nowhere",
    },
  ]],
  ["Files:", [
    valued(
      "--index <name>",
      "page of a folder, or script that answers for it (*; default: index.html, index.htm)",
      value.fileNames,
    ),
    toggle("--no-listing", "404 for a folder without such a page"),
    toggle("--dotfiles", "serve names that begin with a dot"),
    toggle("--follow-symlinks", "serve what links lead to outside of the folder"),
    toggle("--clean-urls", "serve /page from page.html"),
    toggle("--spa", "answer navigation to nowhere with index.html"),
    toggle("--precompressed", "serve name.br, .zst or .gz in place of name"),
    toggle("--compress", "compress what has no such file"),
    valued("--cache <value>", "Cache-Control of files (default: no-cache)", value.cacheControl),
    valued("--content-type <type>", "media type of files with an unknown ending", value.mediaType),
  ]],
  ["Output:", [
    valued(
      "--log <format>",
      `${LOG_FORMATS.join(", ")} or none`,
      value.oneOf([...LOG_FORMATS, "none"]),
      "common",
    ),
    toggle("-q, --quiet", "log failures only"),
    toggle("--ready-json", "say where it listens as one line of JSON"),
    toggle("--open", "open it in the browser"),
    toggle("--qr", "show its URL as a QR code, for a telephone's camera"),
  ]],
];

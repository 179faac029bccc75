/**
 * Servers that run the scripts of a folder: this one, and those that are installed here. Each has its own configuration
 * and listens on a free port.
 *
 * @module
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { cgi } from "../../src/cgi/mod.ts";
import { serve } from "../../src/serve.ts";
import { isRoot, until } from "../_runtime.ts";
import type { Installation } from "./_installation.ts";

/** A server that runs. */
export interface RunningHost {
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** A server. */
export interface Host {
  readonly name: string;
  /** Why it cannot be tried here, or `false`. */
  readonly missing: string | false;
  /** Whether the status is the script's. Python says 200 before it has started the script. */
  readonly hasStatus: boolean;
  /** Methods that it hands to scripts, besides GET, HEAD and POST. */
  readonly hasOtherMethods: boolean;
  /** Whether scripts see all fields of a request: Python hands a few over. */
  readonly hasFields: boolean;
  /** Whether scripts see If-None-Match: busybox keeps it to itself. */
  readonly hasConditions: boolean;
  start(installation: Installation): Promise<RunningHost>;
}

/** What there is to say of a server that does it all. */
export const complete = {
  missing: false,
  hasStatus: true,
  hasOtherMethods: true,
  hasFields: true,
  hasConditions: true,
} as const;
const HOSTNAME = "127.0.0.1";

/** Servers are where a user's own programs are not. */
const environment = () => ({ PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });

const htbin: Host = {
  ...complete,
  name: "htbin",
  async start({ root }) {
    const handler = cgi({ root, directories: ["cgi-bin"], user: null, log() {} });
    const server = await serve({ port: 0, handler, log() {} });
    return {
      url: server.url.replace(/\/$/, ""),
      async close() {
        await handler.close();
        await server.close(0);
      },
    };
  },
};

const APACHE_MODULES = "/usr/lib/apache2/modules";

const apache: Host = {
  ...complete,
  name: "Apache",
  missing: missing("apache2") ||
    (existsSync(`${APACHE_MODULES}/mod_cgi.so`) ? false : "Apache has no mod_cgi here"),
  async start({ root, scratch }) {
    const port = await freePort();
    const config = join(scratch, "apache.conf");
    const modules = {
      "mpm_prefork": "mod_mpm_prefork",
      "authz_core": "mod_authz_core",
      alias: "mod_alias",
      cgi: "mod_cgi",
    };
    await writeFile(
      config,
      [
        `ServerRoot "${scratch}"`,
        `ServerName ${HOSTNAME}`,
        `Listen ${HOSTNAME}:${port}`,
        ...Object.entries(modules).map(([name, file]) =>
          `LoadModule ${name}_module ${APACHE_MODULES}/${file}.so`
        ),
        ...(isRoot ? ["User #65534", "Group #65534"] : []),
        `PidFile ${scratch}/apache.pid`,
        `Mutex file:${scratch}`,
        `ErrorLog ${scratch}/Apache.log`,
        "StartServers 2",
        `DocumentRoot ${root}`,
        documentedConfiguration("apache", root),
      ].join("\n"),
    );
    return await launch(this.name, "apache2", ["-f", config, "-DFOREGROUND"], scratch, port);
  },
};

const lighttpd: Host = {
  ...complete,
  name: "lighttpd",
  missing: missing("lighttpd"),
  async start({ root, scratch }) {
    const port = await freePort();
    const config = join(scratch, "lighttpd.conf");
    await writeFile(
      config,
      [
        `server.bind = "${HOSTNAME}"`,
        `server.port = ${port}`,
        `server.upload-dirs = ("${scratch}")`,
        documentedConfiguration("lighttpd", root),
      ].join("\n"),
    );
    return await launch(this.name, "lighttpd", ["-D", "-f", config], scratch, port);
  },
};

const busybox: Host = {
  ...complete,
  name: "busybox",
  missing: missing("busybox", "httpd", "--help"),
  hasConditions: false,
  hasOtherMethods: false,
  async start({ root, scratch }) {
    const port = await freePort();
    return await launch(
      this.name,
      "busybox",
      ["httpd", "-f", "-p", `${HOSTNAME}:${port}`, "-h", root],
      scratch,
      port,
    );
  },
};

const python: Host = {
  ...complete,
  name: "Python",
  missing: missing("python3", "-c", "from http.server import CGIHTTPRequestHandler"),
  hasStatus: false,
  hasOtherMethods: false,
  hasFields: false,
  hasConditions: false,
  async start({ root, scratch }) {
    const port = await freePort();
    const args = ["-m", "http.server", "--cgi", "--bind", HOSTNAME, "--directory", root, String(port)];
    return await launch(this.name, "python3", args, scratch, port, root);
  },
};

/** All of them. */
export const hosts: readonly Host[] = [htbin, apache, lighttpd, busybox, python];

/** What `docs/cgi-script.md` tells users to write, for the folder `root`. */
function documentedConfiguration(language: string, root: string): string {
  const page = readFileSync("docs/cgi-script.md", "utf8");
  const [, block] = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "m").exec(page)!;
  return block!.replaceAll("/srv/www", root);
}

function missing(program: string, ...args: readonly string[]): string | false {
  const { error, status } = spawnSync(program, args.length > 0 ? args : ["-v"], {
    stdio: "ignore",
    env: environment(),
  });
  return error === undefined && status === 0
    ? false
    : `${program}${args.length > 0 ? ` ${args[0]}` : ""} is not here`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, HOSTNAME, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Starts a server, and resolves once it accepts connections. */
async function launch(
  name: string,
  program: string,
  args: readonly string[],
  scratch: string,
  port: number,
  cwd: string = scratch,
): Promise<RunningHost> {
  const log = join(scratch, `${name}.out`);
  const output = openSync(log, "a");
  const child = spawn(program, args, {
    cwd,
    env: environment(),
    stdio: ["ignore", output, output],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let isOver = false;
  ended.then(() => isOver = true);
  await until(async () => {
    if (isOver) throw new Error(`${name} has ended:\n${await readFile(log, "utf8")}`);
    return await accepts(port);
  }, `${name} listens`);
  return {
    url: `http://${HOSTNAME}:${port}`,
    close: () => stop(child, ended),
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOSTNAME);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** Ends the server and what it has started: busybox and Python leave their children alone. */
async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  await ended;
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {
    // Nothing is left.
  }
}

/** The recipes of `docs/recipes.md`: the files and commands of the page, run. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { runCommand, type RunningCommand, startCommand } from "./_command.ts";
import { connect, exchange, get, toLatin1 } from "./_http.ts";
import { type Kitchen, prepareRecipe, recipe } from "./_recipes.ts";
import { isRoot, runtime, until } from "./_runtime.ts";
import { temporaryFolder, write } from "./cgi/_temporary.ts";
import { command, missingProgram, mustRun } from "./programs/_command.ts";

const running: { stop(): Promise<unknown> }[] = [];
after(async () => {
  for (const one of running) await one.stop();
});

function prepare(heading: string): Kitchen {
  return prepareRecipe(recipe(heading), temporaryFolder());
}

async function serve(
  kitchen: Kitchen,
  ...changes: readonly (readonly [string, string])[]
): Promise<RunningCommand> {
  const server = await kitchen.serve(...changes);
  running.push(server);
  return server;
}

async function ask(server: { readonly url: string }, path: string): Promise<string> {
  return await (await fetch(new URL(path, server.url))).text();
}

/** As on a machine where nobody has configured git. */
function gitEnvironment(home: string): Record<string, string> {
  const who = { NAME: "A", EMAIL: "a@example.com" };
  const names = Object.entries(who).flatMap((
    [key, value],
  ) => [[`GIT_AUTHOR_${key}`, value], [`GIT_COMMITTER_${key}`, value]]);
  return { HOME: home, GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0", ...Object.fromEntries(names) };
}

const SHOW = `#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
echo "$REMOTE_ADDR $SERVER_NAME \${HTTPS:-off}"
`;

it("python -m http.server --cgi", async () => {
  const kitchen = prepare("`python -m http.server --cgi`");
  write(join(kitchen.folder, "srv/www/cgi-bin/show"), SHOW);
  const server = await serve(kitchen);
  assert.equal(await ask(server, "page.txt"), "a page\n");
  assert.equal(await ask(server, "cgi-bin/show"), "127.0.0.1 127.0.0.1 off\n");
});

describe("git", { skip: await missingProgram("git", "http-backend", "--help-all-is-unknown") }, () => {
  it("is cloned and pushed to with a password, and not without", async () => {
    const kitchen = prepare("git");
    const env = gitEnvironment(kitchen.folder);
    await kitchen.run("git init", env);
    // git insists on the user that it runs as.
    if (isRoot) await mustRun("chown", ["-R", "nobody", `${kitchen.folder}/srv/git`]);
    await serve(kitchen);
    await kitchen.run("git clone", env);
    const git = (...args: string[]) =>
      mustRun("git", ["-C", join(kitchen.folder, "project"), ...args], { env });
    await git("commit", "-q", "--allow-empty", "-m", "First");
    await git("push", "-q", "origin", "HEAD:main");
    assert.match(await git("ls-remote", "origin"), /refs\/heads\/main$/m);
    await git(
      "remote",
      "set-url",
      "origin",
      (await git("remote", "get-url", "origin")).replace("ada:1815@", ""),
    );
    await assert.rejects(git("ls-remote", "origin"), /could not read Username|Authentication failed/);
  });
});

const noGitweb = existsSync("/usr/share/gitweb/gitweb.cgi")
  ? await missingProgram("perl", "-MCGI", "-e", "1")
  : "gitweb is not installed here";

describe("gitweb", { skip: noGitweb }, () => {
  it("shows the repositories, and its style sheet", async () => {
    const kitchen = prepare("gitweb");
    const env = gitEnvironment(kitchen.folder);
    await mustRun("git", ["init", "-q", "--bare", join(kitchen.folder, "srv/git/project.git")], { env });
    if (isRoot) await mustRun("chown", ["-R", "nobody", `${kitchen.folder}/srv/git`]);
    await kitchen.run("cp ");
    const server = await serve(kitchen);
    const page = await ask(server, "cgi-bin/gitweb");
    assert.match(page, /href="\/cgi-bin\/gitweb\?p=project\.git/);
    const [, style] = /<link rel="stylesheet" [^>]*href="([^"]+)"/.exec(page)!;
    assert.match(await ask(server, style!), /font-family/);
  });
});

describe("PHP", { skip: await missingProgram("php-cgi", "-v") }, () => {
  it("runs files with its ending, and index.php for a folder", async () => {
    const kitchen = prepare("PHP");
    const source = "<?php echo $_SERVER['SCRIPT_NAME'], ' ', 6 * 7;";
    for (const name of ["any.php", "shop/index.php"]) {
      write(join(kitchen.folder, "srv/www", name), source, 0o644);
    }
    const server = await serve(kitchen);
    assert.equal(await ask(server, "any.php"), "/any.php 42");
    assert.equal(await ask(server, "shop/"), "/shop/index.php 42");
    assert.equal(await ask(server, "page.txt"), "a page\n");
  });
});

describe(
  "a WSGI application",
  { skip: await missingProgram("python3", "-c", "import wsgiref.handlers") },
  () => {
    it("answers", async () => {
      const server = await serve(prepare("A WSGI application"));
      assert.equal(await ask(server, "cgi-bin/app/some/path"), "Hello from /some/path\n");
    });
  },
);

/** Starts a program that listens on a port, and waits until it does. */
async function proxy(port: number, program: string, args: readonly string[], home: string): Promise<void> {
  const child = spawn(program, [...args], {
    env: { ...process.env, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, HOME: home },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => said += text);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  running.push({
    stop() {
      // Not SIGKILL: the workers of nginx would go on, and hold what this process waits for.
      child.kill("SIGTERM");
      return exited;
    },
  });
  await until(async () => {
    assert.equal(child.exitCode, null, said);
    const connection = await connect({ hostname: "127.0.0.1", port }).catch(() => null);
    connection?.close();
    return connection !== null;
  }, `${program} listens`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What must hold behind every proxy. */
async function behindProxy(kitchen: Kitchen, port: number, client: string): Promise<void> {
  const target = { hostname: "127.0.0.1", port };
  const asked = (path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: example.org\r\nX-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n`;
  assert.equal((await exchange(target, asked("/cgi-bin/show"))).text, `${client} example.org off\n`);
  // What the script has written is here before it writes more.
  const connection = await connect(target);
  await connection.send(asked("/cgi-bin/slow"));
  assert.equal((await connection.head()).status, 200);
  let seen = toLatin1(connection.take());
  await until(() => (seen += toLatin1(connection.take())).includes("one"), "the first line");
  writeFileSync(join(kitchen.folder, "go"), "");
  await until(() => (seen += toLatin1(connection.take())).includes("two"), "the second line");
  connection.close();
}

function writeScripts({ folder }: Kitchen): void {
  write(join(folder, "srv/www/cgi-bin/show"), SHOW);
  const wait = `while [ ! -e ${folder}/go ]; do sleep 0.02; done`;
  write(
    join(folder, "srv/www/cgi-bin/slow"),
    `#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\necho one\n${wait}\necho two\n`,
  );
}

describe("behind nginx", { skip: await missingProgram("nginx", "-v") }, () => {
  it("scripts see the client and the host, and are not held back", async () => {
    const kitchen = prepare("Behind nginx");
    const { folder } = kitchen;
    writeScripts(kitchen);
    await serve(kitchen);
    const port = await freePort();
    const part = join(folder, "part.conf");
    const path = "/etc/nginx/conf.d/htbin.conf";
    const text = recipe("Behind nginx").files.get(path)!;
    writeFileSync(part, kitchen.here(text).replace("listen 80;", `listen 127.0.0.1:${port};`));
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; pid ${folder}/pid; events {} http { access_log off; ${temporary} include ${part}; }`,
    );
    await proxy(port, "nginx", ["-e", "stderr", "-c", join(folder, "nginx.conf")], folder);
    await behindProxy(kitchen, port, "192.0.2.7");
  });
});

describe("behind Caddy", { skip: await missingProgram("caddy", "version") }, () => {
  it("scripts see the client and the host, and are not held back", async () => {
    const kitchen = prepare("Behind Caddy");
    const { folder } = kitchen;
    writeScripts(kitchen);
    await serve(kitchen);
    const port = await freePort();
    const text = recipe("Behind Caddy").files.get("/etc/caddy/Caddyfile")!;
    const own = kitchen.here(text).replace(/^example.org/, `http://example.org:${port}`);
    writeFileSync(join(folder, "Caddyfile"), `{\n\tadmin off\n}\n${own}`);
    await proxy(
      port,
      "caddy",
      ["run", "--adapter", "caddyfile", "--config", join(folder, "Caddyfile")],
      folder,
    );
    // What a client says of itself, Caddy does not hand on.
    await behindProxy(kitchen, port, "127.0.0.1");
  });
});

const noSocket = runtime.name === "node"
  ? await missingProgram("perl", "-e", "use Socket; use POSIX")
  : "Node alone can";
const noAnalyze = await missingProgram("systemd-analyze", "--version");

describe("systemd", () => {
  const { files } = recipe("systemd");
  const service = files.get("/etc/systemd/system/htbin.service")!;

  it("takes the units", { skip: noAnalyze }, async () => {
    const folder = temporaryFolder();
    write(join(folder, "htbin"), "#!/bin/sh\n");
    for (const [path, text] of files) {
      const name = path.replace(/.*\//, "");
      writeFileSync(join(folder, name), text.replace("/usr/local/bin/htbin", join(folder, "htbin")));
    }
    for (const name of ["htbin.service", "htbin.socket"]) {
      const { code, stderr } = await command("systemd-analyze", ["verify", join(folder, name)]);
      assert.deepEqual([code, stderr], [0, ""], name);
    }
  });

  it("hands a socket over", { skip: noSocket }, async () => {
    const folder = temporaryFolder();
    write(join(folder, "srv/www/page.txt"), "a page\n", 0o644);
    const words = /^ExecStart=\S+ (.*) 8000$/m.exec(service)![1]!.replace("/srv", `${folder}/srv`).split(" ");
    const server = await startCommand([...words, "--allow-host", "example.org"], { socket: true });
    running.push(server);
    assert.equal(
      (await exchange(server.address, get("/page.txt").replace(/Host: .*/, "Host: example.org"))).status,
      200,
    );
  });
});

describe("a container", { skip: await missingProgram("node", "--version") }, () => {
  it("serves with its command, and its check tells whether it does", async () => {
    const folder = temporaryFolder();
    write(join(folder, "srv/www/page.txt"), "a page\n", 0o644);
    const { text } = recipe("A container").blocks.find(({ language }) => language === "dockerfile")!;
    const [, ...args] = JSON.parse(/^CMD (.*)$/m.exec(text)![1]!) as string[];
    const [program, ...check] = JSON.parse(/^HEALTHCHECK CMD (.*)$/m.exec(text)![1]!) as [
      string,
      ...string[],
    ];
    const server = await startCommand(
      args.map((word) => word === "8000" ? "0" : word.replace("/srv", `${folder}/srv`)),
    );
    running.push(server);
    const { port } = server.address;
    const checked = () => command(program, check.map((word) => word.replace(":8000", `:${port}`)));
    assert.equal((await checked()).code, 0);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/page.txt`)).text(), "a page\n");
    await server.stop();
    assert.equal((await checked()).code, 1);
  });
});

const noKubectl = await missingProgram("kubectl", "kustomize", "--help");

describe("Kubernetes", () => {
  const { text } = recipe("Kubernetes").blocks.find(({ language }) => language === "yaml")!;

  it("tells probes that the end is near, and answers until then", async () => {
    const folder = temporaryFolder();
    write(join(folder, "srv/www/page.txt"), "a page\n", 0o644);
    const [, ...args] = JSON.parse(/args: (\[[^\]]*\])/.exec(text)![1]!.replace(/,\s*\]/, "]")) as string[];
    const paths = [...text.matchAll(/path: (\S+), port/g)].map(([, path]) => path!);
    assert.equal(paths.length, 2);
    const server = await startCommand(
      args.map((word) => word === "8000" ? "0" : word.replace("/srv", `${folder}/srv`)),
    );
    running.push(server);
    const status = async (path: string) =>
      (await exchange({ ...server.address, hostname: "127.0.0.1" }, get(path))).status;
    for (const path of paths) assert.equal(await status(path), 200);
    server.signal("SIGTERM");
    await until(async () => await status(paths[0]!) === 503, "503 for the probe");
    assert.equal(await status("/page.txt"), 200);
    server.signal("SIGTERM");
    assert.equal((await server.exited).code, 0);
  });

  it("is a manifest", { skip: noKubectl }, async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "site.yaml"), text);
    writeFileSync(join(folder, "kustomization.yaml"), "resources: [site.yaml]\n");
    const out = await mustRun("kubectl", ["kustomize", folder]);
    assert.deepEqual([...out.matchAll(/^kind: (\w+)/gm)].map(([, kind]) => kind).sort(), [
      "Deployment",
      "Service",
    ]);
  });
});

describe("one file without a runtime", () => {
  const { blocks } = recipe("One file, without a runtime");
  const skips = {
    bun: runtime.name === "bun" ? false : "Bun makes it",
    deno: runtime.name !== "deno"
      ? "Deno makes it"
      : process.env["DENORT_BIN"] === undefined
      ? "Deno has to fetch denort for it; DENORT_BIN says where one is"
      : false,
  };
  for (const name of ["bun", "deno"] as const) {
    it(`${name} makes one that serves and runs scripts`, { skip: skips[name] }, async () => {
      const folder = temporaryFolder();
      write(join(folder, "site/page.txt"), "a page\n", 0o644);
      write(join(folder, "site/cgi-bin/show"), SHOW);
      const line = blocks.map(({ text }) => text.replace(/\\\n\s*/g, "")).find((text) =>
        text.startsWith(name)
      )!;
      const file = join(folder, "htbin");
      const [, ...args] = line.trim().split(" ");
      const outAt = args.findIndex((word) => /^--out/.test(word)) + 1;
      args[outAt] = file;
      await mustRun(process.execPath, args.map((word) => word.startsWith("jsr:") ? "mod.ts" : word));
      const version = await runCommand(["--version"], { program: file, cwd: folder });
      assert.match(version.stdout, new RegExp(`^htbin \\S+ \\(${name} `, "i"));
      for (const workers of [[], ["--workers", "2"]]) {
        const server = await startCommand(["--cgi", "--directory", join(folder, "site"), ...workers, "0"], {
          program: file,
          cwd: folder,
        });
        running.push(server);
        assert.equal(await ask(server, "page.txt"), "a page\n");
        assert.equal(await ask(server, "cgi-bin/show"), "127.0.0.1 127.0.0.1 off\n");
      }
    });
  }
});

it("every file that the page links to is there", () => {
  const page = readFileSync("docs/recipes.md", "utf8");
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-")
  );
  for (const [, target] of page.matchAll(/\]\(([^)]+)\)/g)) {
    if (target!.startsWith("#")) assert.ok(headings.includes(target!.slice(1)), target);
    else assert.ok(existsSync(join("docs", target!)), target);
  }
});

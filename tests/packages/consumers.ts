/**
 * New projects that use the package, one for each runtime and registry: it installs, their code compiles in the
 * strictest mode, and runs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { documentedExamples } from "../_documented.ts";
import { startExample } from "../_example.ts";
import type { Fixture } from "./_fixture.ts";
import { programs, run } from "./_run.ts";

/** A project in which the package is installed. */
interface Project {
  readonly folder: string;
  /** The command that runs a module of it. */
  command(module: string): readonly [program: string, ...args: string[]];
}

/** Examples that are for every runtime. */
const EXAMPLES = ["library.ts", "hono.ts"];

/** A Hono app as a script, whose environment has types. */
const SCRIPT = `import { Hono } from "hono";
import { runAsCgi, type ScriptConnection } from "htbin/cgi-script";

const app = new Hono<{ Bindings: ScriptConnection }>();
app.get("*", (c) => c.text(\`\${c.req.path} for \${c.env.remote?.hostname}\`));
await runAsCgi(app.fetch);
`;

/** Tests the projects. */
export function testConsumers(fixture: () => Fixture): void {
  test("a Node project installs, compiles and runs it", async (t) => {
    const project = await nodeProject(fixture(), "node", ["servers/node_http.ts", "servers/srvx.ts"]);
    await usePackage(project);
    const htbin = join(project.folder, "node_modules/.bin/htbin");
    assert.match((await run(htbin, ["--version"])).stdout, /^htbin \d+\.\d+\.\d+ \(Node\.js /);
    const asked = process.env["HTBIN_NODES"]?.split(",") ?? [];
    for (const version of new Set(["22", "24", ...asked])) {
      const skip = asked.includes(version) ? false : `HTBIN_NODES=${version} takes it from npm, 100 MB`;
      await t.test(`also with Node ${version}`, { skip }, async () => {
        const node = await installNode(await fixture().folder("runtime"), version);
        await usePackage({ ...project, command: (module) => [node, module.replace(/ts$/, "js")] });
      });
    }
  });

  test("an empty Bun project adds the archive, and ten lines serve", async () => {
    const { packed, registry } = fixture();
    const folder = await fixture().folder("bun");
    const env = { NPM_CONFIG_REGISTRY: registry.npm, BUN_INSTALL_CACHE_DIR: join(folder, ".cache") };
    await copyFile(packed.path, join(folder, "htbin.tgz"));
    await run(programs.bun, ["add", "./htbin.tgz", "hono", "@types/bun"], { cwd: folder, env });
    const project: Project = { folder, command: (module) => [programs.bun, module] };
    await writeProgram(project, ["servers/bun_serve.ts", "servers/bun_routes.ts"]);
    await compile(folder, { types: ["bun"], module: "preserve", moduleResolution: "bundler", noEmit: true });
    await usePackage(project);
    const { stdout } = await run(programs.bun, ["x", "htbin", "--version"], { cwd: folder, env });
    assert.match(stdout, /^htbin \d+\.\d+\.\d+ \(/);
  });

  for (const [name, prefix] of [["npm", "npm:htbin"], ["JSR", "jsr:@htbin/htbin"]] as const) {
    test(`a Deno project imports it from ${name}, checks and runs it`, async () => {
      const { registry } = fixture();
      const folder = await fixture().folder("deno");
      const env = {
        NPM_CONFIG_REGISTRY: registry.npm,
        JSR_URL: registry.jsr,
        DENO_DIR: join(folder, ".deno"),
      };
      const imports = { "htbin": prefix, "htbin/": `${prefix.replace(":", ":/")}/`, "hono": "npm:hono" };
      await writeFile(join(folder, "deno.json"), JSON.stringify({ imports }));
      const deno = ["-A", "--no-prompt"];
      const project: Project = {
        folder,
        command: (module) => ["env", ...assignments(env), programs.deno, "run", ...deno, module],
      };
      await writeProgram(project, ["servers/deno_serve.ts"]);
      await run(programs.deno, ["check", "."], { cwd: folder, env });
      await usePackage(project);
      for (const command of name === "JSR" ? [prefix, `${prefix}/cli`] : [prefix]) {
        const { stdout } = await run(programs.deno, ["run", ...deno, command, "--version"], {
          cwd: folder,
          env,
        });
        assert.match(stdout, /^htbin \d+\.\d+\.\d+ \(Deno /);
      }
      assert.deepEqual(registry.missing, []);
    });
  }
}

async function nodeProject(
  { registry, folder: makeFolder }: Fixture,
  name: string,
  more: readonly string[],
): Promise<Project> {
  const folder = await makeFolder(name);
  const project: Project = {
    folder,
    command: (module) => [process.env["NODE"] ?? "node", module.replace(/ts$/, "js")],
  };
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  const packages = ["htbin", "hono", "srvx", "@hono/node-server", "@types/node"];
  const flags = [`--registry=${registry.npm}`, `--cache=${join(folder, ".npm")}`, "--no-audit", "--no-fund"];
  await run("npm", ["install", ...flags, ...packages], { cwd: folder });
  await writeProgram(project, more);
  await compile(folder, { types: ["node"] });
  return project;
}

/** Puts the examples into the project, and a module that imports all that there is. */
async function writeProgram({ folder }: Project, examples: readonly string[]): Promise<void> {
  for (const path of [...EXAMPLES, ...examples]) {
    const code = await readFile(join("examples", path), "utf8");
    await writeFile(
      join(folder, path.replace("servers/", "")),
      code.replace(/(?<=port: |listen\()8000/, "0"),
    );
  }
  await writeFile(join(folder, "script.ts"), SCRIPT);
  // What the documentation shows compiles too.
  for (const [at, { code }] of documentedExamples().entries()) {
    await writeFile(join(folder, `documented_${at}.ts`), `${code}\nexport {};\n`);
  }
  const { exports } = JSON.parse(await readFile("package.json", "utf8")) as {
    exports: Record<string, string>;
  };
  const names = Object.keys(exports).map((name) => join("htbin", name));
  const imports = names.map((name, at) => `import type * as entry${at} from "${name}";`);
  const uses = names.map((_name, at) => `typeof entry${at}`);
  await writeFile(join(folder, "all.ts"), `${imports.join("\n")}\nexport type All = ${uses.join(" & ")};\n`);
  await mkdir(join(folder, "public"));
  await writeFile(join(folder, "public/index.html"), "<p>A page</p>\n");
  await mkdir(join(folder, "cgi-bin"));
  const script = join(folder, "cgi-bin/hello.sh");
  await writeFile(script, '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\nHello from $REMOTE_ADDR\\n"\n');
  await chmod(script, 0o755);
}

/** Type-checks the project as strictly as there is, declarations of packages included. */
async function compile(folder: string, options: Readonly<Record<string, unknown>>): Promise<void> {
  const compilerOptions = {
    target: "es2022",
    lib: ["es2022"],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    ...options,
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  await run(programs.tsc, ["-p", "."], { cwd: folder }).catch((error: Error) => {
    // `@types/bun` wants a newer `@types/node` than that of the oldest Node.
    const errors = error.message.split("\n").filter((line) => /^\S+\(\d+,\d+\): error/.test(line));
    const ours = errors.filter((line) => !/^node_modules\/(?:@types|bun-types)\//.test(line));
    if (errors.length === 0 || ours.length > 0) throw error;
  });
}

/** Runs the examples in the project, and asks them. */
async function usePackage(project: Project): Promise<void> {
  const { folder, command } = project;
  await useScript(project);
  for (const example of EXAMPLES) {
    const server = await startExample(command(example), folder);
    try {
      const ask = async (path: string) => await (await fetch(new URL(path, server.url))).text();
      assert.equal(await ask("/status"), '{"ok":true}');
      assert.equal(await ask("/"), "<p>A page</p>\n");
      assert.equal(await ask("/cgi-bin/hello.sh"), "Hello from 127.0.0.1\n");
    } finally {
      await server.stop();
    }
  }
}

/** Runs a Hono app of the project as a server would that starts scripts. */
async function useScript({ folder, command }: Project): Promise<void> {
  const variables = {
    GATEWAY_INTERFACE: "CGI/1.1",
    REQUEST_METHOD: "GET",
    PATH_INFO: "/a",
    REMOTE_ADDR: "192.0.2.1",
  };
  const { stdout, stderr } = await run("env", [...assignments(variables), ...command("script.ts")], {
    cwd: folder,
  });
  // Deno says what it takes from a registry for the first time.
  assert.equal(stderr.replace(/^Download .*\n/gm, ""), "");
  assert.match(stdout, /^Status: 200 OK\r\n[^]*\r\n\r\n\/a for 192\.0\.2\.1$/);
}

async function installNode(folder: string, version: string): Promise<string> {
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefix", folder, `node@${version}`]);
  const node = resolve(folder, "node_modules/node/bin/node");
  assert.match((await run(node, ["--version"])).stdout, new RegExp(`^v${version}\\.`));
  return node;
}

function assignments(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

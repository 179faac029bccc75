/** The scripts that `docs/cgi-script.md` shows, with the first lines that it shows, run by the servers that are here. */

import assert from "node:assert/strict";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { runtime } from "../_runtime.ts";
import { command } from "../programs/_command.ts";
import { hosts, type RunningHost } from "./_hosts.ts";
import { install, type Installation } from "./_installation.ts";

const page = await readFile("docs/cgi-script.md", "utf8");
const [app, plain] = Array.from(page.matchAll(/^```js\n(#!.*\n[^]*?)^```/gm), ([, code]) => code as string);
const name = { deno: "Deno", bun: "Bun", node: "Node" }[runtime.name];
const [, shebang = ""] = new RegExp(`^\\| ${name} +\\| \`(#!.*?)\``, "m").exec(page) ?? [];

/** The example with this runtime's first line. `env` finds the program in the folder that the test has made. */
function forRuntime(code: string, line = shebang): string {
  return code.replace(/^#!.*/, line).replace('"htbin/cgi-script"', '"SCRIPT"');
}

describe("the scripts of docs/cgi-script.md", () => {
  let installation: Installation;
  const { PATH } = process.env;

  before(async () => {
    installation = await install({ "app.mjs": forRuntime(app!), "plain.mjs": forRuntime(plain!) });
    await symlink(installation.program, join(installation.scratch, runtime.name));
    // What servers find first.
    process.env["PATH"] = `${installation.scratch}:${PATH}`;
  });
  after(async () => {
    process.env["PATH"] = PATH;
    await installation.remove();
  });

  it("answer by hand", async () => {
    const path = join(installation.root, "cgi-bin/app.mjs");
    const { code, stdout, stderr } = await command(path, ["/users/ada"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^Status: 200 OK\r\n[^]*\r\n\r\n\{"name":"ada","from":"127\.0\.0\.1"\}$/);
  });

  for (const host of hosts) {
    it(`answer under ${host.name}`, { skip: host.missing }, async () => {
      const running: RunningHost = await host.start(installation);
      try {
        const ask = (path: string, init: RequestInit = {}) =>
          fetch(`${running.url}/cgi-bin/${path}`, { redirect: "manual", ...init });
        const user = await ask("app.mjs/users/ada");
        assert.deepEqual(await user.json(), { name: "ada", from: "127.0.0.1" });
        const noted = await ask("app.mjs/notes", {
          method: "POST",
          body: new URLSearchParams({ name: "ada" }),
        });
        const location = new URL(noted.headers.get("location") as string, running.url);
        assert.equal(location.pathname, "/cgi-bin/app.mjs/users/ada");
        await noted.text();
        assert.equal(await (await ask("plain.mjs/x")).text(), "GET /x from 127.0.0.1\n");
      } finally {
        await running.close();
      }
    });
  }
});

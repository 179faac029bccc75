/**
 * `docs/command-line.md` says what the command line does: its tables are made of the flags, its examples run.
 */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, test } from "node:test";
import { formatEvent } from "../../src/log/format.ts";
import { commandLine, runCommand, startCommand } from "../_command.ts";
import { FLAGS_PAGE, unformatted, withFlagTables } from "../_flag_tables.ts";
import { isRoot } from "../_runtime.ts";
import { makeCertificate } from "../contract/_certificate.ts";
import { makeFolder, script } from "./_folder.ts";
import { runHere } from "./_in_process.ts";

const PAGE = readFileSync(FLAGS_PAGE, "utf8");

test("its tables are what `npm run schema` writes", () => {
  assert.equal(unformatted(withFlagTables(PAGE)), unformatted(PAGE));
});

test("it has every flag of --help, and no other", async () => {
  const { stdout } = await runHere(["--help"]);
  const helped = Array.from(stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z\d-]+)/gm), ([, flag]) => flag);
  assert.ok(helped.length > 50);
  const rows = Array.from(PAGE.matchAll(/^\| (?:`-\w`, )?`(--[a-z\d-]+)[^`]*`/gm), ([, flag]) => flag);
  assert.deepEqual(rows.sort(), helped.sort());
  // What the text speaks of is there, too, or is the opposite of what is there.
  const opposites = helped.flatMap((flag) => [flag!.replace("--", "--no-"), flag!.replace("--no-", "--")]);
  const known = [...helped, ...opposites, "--allow-env", "--no-NAME"];
  for (const [flag] of PAGE.matchAll(/(?<![\w-])--[A-Za-z][A-Za-z\d-]*/g)) {
    assert.ok(known.includes(flag), flag);
  }
});

test("its keys of a request are those of --log json", () => {
  const line = formatEvent({
    type: "access",
    time: new Date(),
    requestId: "1",
    remote: null,
    user: null,
    method: "GET",
    target: "/",
    protocol: "HTTP/1.1",
    status: 200,
    bytes: 0,
    complete: true,
    durationMs: 1,
    script: null,
    pid: null,
    code: null,
    signal: null,
    referer: null,
    userAgent: null,
  }, "json");
  const [, section = ""] = PAGE.split("| Key ");
  const [table = ""] = section.split("\n\n");
  const keys = Array.from(
    table.matchAll(/^\| (`[^|]*)\|/gm),
    ([, cell]) => Array.from(cell!.matchAll(/`(\w+)`/g), ([, key]) => key),
  ).flat();
  assert.deepEqual(keys, Object.keys(JSON.parse(line)));
});

/** The lines that start with `htbin`, maybe after variables, without their comments. */
const EXAMPLES = Array.from(PAGE.matchAll(/^```sh\n([^]*?)^```/gm), ([, block]) => block!.trim().split("\n"))
  .flat()
  .map((line) => line.replace(/ +# .*/, ""));

describe("each of its examples runs", () => {
  const folder = makeFolder({
    "index.html": "HOME",
    "start.html": "START",
    "public/index.html": "PUBLIC",
    "conf/site.json": '{ "directory": "../public", "port": 0 }',
    "users": "ada:$2b$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2\n",
    "cgi-bin/hello": script("echo HELLO"),
    "bin/xdg-open": "#!/bin/sh\n",
  });
  const certificate = makeCertificate();
  before(() => {
    mkdirSync(join(folder.path, "bin"), { recursive: true });
    const [program, args] = commandLine([]);
    const quoted = [program, ...args].map((word) => `'${word}'`).join(" ");
    writeFileSync(join(folder.path, "bin/htbin"), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
    if (certificate === null) return;
    const { cert, key, encryptedKey, passphrase } = certificate;
    const files = {
      "cert.pem": cert,
      "key.pem": key,
      "locked.pem": encryptedKey,
      "password.txt": passphrase,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, name), text);
  });
  after(() => {
    folder.remove();
    certificate?.remove();
  });

  function obstacle(line: string): string | false {
    if (line.includes(".pem") && certificate === null) return "openssl is not installed";
    if (line.includes("--cgi-user") && !isRoot) return "only root may become somebody else";
    return false;
  }

  it("there are enough of them", () => assert.ok(EXAMPLES.length > 30, String(EXAMPLES.length)));

  for (const line of EXAMPLES) {
    it(line, { skip: obstacle(line) }, async () => {
      const [, variables = "", words] = /^((?:[A-Z_]+=(?:'[^']*'|\S+) )*)(htbin.*)$/.exec(line) ?? [];
      assert.ok(words !== undefined, "it is not a command of htbin's");
      const env = Object.fromEntries(
        Array.from(
          variables.matchAll(/([A-Z_]+)=(?:'([^']*)'|(\S+)) /g),
          ([, name, quoted, bare]) => [name!, quoted ?? bare!] as const,
        ),
      );
      // Any port that is free, where the page has one or none.
      const anyPort = words.replace(/ \d{4}$/, "").replace(/$/, words.includes("--config") ? "" : " 0");
      const options = {
        program: "/bin/sh",
        cwd: folder.path,
        env: { ...env, PATH: `${join(folder.path, "bin")}:/usr/local/bin:/usr/bin:/bin` },
      };
      if (line.includes("--explain")) {
        const { code, stdout, stderr } = await runCommand(["-c", `exec ${words}`], options);
        assert.deepEqual([code, stderr], [0, ""]);
        assert.match(stdout, /^script +.*\/cgi-bin\/hello$/m);
        return;
      }
      const server = await startCommand(["-c", `exec ${anyPort}`], options);
      try {
        const { port, hostname } = server.address;
        assert.ok(port > 0 && hostname.length > 0);
      } finally {
        // Twice: one of them drains.
        server.signal("SIGINT");
        server.signal("SIGINT");
        assert.equal((await server.stop()).code, 0);
      }
      assert.doesNotMatch(server.stderr(), /error/);
    });
  }
});

/** What is started to run a script. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createDiagnosis } from "../../src/cgi/diagnosis.ts";
import { createInterpreters, type Start, type StartRefusal } from "../../src/cgi/interpreter.ts";
import type { CgiOptions } from "../../src/cgi/options.ts";
import { parseEnvCall, parseProgramHead } from "../../src/cgi/shebang.ts";
import { type FakeProcesses, fakeProcesses, programFiles, windowsFiles } from "./_fakes.ts";
import { script } from "./_call.ts";

const files = programFiles({
  "/usr/bin/php-cgi": "ELF",
  "/usr/bin/python3": "ELF",
  "/usr/bin/perl": "ELF",
  "/bin/perl": "ELF",
  "/usr/bin/env": "ELF",
  "/bin/sh": "ELF",
  "/opt/not-executable/php-cgi": "text",
  "/opt/folder/php-cgi/x": "x",
  "/tools/run": "ELF",
}, { "/opt/not-executable/php-cgi": 0o644 });
const path = "/opt/not-executable:/opt/folder:relative::/usr/bin:/bin";
const environment = { PATH: path };

function start(
  interpreters: NonNullable<CgiOptions["interpreters"]>,
  filename: string,
  options: CgiOptions = {},
): Promise<Start | StartRefusal> {
  return createInterpreters({ interpreters, ...options }, files, fakeProcesses({ environment })).findStart(
    filename,
  );
}

describe("configured interpreters", () => {
  const cases: readonly (readonly [string, NonNullable<CgiOptions["interpreters"]>, string, unknown])[] = [
    ["found in PATH", { ".php": "php-cgi" }, "/s/a.php", ["/usr/bin/php-cgi", ["/s/a.php"]]],
    ["with arguments (B18)", { ".py": ["python3", "-u", "-B"] }, "/s/a.py", ["/usr/bin/python3", [
      "-u",
      "-B",
      "/s/a.py",
    ]]],
    ["by path", { ".x": "/tools/run" }, "/s/a.x", ["/tools/run", ["/s/a.x"]]],
    ["by relative path", { ".x": "./tools/../tools/run" }, "/s/a.x", ["/tools/run", ["/s/a.x"]]],
    ["in any case", { ".PHP": "php-cgi" }, "/s/a.pHp", ["/usr/bin/php-cgi", ["/s/a.pHp"]]],
    ["not for the ending alone", { ".php": "php-cgi" }, "/s/.php", ["/s/.php", []]],
    ["not in the folder's name", { ".php": "php-cgi" }, "/s.php/a", ["/s.php/a", []]],
    ["longest ending first", { ".php": "php-cgi", ".inc.php": "perl" }, "/s/a.inc.php", ["/usr/bin/perl", [
      "/s/a.inc.php",
    ]]],
    ["only for ASCII", { ".php": "php-cgi" }, "/s/a.p\u212ap", ["/s/a.p\u212ap", []]],
    ["none", {}, "/s/a.php", ["/s/a.php", []]],
    ["missing by name", { ".rb": "ruby" }, "/s/a.rb", [
      502,
      `the interpreter ruby is in none of the folders of the scripts' PATH (${path})`,
    ]],
    ["missing by path", { ".rb": "/no/ruby" }, "/s/a.rb", [
      502,
      "the interpreter /no/ruby is not there, or not executable",
    ]],
  ];
  for (const [name, interpreters, filename, expected] of cases) {
    it(name, async () => {
      const found = await start(interpreters, filename);
      assert.deepEqual(
        "refused" in found ? [found.refused, found.reason] : [found.program, found.args],
        expected,
      );
    });
  }
  it("are looked up in the PATH that scripts get", async () => {
    const found = await start({ ".pl": "perl" }, "/s/a.pl", { env: { PATH: "/bin" } });
    assert.equal("program" in found && found.program, "/bin/perl");
  });
  it("are not looked up for each request", async () => {
    const counted = programFiles({ "/bin/perl": "ELF" });
    const interpreters = createInterpreters(
      { interpreters: { ".pl": "perl" } },
      counted,
      fakeProcesses({ environment: { PATH: "/bin" } }),
    );
    await interpreters.findStart("/s/a.pl");
    const before = counted.calls.stat;
    await interpreters.findStart("/s/b.pl");
    assert.equal(counted.calls.stat, before);
  });
  it("are found once they are installed", async () => {
    const later = programFiles({});
    const interpreters = createInterpreters(
      { interpreters: { ".pl": "perl" } },
      later,
      fakeProcesses({ environment: { PATH: "/bin" } }),
    );
    assert.ok("refused" in await interpreters.findStart("/s/a.pl"));
    later.nodes.set("/bin/perl", { content: "ELF" });
    assert.deepEqual(await interpreters.findStart("/s/a.pl"), { program: "/bin/perl", args: ["/s/a.pl"] });
  });
});

describe("the first bytes", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const cases: readonly (readonly [string, unknown])[] = [
    ["#!/bin/sh\necho", ["/bin/sh", null]],
    ["#!/bin/sh", ["/bin/sh", null]],
    ["#! /bin/sh  -e  x \n", ["/bin/sh", "-e  x"]],
    ["#!\t/usr/bin/env\tpython3\n", ["/usr/bin/env", "python3"]],
    ["#!/bin/sh\r\n", ["/bin/sh\r", null]],
    ["#!\n", "text"],
    ["echo hello\n", "text"],
    ["caf\u00e9", "text"],
    ["\u{feff}#!/bin/sh\n", "marked"],
    ["", "empty"],
    ["\x7fELF\x02\x01\x01\x00", "binary"],
    ["MZ\x00", "binary"],
  ];
  for (const [text, expected] of cases) {
    it(JSON.stringify(text), () => {
      const head = parseProgramHead(bytes(text));
      assert.deepEqual(
        head.kind === "shebang" ? [head.shebang.program, head.shebang.argument] : head.kind,
        expected,
      );
    });
  }
});

describe("what env runs", () => {
  const cases: readonly (readonly [string | null, unknown])[] = [
    ["python3", ["python3", []]],
    ["-S deno run -A", ["deno", ["run", "-A"]]],
    ["-Sdeno run", ["deno", ["run"]]],
    ["--split-string=perl -w", ["perl", ["-w"]]],
    ["-vS perl -w", ["perl", ["-w"]]],
    [`-S node "a b" 'c d' e\\ f "g\\"h"`, ["node", ["a b", "c d", "e f", 'g"h']]],
    ["-S  perl   -T  ", ["perl", ["-T"]]],
    [`-S a"b c"d`, ["ab cd", []]],
    // One argument is one word.
    ["python3 -u", ["python3 -u", []]],
    ["-i python3", null],
    ["-S -i python3", null],
    ["-S A=1 python3", null],
    ["-S ${HOME}/x", null],
    [`-S "open`, null],
    ["-S", null],
    [null, null],
  ];
  for (const [argument, expected] of cases) {
    it(String(argument), () => {
      const call = parseEnvCall(argument);
      assert.deepEqual(call && [call.program, call.args], expected);
    });
  }
});

describe("on Windows", () => {
  const windows = windowsFiles({
    "C:\\s\\env.py": "#!/usr/bin/env python3\r\nprint()\r\n",
    "C:\\s\\split.ts": "#!/usr/bin/env -S deno run -A\n",
    "C:\\s\\perl.pl": "#!/usr/bin/perl -w\r\n",
    "C:\\s\\path.rb": "#!C:\\Ruby\\bin\\ruby.exe\n",
    "C:\\s\\none.py": "print()\n",
    "C:\\s\\lost.py": "#!/usr/bin/lua\n",
    "C:\\s\\run.bat": "@echo off",
    "C:\\s\\run.CMD": "@echo off",
    "C:\\s\\run.exe": "MZ",
    "C:\\Python\\python.exe": "MZ",
    "C:\\bin\\perl.exe": "MZ",
    "C:\\bin\\deno.exe": "MZ",
    "C:\\Ruby\\bin\\ruby.exe": "MZ",
  });
  const interpreters = createInterpreters(
    { interpreters: { ".conf": "perl" } },
    windows,
    fakeProcesses({ user: null, environment: { PATH: "C:\\Python;C:\\bin" } }),
  );
  const cases: readonly (readonly [string, unknown])[] = [
    ["env.py", ["C:\\Python\\python.exe", ["C:\\s\\env.py"]]],
    ["split.ts", ["C:\\bin\\deno.exe", ["run", "-A", "C:\\s\\split.ts"]]],
    ["perl.pl", ["C:\\bin\\perl.exe", ["-w", "C:\\s\\perl.pl"]]],
    ["path.rb", ["C:\\Ruby\\bin\\ruby.exe", ["C:\\s\\path.rb"]]],
    ["run.exe", ["C:\\s\\run.exe", []]],
    ["x.conf", ["C:\\bin\\perl.exe", ["C:\\s\\x.conf"]]],
    ["none.py", 502],
    ["lost.py", 502],
    ["run.bat", 403],
    ["run.CMD", 403],
  ];
  for (const [name, expected] of cases) {
    it(name, async () => {
      const found = await interpreters.findStart(`C:\\s\\${name}`);
      assert.deepEqual("refused" in found ? found.refused : [found.program, found.args], expected);
    });
  }
});

describe("the diagnosis", () => {
  const nobody = { uid: 65534, gid: 65534 };
  const asRoot: FakeProcesses = {
    user: { uid: 0, gid: 0 },
    users: { nobody },
    environment: { PATH: "/usr/bin" },
  };
  const site = "/site/cgi-bin";
  const tree = programFiles({
    "/bin/sh": "ELF",
    "/usr/bin/env": "ELF",
    "/usr/bin/python3": "ELF",
    [`${site}/fine`]: "#!/bin/sh\n",
    [`${site}/text`]: "echo hello\n",
    [`${site}/empty`]: "",
    [`${site}/marked`]: "\u{feff}#!/bin/sh\n",
    [`${site}/cr`]: "#!/bin/sh\r\necho\r\n",
    [`${site}/cr-env`]: "#!/usr/bin/env python3\r\n",
    [`${site}/cr-option`]: "#!/bin/sh -e\r\n",
    [`${site}/lost`]: "#!/usr/bin/pyhton3\n",
    [`${site}/relative`]: "#!python3\n",
    [`${site}/env`]: "#!/usr/bin/env python3\n",
    [`${site}/env-lost`]: "#!/usr/bin/env -S ruby -w\n",
    [`${site}/unreadable`]: "#!/bin/sh\n",
    [`${site}/binary-unreadable`]: "\x7fELF\0\0",
    [`${site}/plain`]: "#!/bin/sh\n",
    "/root/site/x": "#!/bin/sh\n",
  }, {
    "/root": 0o700,
    [`${site}/unreadable`]: 0o711,
    [`${site}/binary-unreadable`]: 0o711,
    [`${site}/plain`]: 0o644,
  });
  const cases: readonly (readonly [string, string | null, FakeProcesses?])[] = [
    ["fine", null],
    ["fine", null, asRoot],
    ["text", "no #! line: add one, such as #!/bin/sh, or name an interpreter for its ending"],
    ["empty", "the file is empty"],
    ["marked", `a byte order mark before the #! line: sed -i '1s/^\\xef\\xbb\\xbf//' ${site}/marked`],
    ["cr", `\\r in the #! line (Windows line ends): sed -i 's/\\r$//' ${site}/cr`],
    ["cr-env", `\\r in the #! line (Windows line ends): sed -i 's/\\r$//' ${site}/cr-env`],
    ["cr-option", `\\r in the #! line (Windows line ends): sed -i 's/\\r$//' ${site}/cr-option`],
    ["lost", "the interpreter /usr/bin/pyhton3 in the #! line is not there: install it, or correct the line"],
    ["relative", "the #! line names python3 without its folder: write it as /usr/bin/env python3"],
    ["env", null, asRoot],
    [
      "env-lost",
      "the #! line asks env for ruby, which is in none of the folders of the scripts' PATH (/usr/bin)",
      asRoot,
    ],
    ["plain", `not executable: chmod +x ${site}/plain`],
    [
      "unreadable",
      `started as root, scripts run as nobody, who cannot read ${site}/unreadable (mode 711): chmod o+r ${site}/unreadable`,
      asRoot,
    ],
    ["binary-unreadable", null, asRoot],
    ["unreadable", null],
  ];
  for (const [name, expected, fake] of cases) {
    it(`of ${name}${fake === undefined ? "" : ", run by root"}`, async () => {
      const filename = `${site}/${name}`;
      const diagnose = createDiagnosis({}, tree, fakeProcesses(fake));
      assert.equal(await diagnose({ ...script, filename, program: filename }), expected);
    });
  }
  it("of a folder that the other user cannot enter", async () => {
    const diagnose = createDiagnosis({}, tree, fakeProcesses(asRoot));
    const filename = "/root/site/x";
    assert.equal(
      await diagnose({ ...script, filename, program: filename }),
      "started as root, scripts run as nobody, who cannot enter /root (mode 700): chmod o+x /root",
    );
  });
  it("of an interpreted script that the other user cannot read", async () => {
    const diagnose = createDiagnosis({ user: "5:5" }, tree, fakeProcesses(asRoot));
    const filename = `${site}/unreadable`;
    assert.match(
      await diagnose({ ...script, filename, program: "/bin/sh", args: [filename] }) ?? "",
      /^scripts run as 5:5, who cannot read /,
    );
  });
  it("of a working directory that is gone", async () => {
    const diagnose = createDiagnosis({}, tree, fakeProcesses());
    assert.equal(await diagnose({ ...script, cwd: "/gone" }), "the working directory /gone is not there");
  });
  it("of an interpreter that is gone", async () => {
    const diagnose = createDiagnosis({}, tree, fakeProcesses());
    assert.equal(
      await diagnose({ ...script, program: "/gone/php" }),
      "the interpreter /gone/php is not there",
    );
  });
  it("never fails", async () => {
    const broken = { ...tree, stat: () => Promise.reject(new Error("EIO")) };
    assert.equal(await createDiagnosis({}, broken, fakeProcesses())(script), null);
  });
});

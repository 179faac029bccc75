/** What an operator reads of a script that fails: one line, what happened, what to do, and nothing of it twice. */

import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { after, before, it } from "node:test";
import type { MessageEvent } from "../../src/log/events.ts";
import { needsRoot, nobody } from "../_runtime.ts";
import { type Served, serveScripts } from "./_served.ts";
import { temporaryFolder, write } from "./_temporary.ts";

const folder = join(temporaryFolder(), "cgi-bin");
const skip = process.platform === "win32" && "Windows looks at no #! line";

interface Case {
  readonly source: string;
  readonly mode?: number;
  /** The whole message. */
  readonly says: string;
  readonly asNobody?: true;
}

const script = (name: string) => join(folder, name);

const CASES: Readonly<Record<string, Case>> = {
  "no-line": {
    source: "echo hello\n",
    says:
      "answered 502: cannot start: no #! line: add one, such as #!/bin/sh, or name an interpreter for its ending",
  },
  "empty": { source: "", says: "answered 502: cannot start: the file is empty" },
  "no-interpreter": {
    source: "#!/no/such/program\n",
    says: "answered 502: cannot start: the interpreter /no/such/program in the #! line is not there: " +
      "install it, or correct the line",
  },
  "folder-as-interpreter": {
    source: "#!/tmp\n",
    says: "answered 403: cannot start: the interpreter /tmp in the #! line is no program: correct the line",
  },
  "file-as-interpreter": {
    source: "#!/etc/passwd\n",
    says:
      "answered 403: cannot start: the interpreter /etc/passwd in the #! line is not executable: correct the line",
  },
  "windows-lines": {
    source: "#!/bin/sh\r\necho\r\n",
    says: `answered 502: cannot start: \\r in the #! line (Windows line ends): sed -i 's/\\r$//' ${
      script("windows-lines")
    }`,
  },
  "relative-interpreter": {
    source: "#!python3\n",
    says:
      "answered 502: cannot start: the #! line names python3 without its folder: write it as /usr/bin/env python3",
  },
  "not-executable": {
    source: "#!/bin/sh\n",
    mode: 0o644,
    says: `/not-executable: answered 403: not executable: chmod +x ${script("not-executable")}`,
  },
  "private": {
    source: "#!/bin/sh\n",
    mode: 0o700,
    asNobody: true,
    says: `/private: answered 403: scripts run as ${nobody.uid}:${nobody.gid}, who cannot execute ${
      script("private")
    } (mode 700): chmod o+rx ${script("private")}`,
  },
  "unreadable": {
    source: "#!/bin/sh\n",
    mode: 0o711,
    asNobody: true,
    says:
      `answered 502: the script wrote nothing (exit status N); scripts run as ${nobody.uid}:${nobody.gid}, ` +
      `who cannot read ${script("unreadable")} (mode 711): chmod o+r ${script("unreadable")}`,
  },
};

let own: Served;
let other: Served | null = null;

before(async () => {
  for (const [name, { source, mode }] of Object.entries(CASES)) write(script(name), source, mode);
  own = await serveScripts({ root: folder });
  if (!needsRoot) other = await serveScripts({ root: folder, user: nobody });
});
after(async () => {
  await own.close();
  await other?.close();
});

for (const [name, { says, asNobody }] of Object.entries(CASES)) {
  it(`of ${name}`, { skip: skip || (asNobody && needsRoot) }, async () => {
    const served = asNobody ? other! : own;
    const [, status = ""] = /answered (\d+)/.exec(says) ?? [];
    assert.equal((await served.get(`/${name}`)).status, Number(status));
    const message = await served.event((event): event is MessageEvent =>
      event.type === "message" && `${event.script} ${event.message}`.includes(script(name))
    );
    assert.equal(message.message.replace(/exit status \d+/, "exit status N"), says);
  });
}

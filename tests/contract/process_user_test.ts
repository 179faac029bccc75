/**
 * What every adapter owes: whom programs run as.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { isRoot, needsRoot, runtime, temporaryDirectory } from "../_runtime.ts";
import { awaitText, contract, isReason, outputOf, sh, statFields, untilLaunched } from "./_processes.ts";
import { probe, writeProgram } from "./_programs.ts";

const { processes } = runtime;

contract("user: its numbers, no other groups, a group of its own", { skip: needsRoot }, async (t, way) => {
  const directory = await temporaryDirectory(t);
  const user = { uid: 12345, gid: 23456 };
  if (way === "launched") await untilLaunched(user);
  const child = await sh("id -u; id -g; id -G; cat /proc/$$/stat; env", { user, cwd: directory });
  const [uid, gid, groups, stat = "", ...env] = (await outputOf(child)).split("\n");
  assert.deepEqual([uid, gid, groups], ["12345", "23456", "23456"]);
  assert.equal(statFields(stat)[3], `${child.pid}`);
  assert.deepEqual(env.filter((line) => !/^(PWD|PATH|_|OLDPWD|SHLVL)=/.test(line)), [""]);

  const sleeper = await sh("sleep 60 & echo up; wait", { user });
  const reader = sleeper.stdout.getReader();
  await awaitText(reader, "up");
  assert.equal(sleeper.stop("TERM"), true);
  assert.deepEqual(await sleeper.exited, { code: null, signal: "SIGTERM" });
  assert.equal((await reader.read()).done, true);
  await sleeper.stderr.cancel();

  const secret = await writeProgram(directory, "secret", "#!/bin/sh\n", 0o700);
  await assert.rejects(sh("", { program: secret, user }), isReason("denied", "12345"));
});

contract("user: the groups this process is in are dropped", {
  skip: needsRoot || (!existsSync("/usr/bin/setpriv") && "there is no setpriv"),
}, async (_t, way) => {
  const wrapper = ["/usr/bin/setpriv", "--groups", "7,8"];
  const groupsOf = (met: unknown) => /^Groups:(.*)$/m.exec(String(met))?.[1]?.trim();
  const [own, dropped] = await Promise.all([
    probe(wrapper, way, ""),
    probe(wrapper, way, "12345:23456"),
  ]);
  assert.equal(groupsOf(own["met"]), "7 8");
  assert.equal(groupsOf(dropped["met"]), "");
  assert.match(String(dropped["met"]), /^Uid:\s*12345\s+12345\s+12345\s+12345$/m);
  assert.match(String(dropped["met"]), /^Gid:\s*23456\s+23456\s+23456\s+23456$/m);
});

contract("user: only root may choose", { skip: isRoot && "root may" }, async () => {
  await assert.rejects(sh("exit 0", { user: { uid: 1, gid: 1 } }), isReason("denied"));
  const own = await sh("id -u", { user: processes.user ?? null });
  assert.equal(await outputOf(own), `${processes.user?.uid}\n`);
});

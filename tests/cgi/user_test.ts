/** Which user scripts run as. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeUser, resolveUser } from "../../src/cgi/user.ts";
import type { UserIdentity } from "../../src/runtime.ts";
import { runtime } from "../_runtime.ts";
import { fakeProcesses } from "./_fakes.ts";

const nobody = { uid: 99, gid: 98 };
const www = { uid: 33, gid: 33 };
const users = { nobody, www };
const asRoot = fakeProcesses({ user: { uid: 0, gid: 0 }, users });
const asMe = fakeProcesses({ user: { uid: 1000, gid: 1000 }, users });
const onWindows = fakeProcesses({ user: null });
const untold = fakeProcesses({ user: undefined });

describe("resolveUser()", () => {
  const cases: readonly (readonly [string, string | UserIdentity | null | undefined, UserIdentity | null])[] =
    [
      ["nobody when root", undefined, nobody],
      ["root when told so", null, null],
      ["a name", "www", www],
      ["two numbers", "7:8", { uid: 7, gid: 8 }],
      ["one number", "7", { uid: 7, gid: 7 }],
      ["an identity", { uid: 7, gid: 8 }, { uid: 7, gid: 8 }],
      ["its own numbers", "0:0", null],
    ];
  for (const [name, user, expected] of cases) {
    it(`gives root ${name}`, async () => assert.deepEqual(await resolveUser(user, asRoot), expected));
  }
  it("knows nobody without a user list", async () => {
    const bare = fakeProcesses({ user: { uid: 0, gid: 0 } });
    assert.deepEqual(await resolveUser(undefined, bare), { uid: 65534, gid: 65534 });
  });
  it("takes the group of a number from the user list", async () => {
    const listed = fakeProcesses({ user: { uid: 0, gid: 0 }, users: { "33": { uid: 33, gid: 5 } } });
    assert.deepEqual(await resolveUser("33", listed), { uid: 33, gid: 5 });
  });
  it("changes nothing for anybody else", async () => {
    assert.equal(await resolveUser(undefined, asMe), null);
    assert.equal(await resolveUser(null, asMe), null);
    assert.equal(await resolveUser("1000:1000", asMe), null);
    assert.equal(await resolveUser(undefined, onWindows), null);
  });
  it("refuses to guess where it is not told who it is itself: it may be root", async () => {
    await assert.rejects(resolveUser(undefined, untold), /Cannot tell whether this server is root/);
    assert.equal(await resolveUser(null, untold), null);
  });
  it("refuses what cannot be", async () => {
    const refused = async (user: string | UserIdentity, processes: typeof asRoot, message: RegExp) => {
      await assert.rejects(
        resolveUser(user, processes),
        (error) => error instanceof TypeError && message.test(error.message),
      );
    };
    await refused("nosuch", asRoot, /^Cannot run scripts as nosuch: there is no such user$/);
    await refused("www", asMe, /^Cannot run scripts as www: only a server that was started as root/);
    await refused("www", onWindows, /no user numbers/);
    await refused("www", untold, /Cannot tell whether this server is root.*--allow-sys=uid,gid/);
    await refused("4294967295:0", asRoot, /not the numbers/);
    await refused({ uid: -1, gid: 0 }, asRoot, /not the numbers/);
    await refused({ uid: 1.5, gid: 0 }, asRoot, /not the numbers/);
    await refused({ uid: 1, gid: NaN }, asRoot, /not the numbers/);
  });
  it(
    "finds this system's nobody",
    { skip: runtime.processes.user === null && "no users with numbers" },
    async () => {
      const found = await runtime.processes.findUser("nobody");
      const root = { ...asRoot, findUser: runtime.processes.findUser };
      assert.deepEqual(await resolveUser(undefined, root), found ?? { uid: 65534, gid: 65534 });
    },
  );
});

describe("describeUser()", () => {
  it("says once what everybody should know", () => {
    assert.equal(describeUser(undefined, nobody, asRoot), "started as root: scripts run as nobody (99:98)");
    assert.equal(describeUser("www", www, asRoot), "scripts run as www (33:33)");
    assert.equal(describeUser("33:33", www, asRoot), "scripts run as 33:33");
    assert.equal(describeUser(www, www, asRoot), "scripts run as 33:33");
    assert.match(describeUser(null, null, asRoot) ?? "", /scripts run as root/);
    assert.equal(describeUser(undefined, null, asMe), null);
  });
});

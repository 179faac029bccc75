/**
 * git's own CGI program, `git http-backend`, behind a script in `cgi-bin`, and git as its client.
 *
 * The tests build on each other: what one has pushed the next one clones.
 */

import assert from "node:assert/strict";
import { createHash, randomFillSync } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { missingProgram, mustRun, temporaryFolder } from "./_command.ts";
import { type ServedSite, serveSite } from "./_served_site.ts";

const SIZE = 24 * 1024 * 1024;

describe(
  "git-http-backend",
  { skip: await missingProgram("git", "http-backend", "--help-all-is-unknown") },
  () => {
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    let server: ServedSite;
    let remote: string;
    let bare: string;
    let digest: string;
    const requests: { readonly url: string; readonly headers: Headers }[] = [];

    /** As on a machine where nobody has configured git. */
    const env = (): Record<string, string> => ({
      HOME: folder.path,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_AUTHOR_NAME: "A", // The client's identity.
      GIT_AUTHOR_EMAIL: "a@example.com",
      GIT_COMMITTER_NAME: "A",
      GIT_COMMITTER_EMAIL: "a@example.com",
    });
    const path = (name: string) => join(folder.path, name);
    const git = (name: string, ...args: string[]) =>
      mustRun("git", ["-C", path(name), ...args], { env: env() });
    const asked = (header: string, service: string) =>
      requests.filter(({ url }) => url.endsWith(service)).map(({ headers }) => headers.get(header));

    async function commit(name: string, file: string, content: string | Uint8Array): Promise<void> {
      await writeFile(join(path(name), file), content);
      await git(name, "add", ".");
      await git(name, "commit", "-q", "-m", `Add ${file}`);
    }

    before(async () => {
      folder = await temporaryFolder();
      await mkdir(path("repositories"));
      server = await serveSite(
        "git",
        {
          user: null,
          env: {
            GIT_PROJECT_ROOT: path("repositories"),
            GIT_HTTP_EXPORT_ALL: "1",
            GIT_CONFIG_NOSYSTEM: "1",
            HOME: folder.path,
          },
        },
        ({ url, headers }) => requests.push({ url, headers: new Headers(headers) }),
      );
      remote = `${server.url}cgi-bin/git/project.git`;
      bare = "repositories/project.git";
      await mustRun("git", ["init", "-q", "--bare", "-b", "main", path(bare)], { env: env() });
      await git(bare, "config", "http.receivepack", "true");
      await mustRun("git", ["init", "-q", "-b", "main", path("work")], { env: env() });
      await git("work", "remote", "add", "origin", remote);
    });

    after(async () => {
      await server.close();
      await folder.remove();
    });

    it("takes a push, its length known", async () => {
      for (const number of [1, 2, 3]) await commit("work", `file${number}`, `Number ${number}\n`);
      await git("work", "push", "-q", "origin", "main");
      assert.equal(await git(bare, "rev-parse", "main"), await git("work", "rev-parse", "main"));
      assert.ok(asked("content-length", "/git-receive-pack").some((length) => Number(length) > 100));
    });

    it("takes a push that is larger than http.postBuffer and comes in chunks", async () => {
      const content = randomFillSync(new Uint8Array(SIZE));
      digest = createHash("sha256").update(content).digest("hex");
      await commit("work", "random", content);
      requests.length = 0;
      await git("work", "push", "-q", "origin", "main");
      assert.ok(asked("transfer-encoding", "/git-receive-pack").includes("chunked"));
      assert.equal(await git(bare, "rev-parse", "main"), await git("work", "rev-parse", "main"));
      await git(bare, "fsck", "--full", "--strict");
    });

    it("is cloned, to the last bit", async () => {
      await mustRun("git", ["clone", "-q", remote, path("clone")], { env: env() });
      const content = await readFile(join(path("clone"), "random"));
      assert.equal(createHash("sha256").update(content).digest("hex"), digest);
      assert.equal(await git("clone", "rev-list", "--count", "HEAD"), "4");
      await git("clone", "fsck", "--full", "--strict");
    });

    it("is cloned without its history", async () => {
      await mustRun("git", ["clone", "-q", "--depth", "1", remote, path("shallow")], { env: env() });
      assert.equal(await git("shallow", "rev-list", "--count", "HEAD"), "1");
      await git("shallow", "fsck", "--full");
      await git("shallow", "fetch", "-q", "--unshallow");
      assert.equal(await git("shallow", "rev-list", "--count", "HEAD"), "4");
    });

    it("hears what a client wants when the client compresses its request", async () => {
      for (let number = 0; number < 40; number++) {
        await git("work", "commit", "-q", "--allow-empty", "-m", `Branch ${number}`);
        await git("work", "branch", `branch-${number}`);
        await git("work", "reset", "-q", "--hard", "HEAD~1");
      }
      await git("work", "push", "-q", "origin", "--all");
      requests.length = 0;
      await git("clone", "fetch", "-q", "origin");
      assert.ok(asked("content-encoding", "/git-upload-pack").includes("gzip"));
      assert.ok(asked("git-protocol", "/git-upload-pack").every((version) => version === "version=2"));
      assert.equal((await git("clone", "branch", "-r", "--list", "origin/branch-*")).split("\n").length, 40);
    });

    it("says no to a push that it does not allow", async () => {
      await git(bare, "config", "http.receivepack", "false");
      await commit("work", "refused", "no\n");
      await assert.rejects(git("work", "push", "-q", "origin", "main"), /403/);
    });

    it("says where there is no repository", async () => {
      const response = await fetch(`${server.url}cgi-bin/git/nowhere.git/info/refs?service=git-upload-pack`);
      assert.equal(response.status, 404);
      await response.body?.cancel();
    });
  },
);

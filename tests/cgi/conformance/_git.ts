/**
 * A push through git's own CGI program.
 *
 * @module
 */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../../programs/_command.ts";
import { serving } from "./_ask.ts";
import { freshPath, pattern, shell } from "./_scripts.ts";

/** Pushes 1.5 MiB in chunks, and looks whether all of it is there. */
export async function gitPush(): Promise<void> {
  const base = freshPath();
  const env = {
    HOME: base,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@example.com",
    GIT_COMMITTER_NAME: "A",
    GIT_COMMITTER_EMAIL: "a@example.com",
  };
  const git = (...args: string[]) => mustRun("git", args, { env });
  const bare = join(base, "repositories", "project.git");
  const work = join(base, "work");
  const path = shell("git", "exec git http-backend");
  const server = await serving({
    env: {
      GIT_PROJECT_ROOT: join(base, "repositories"),
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      HOME: base,
    },
  });
  try {
    await git("init", "-q", "--bare", "-b", "main", bare);
    await git("-C", bare, "config", "http.receivepack", "true");
    await git("init", "-q", "-b", "main", work);
    // Does not compress: the push stays as large as it is.
    await git("-C", work, "config", "core.compression", "0");
    const content = pattern(1_572_864);
    writeFileSync(join(work, "content"), content);
    await git("-C", work, "add", ".");
    await git("-C", work, "commit", "-q", "-m", "content");
    await git("-C", work, "push", "-q", `http://127.0.0.1:${server.port}${path}/project.git`, "main");
    assert.equal(await git("-C", bare, "rev-parse", "main"), await git("-C", work, "rev-parse", "main"));
    assert.equal(await git("-C", bare, "cat-file", "-s", "main:content"), `${content.length}`);
  } finally {
    await server.close();
  }
}

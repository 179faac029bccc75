/**
 * curl takes up a download where it broke off.
 *
 * @module
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type RunningCommand, startCommand } from "../_command.ts";
import { missingProgram, mustRun, temporaryFolder } from "./_command.ts";

const LENGTH = 5 * 1024 * 1024;

describe("curl -C -", { skip: await missingProgram("curl", "--version") }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let command: RunningCommand;
  const content = randomBytes(LENGTH);

  before(async () => {
    folder = await temporaryFolder();
    await writeFile(join(folder.path, "large.bin"), content);
    const yesterday = new Date(Date.now() - 86_400_000);
    await utimes(join(folder.path, "large.bin"), yesterday, yesterday);
    command = await startCommand(["0", "--directory", folder.path]);
  });
  after(async () => {
    await command.stop();
    await folder.remove();
  });

  async function download(path: string): Promise<void> {
    const url = `${command.url}large.bin`;
    await mustRun("curl", ["--fail", "--silent", "--show-error", "-C", "-", "-o", path, url]);
  }

  for (const length of [0, 1, 65_536, LENGTH - 1]) {
    it(`completes a file of which ${length} bytes are there`, async () => {
      const path = join(folder.path, `part-${length}`);
      await writeFile(path, content);
      await truncate(path, length);
      await download(path);
      assert.ok((await readFile(path)).equals(content), "byte-identical");
    });
  }
});

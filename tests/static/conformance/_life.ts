/**
 * How the command line starts and ends.
 *
 * @module
 */

import assert from "node:assert/strict";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCommand } from "../../_command.ts";
import { connect, get, type RawConnection, type Target } from "../../_http.ts";
import { expectStatus, expectWhole } from "../_ask.ts";
import { fetchPath, reachable, startSite } from "../_site_command.ts";
import { siteFixture } from "../_site_fixture.ts";

/** More than all the buffers between two processes hold. */
const LARGE = 64 * 1024 * 1024;

/** One signal, and two. */
export async function gracefulStop(): Promise<void> {
  const root = siteFixture().scratch();
  mkdirSync(join(root, "x"));
  writeFileSync(join(root, "large"), "");
  truncateSync(join(root, "large"), LARGE);
  const start = async () => {
    const command = await startCommand(["0", "--directory", root]);
    return [command, await slowDownload(command.address)] as const;
  };
  const [patient, download] = await start();
  patient.signal("SIGINT");
  await until(async () => !await reachable(patient.address));
  download.resume();
  const response = await download.response({ timeout: 20_000 });
  assert.equal(response.body.length, LARGE);
  assert.ok(response.complete);
  download.close();
  const { code, signal } = await patient.exited;
  assert.deepEqual([code, signal], [0, null]);

  const [hasty, never] = await start();
  hasty.signal("SIGINT");
  await until(async () => !await reachable(hasty.address));
  const started = performance.now();
  hasty.signal("SIGINT");
  const ended = await hasty.exited;
  assert.deepEqual([ended.code, ended.signal], [0, null]);
  assert.ok(performance.now() - started < 5_000, "at once");
  never.close();
}

/** A download that has begun and stands still. */
async function slowDownload(target: Target): Promise<RawConnection> {
  const connection = await connect(target);
  await connection.send(get("/large"));
  await connection.received(1024);
  connection.pause();
  return connection;
}

/** Asks until it is so: what is asked takes its own time. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!await condition()) {
    assert.ok(performance.now() < deadline, "in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** In a terminal, where Deno would ask. */
export async function servesWith(permissions: readonly string[]): Promise<void> {
  const command = await startSite({ permissions, terminal: true });
  try {
    expectWhole(await fetchPath(command.address, "/hello.txt"));
    expectStatus(await fetchPath(command.address, "/list/"), 200);
    expectStatus(await fetchPath(command.address, "/nope"), 404);
    assert.doesNotMatch(command.stdout(), /requests|Allow\?|NotCapable/);
  } finally {
    command.signal("SIGTERM");
    await command.exited;
  }
}

/**
 * Whether a server gives back every file it opens.
 *
 * @module
 */

import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, get, requestHead } from "../_http.ts";
import { descriptors } from "../_runtime.ts";
import { entityTag, serverOf } from "./_ask.ts";
import { siteFixture, writeTree } from "./_site_fixture.ts";

/** Too large for the buffers between two sockets. */
const LARGE = 32 * 1024 * 1024;

/**
 * Sends so many of each kind of request that a server could leave a file open
 * for, and waits until this process has as many descriptors as before.
 */
export async function descriptorsReturn(rounds: number): Promise<void> {
  const root = siteFixture().scratch();
  writeFileSync(join(root, "hello.txt"), "0123456789");
  writeFileSync(join(root, "large"), "");
  truncateSync(join(root, "large"), LARGE);
  // A young file would get another tag on the way.
  writeTree(root, {});
  const served = { root };
  const { address } = await serverOf(served);
  const tag = await entityTag(served);
  const path = "/hello.txt";
  const requests = [
    { status: 304, method: "GET", headers: [`If-None-Match: ${tag}`] },
    { status: 200, method: "HEAD", headers: [] },
    { status: 206, method: "GET", headers: ["Range: bytes=2-5"] },
  ];
  // Whatever is opened once, at the first use, is open now.
  await aborted(address, 20);
  const before = await settled(() => true, root);
  for (const { status, method, headers } of requests) {
    const connection = await connect(address);
    for (let round = 0; round < rounds; round++) {
      await connection.send(requestHead(method, path, ...headers));
      const response = await connection.response({ method });
      assert.equal(response.status, status);
    }
    connection.close();
  }
  await aborted(address, rounds);
  await settled((count) => count <= before, root);
}

/** Downloads that the client breaks off once they have begun. */
async function aborted(
  address: { readonly hostname: string; readonly port: number },
  rounds: number,
): Promise<void> {
  for (let round = 0; round < rounds; round += 20) {
    await Promise.all(
      Array.from({ length: Math.min(20, rounds - round) }, async () => {
        const connection = await connect(address);
        await connection.send(get("/large"));
        await connection.received(1);
        connection.reset();
      }),
    );
  }
}

/** The number of descriptors, once no file of the root is open and it is as wanted. */
async function settled(
  wanted: (count: number) => boolean,
  root: string,
): Promise<number> {
  const deadline = performance.now() + 10_000;
  while (true) {
    const open = descriptors();
    const files = open.filter((target) => target.startsWith(root));
    if (files.length === 0 && wanted(open.length)) return open.length;
    if (performance.now() > deadline) {
      throw new Error(
        `Still ${open.length} descriptors, ${files.length} of them files`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

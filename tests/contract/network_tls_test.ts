/** What `Network.listen` owes over TLS: all that it owes without. The same tests, run once more. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtime } from "../_runtime.ts";
import { makeCertificate } from "./_certificate.ts";

const certificate = makeCertificate();
after(() => certificate?.remove());
const skip = certificate === null && "openssl is not installed";

/** How a test file is run here. */
const RUN = {
  deno: ["test", "--no-check", "-A"],
  bun: ["test", "--timeout", "60000"],
  node: ["--test"],
} as const;

for (
  const name of [
    "network_request",
    "network_response",
    "network_memory",
    "network_leave",
    "network_protocol",
    "network_pipeline",
    "network_half_close",
    "network_no_request",
  ]
) {
  test(`${name}_test over TLS`, { skip, timeout: 120_000 }, async () => {
    const { cert, key } = certificate!;
    // The compiled tests have another extension.
    const extension = /\.[a-z]+$/.exec(import.meta.url)?.[0] ?? ".ts";
    const file = fileURLToPath(new URL(`./${name}_test${extension}`, import.meta.url));
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const env = { ...environment, HTBIN_TEST_TLS: JSON.stringify({ cert, key }), NO_COLOR: "1" };
    const output = await new Promise<string | null>((resolve) => {
      execFile(
        process.execPath,
        [...RUN[runtime.name], file],
        { env, maxBuffer: 1 << 26 },
        (error, out, err) => resolve(error === null ? null : `${out}\n${err}`),
      );
    });
    assert.equal(output, null);
  });
}

/**
 * What becomes of speed and memory as there is more of something: `npm run bench:growth`, `-- --help` for its flags.
 *
 * @module
 */

import { isInstalled } from "./contender.ts";
import { connections } from "./growth/connections.ts";
import { folder } from "./growth/folder.ts";
import { tree } from "./growth/tree.ts";
import { workers } from "./growth/workers.ts";
import { htbin } from "./htbin.ts";
import * as native from "./native_servers.ts";
import { runMeasurements } from "./run.ts";
import { STATIC_PEERS } from "./static_peers.ts";

const PEERS = /^(nginx|lighttpd)$/;

const everyone = [...STATIC_PEERS.filter(({ name }) => PEERS.test(name)), ...htbin([], /^/)].filter(
  isInstalled,
);

await runMeasurements("growth", "Growth", [
  connections(everyone, "nginx"),
  folder((root) => [
    ...htbin(["--directory", root], /^/),
    ...STATIC_PEERS.filter(({ name }) => name === "Python http.server").map((python) => ({
      ...python,
      start: (setting: Parameters<typeof python.start>[0]) => native.python(setting, ["--directory", root]),
    })),
  ]),
  tree((root) => htbin(["--directory", root], /^/)),
  workers,
], everyone);

/**
 * The server of the soak, a process of its own: what it holds is not its
 * clients'. Writes its port as a line, after it the one for HTTP/2 where that is offered, and ends with its standard input.
 *
 * @module
 */

import process from "node:process";
import { cgi } from "../src/cgi/mod.ts";
import type { CgiOptions } from "../src/cgi/options.ts";
import { selfSigned } from "../src/cli/self_signed.ts";
import { route } from "../src/router.ts";
import { serve } from "../src/serve.ts";
import { runtime } from "./_runtime.ts";

/** The scripts, by the path that is asked for. */
const SCRIPT = `
head() { printf 'Content-Type: text/plain\\n\\n'; }
case "$PATH_INFO" in
  /hello) head; echo hello;;
  /echo) head; cat;;
  /unread) head; echo done;;
  /large) head; exec head -c 3000000 /dev/zero;;
  /slow) head; for i in 1 2 3; do sleep 0.01; echo $i; done;;
  /fails) head; echo begun; sleep 0.02; exit 3;;
  /killed) head; echo begun; sleep 0.02; kill -KILL $$;;
  /no-head) echo hello;;
  /nothing) exit 1;;
  /short) printf 'Content-Type: a/b\\nContent-Length: 10\\n\\nabc';;
  /silent) exec sleep 30;;
  /silent-after) head; echo begun; exec sleep 30;;
  /stubborn) trap '' TERM; while :; do sleep 0.05; done;;
  /background) head; sleep 30 & sleep 30 >/dev/null 2>&1 & echo done;;
  /noisy) head -c 200000 /dev/zero | tr '\\0' x >&2; head; echo done;;
  /redirect) printf 'Location: /hello\\n\\n';;
esac`;

const common: CgiOptions = {
  script: "/bin/sh",
  args: ["-c", SCRIPT],
  user: null,
  inheritEnv: ["SOAK"],
  limits: { concurrent: 16, spoolMemory: 20_000, stderr: 1000 },
  log() {},
};
// A busy machine must not make a script too slow that is none.
const patient = cgi({ ...common, timeouts: { firstByte: 20, idle: 20, grace: 0.1 } });
const impatient = cgi({ ...common, timeouts: { firstByte: 0.4, idle: 0.4, grace: 0.1 } });
const handler = route([
  ["/silent", impatient],
  ["/silent-after", impatient],
  ["/stubborn", impatient],
  ["/*", patient],
]);
const server = await serve({ port: 0, handler, log() {} });
const http2 = runtime.name !== "node"
  ? null
  : await serve({ port: 0, handler, log() {}, tls: (await selfSigned(["localhost"])).tls });
process.stdin.on("end", async () => {
  await Promise.all([patient.close(), impatient.close()]);
  await Promise.all([server.close(0), http2?.close(0)]);
  process.exit(0);
});
process.stdin.resume();
process.stdout.write(`${server.address.port} ${http2?.address.port ?? ""}\n`);

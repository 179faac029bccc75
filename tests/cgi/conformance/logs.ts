/**
 * Group H: standard error and the log.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { LogEvent } from "../../../src/log/events.ts";
import { formatEvent, LOG_FORMATS } from "../../../src/log/format.ts";
import { type ConformanceSection, test } from "../../_conformance.ts";
import { ask, askUsual, expectStatus, expectText, type Served, serving, usualServer } from "./_ask.ts";
import { freshPath, HEAD, release, script, shell, text, waitFor } from "./_scripts.ts";
import { together } from "./_together.ts";

const NOISE = "head -c 8192 /dev/zero | tr '\\0' e >&2";

/** Standard error and logs. */
export const logCases: ConformanceSection = together({
  title: "H. Standard error and logs",
  cases: [
    test("H1", "T", "8 KiB to standard error, then the answer", "200, this is stdout", async () => {
      expectText(
        await askUsual(`GET ${shell("h1.sh", `${NOISE}; ${HEAD}; echo this is stdout`)}`),
        "this is stdout\n",
      );
    }),
    test("H2", "T", "closes standard error, waits, answers", "200", async () => {
      expectText(await askUsual(`GET ${shell("h2.sh", `exec 2>&-; sleep 0.1; ${HEAD}; echo ok`)}`), "ok\n");
    }),
    test(
      "H3",
      "T",
      "answers, closes its output, then writes to standard error",
      "200 at once; the late words are logged",
      async () => {
        const go = freshPath();
        const path = shell("h3.sh", `${HEAD}; echo ok; exec >&-; ${waitFor(go)}; echo late words >&2`);
        expectText(await askUsual(`GET ${path}`), "ok\n");
        release(go);
        await (await usualServer()).line("h3.sh", /^late words$/);
      },
    ),
    test(
      "H4",
      "C",
      "a line to standard error; with onStderr",
      "logged with script, pid and request id; told to the hook in its place",
      oneLine,
    ),
    test(
      "H5",
      "C",
      "standard error without an end, and no output",
      "the time limit holds; the log is bounded",
      async () => {
        const server = await serving({ timeouts: { firstByte: 0.3 }, limits: { stderr: 1000 } });
        expectStatus(await ask(server, `GET ${shell("h5.sh", "yes >&2; echo")}`), 504);
        await server.exit("h5.sh");
        assert.ok(stderrLength(server) <= 1000, `${stderrLength(server)}`);
      },
    ),
    test(
      "H6",
      "C",
      "standard error of a script that fails, and of one that does not",
      "never in the response, but for development and clients on this machine",
      async () => {
        const bad = shell("h6.sh", "echo secret words >&2; echo no head");
        for (const path of [bad, shell("h6-good.sh", `echo secret words >&2; ${HEAD}; echo ok`)]) {
          assert.doesNotMatch((await askUsual(`GET ${path}`)).text, /secret/);
        }
        const developing = await serving({ development: true });
        assert.match((await ask(developing, `GET ${bad}`)).text, /secret words/);
        assert.doesNotMatch(
          (await ask(developing, `GET ${bad}`, ["X-Forwarded-For: 127.0.0.1"])).text,
          /secret words/,
        );
      },
    ),
    test("H7", "C", "standard error in the middle of an answer", "the answer is as it was", async () => {
      const path = shell("h7.sh", `${HEAD}; echo one; echo oops >&2; echo two`);
      expectText(await askUsual(`GET ${path}`), "one\ntwo\n");
    }),
    test(
      "H8",
      "C",
      "scripts that fail",
      "one line each: script, what was wrong with the output, exit status, what to do",
      badScripts,
    ),
    test(
      "H9",
      "T",
      "POST of 10 … 1024 characters to a script that fails",
      "502 each; nothing of the body in the log",
      async () => {
        const path = shell("h9.sh", "cat >/dev/null; echo no head");
        const server = await serving();
        for (const size of [10, 99, 250, 255, 256, 257, 258, 1024]) {
          expectStatus(await ask(server, `POST ${path}`, [`Content-Length: ${size}`], text(size)), 502);
        }
        assert.doesNotMatch(JSON.stringify(server.events), /0123456789/);
      },
    ),
    test(
      "H10",
      "C",
      "more standard error than limits.stderr",
      "the log grows no further, and says so; the script is not held up",
      async () => {
        const server = await serving({ limits: { stderr: 1000 } });
        const path = shell("h10.sh", `head -c 3000000 /dev/zero | tr '\\0' x >&2; ${HEAD}; echo ok`);
        expectText(await ask(server, `GET ${path}`), "ok\n");
        await server.message("h10.sh", /more than 1000 bytes on standard error/);
        await server.exit("h10.sh");
        assert.equal(stderrLength(server), 1000);
      },
    ),
    test(
      "H11",
      "T",
      "control characters and escape sequences in standard error, in a bad head and in the request",
      "escaped in every format of the log",
      escaped,
    ),
  ],
});

function stderrLength({ events }: Served): number {
  return events.reduce((size, event) => event.type === "script-stderr" ? size + event.line.length : size, 0);
}

async function oneLine(): Promise<void> {
  const path = shell("h4.sh", `echo words for the log >&2; ${HEAD}`);
  const server = await usualServer();
  await ask(server, `GET ${path}`);
  const { pid, requestId, script } = await server.line("h4.sh", /^words for the log$/);
  const exit = await server.exit("h4.sh");
  assert.deepEqual([pid, requestId, script], [exit.pid, exit.requestId, exit.script]);
  assert.match(requestId ?? "", /^[\da-f-]{36}$/);
  const heard: string[] = [];
  const hooked = await serving({
    onStderr: (line, { scriptName }) => void heard.push(`${scriptName}: ${line}`),
  });
  await ask(hooked, `GET ${path}`);
  await hooked.exit("h4.sh");
  assert.deepEqual(heard, ["/cgi-bin/h4.sh: words for the log"]);
  assert.equal(stderrLength(hooked), 0);
}

async function badScripts(): Promise<void> {
  const server = await usualServer();
  const rows: readonly (readonly [path: string, pattern: RegExp])[] = [
    [shell("h8-text.sh", "echo no head; exit 3"), /^answered 502: .*not a header: "no head".*exit status 3/],
    [shell("h8-empty.sh", "exit 7"), /^answered 502: the script wrote nothing \(exit status 7\)/],
    [shell("h8-blank.sh", "printf 'Content-Type: text/plain\\n'"), /no blank line after the headers/],
    [script("h8-crlf.sh", "#!/bin/sh\r\necho\r\n"), /\\r/],
    [script("h8-gone.sh", "#!/nonexistent/program\n"), /\/nonexistent\/program/],
    [script("h8-mode.sh", "#!/bin/sh\n", 0o644), /chmod \+x/],
  ];
  for (const [path, pattern] of rows) {
    expectStatus(await ask(server, `GET ${path}`), 403, 502);
    await server.message(path.split("/").at(-1)!, pattern);
  }
}

async function escaped(): Promise<void> {
  const server = await serving();
  const path = shell("h11.sh", "printf '\\033[31mred\\a\\tx\\n' >&2; printf '\\033]0;title\\a\\n'");
  await ask(server, `GET ${path}?%1b[31m`, ["User-Agent: a\u009bb", 'Referer: x" "y']);
  await server.exit("h11.sh");
  const lines = server.events.flatMap((event: LogEvent) =>
    LOG_FORMATS.map((format) => formatEvent(event, format))
  );
  assert.ok(lines.length >= 9);
  for (const line of lines) assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/);
  assert.ok(lines.some((line) => line.includes("\\x1b[31mred\\x07")), lines.join("\n"));
}

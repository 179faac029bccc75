/**
 * Events as lines of text.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessEvent, LogEvent, MessageEvent } from "../src/log/events.ts";
import { formatEvent, printable } from "../src/log/format.ts";

const ACCESS: AccessEvent = {
  type: "access",
  time: new Date(2026, 10, 20, 9, 5, 7),
  requestId: "0123456789abcdef",
  remote: "127.0.0.1",
  user: null,
  method: "GET",
  target: "/a?b=c",
  protocol: "HTTP/1.1",
  status: 200,
  bytes: null,
  complete: true,
  durationMs: 1.5,
  script: null,
  pid: null,
  code: null,
  signal: null,
  referer: null,
  userAgent: null,
};

test("a request is logged as Python's http.server does", () => {
  assert.equal(formatEvent(ACCESS), '127.0.0.1 - - [20/Nov/2026 09:05:07] "GET /a?b=c HTTP/1.1" 200 -');
});

test("a request is logged with the user and the size, where they are known", () => {
  const line = formatEvent({ ...ACCESS, remote: "::1", user: "ada", bytes: 0 });
  assert.equal(line, '::1 - ada [20/Nov/2026 09:05:07] "GET /a?b=c HTTP/1.1" 200 0');
});

test("an unknown client is a dash", () => {
  assert.match(formatEvent({ ...ACCESS, remote: null }), /^- - - \[/);
});

test("a request in Apache's combined format", () => {
  const line = formatEvent(
    { ...ACCESS, bytes: 12, referer: "http://h/", userAgent: 'Mozilla "5.0" \\' },
    "combined",
  );
  const [, zone] = /^127\.0\.0\.1 - - \[20\/Nov\/2026:09:05:07 ([+-]\d{4})\] /.exec(line) ?? [];
  const minutes = 0 - ACCESS.time.getTimezoneOffset();
  assert.equal(Number(zone?.slice(0, 3)) * 60 + Number(`${zone?.[0]}${zone?.slice(3)}`), minutes);
  assert.ok(line.endsWith(String.raw` "GET /a?b=c HTTP/1.1" 200 12 "http://h/" "Mozilla \"5.0\" \\"`));
});

test("combined writes a dash for a header that is not there", () => {
  assert.ok(formatEvent(ACCESS, "combined").endsWith('200 - "-" "-"'));
});

test("control characters are escaped as Python does", () => {
  const target = "/\x00\x1b[2J\r\n\x7f\x9b\\";
  const line = formatEvent({ ...ACCESS, target });
  assert.ok(line.includes(String.raw`"GET /\x00\x1b[2J\x0d\x0a\x7f\x9b\\ HTTP/1.1"`));
  assert.ok(formatEvent({ ...ACCESS, target: "/é☃" }).includes('"GET /é☃ HTTP/1.1"'));
});

const MESSAGE: MessageEvent = { type: "message", level: "error", source: "cgi", message: "it broke" };

test("a line that was made before is not taken for one that differs in anything", () => {
  const other: readonly Partial<AccessEvent>[] = [
    {},
    { time: new Date(2026, 10, 20, 9, 5, 8) },
    { remote: "::1" },
    { remote: null },
    { user: "ada" },
    { method: "HEAD" },
    { target: "/a?b=d" },
    { protocol: "HTTP/1.0" },
    { status: 304 },
    { bytes: 0 },
    { bytes: 7 },
    { referer: "http://h/" },
    { userAgent: "agent" },
  ];
  for (const format of ["combined", "common"] as const) {
    for (const colours of [false, true]) {
      // Each after each, so that whatever is kept is of another one.
      const lines = other.map((change) => formatEvent({ ...ACCESS, ...change }, format, colours));
      for (const [index, change] of other.entries()) {
        for (const before of other) {
          formatEvent({ ...ACCESS, ...before }, format, colours);
          assert.equal(formatEvent({ ...ACCESS, ...change }, format, colours), lines[index]);
        }
      }
      // Referer and agent are not in the common format.
      assert.equal(new Set(lines).size, format === "common" ? other.length - 2 : other.length);
    }
  }
});

test("more requests than lines are kept of are all written right", () => {
  const lineOf = (number: number) => formatEvent({ ...ACCESS, target: `/${number}` });
  for (let number = 0; number < 3000; number++) assert.ok(lineOf(number).includes(`"GET /${number} HTTP`));
  const long = "x".repeat(5000);
  for (let count = 0; count < 2; count++) {
    assert.ok(formatEvent({ ...ACCESS, target: `/${long}` }).includes(long));
  }
});

test("messages keep the backslashes of a command to copy", () => {
  const message = "sed -i 's/\\r$//' /s/x.sh\x1b";
  assert.equal(formatEvent({ ...MESSAGE, message }), "htbin: error: sed -i 's/\\r$//' /s/x.sh\\x1b");
});

test("messages say how much they matter, and which script they are about", () => {
  assert.equal(formatEvent(MESSAGE), "htbin: error: it broke");
  assert.equal(formatEvent({ ...MESSAGE, level: "info" }), "htbin: it broke");
  assert.equal(
    formatEvent({ ...MESSAGE, level: "warning", script: "/s/x.py", pid: 7, requestId: "0123456789abcdef" }),
    "htbin: warning: /s/x.py[7] #01234567: it broke",
  );
});

test("a script's standard error carries its name, process and request", () => {
  const line = formatEvent({
    type: "script-stderr",
    script: "/s/x",
    pid: 7,
    requestId: "12345678-9",
    line: "a\tb\x1b",
  });
  assert.equal(line, String.raw`/s/x[7] #12345678: a\x09b\x1b`);
});

test("the end of a script", () => {
  const exit = { type: "script-exit", script: "/s/x", pid: 7, durationMs: 12.4 } as const;
  assert.equal(formatEvent({ ...exit, code: 1, signal: null }), "htbin: /s/x[7]: ended with 1 after 12 ms");
  assert.equal(
    formatEvent({ ...exit, code: null, signal: "SIGKILL" }),
    "htbin: /s/x[7]: ended by SIGKILL after 12 ms",
  );
});

const EVENTS: readonly LogEvent[] = [
  ACCESS,
  MESSAGE,
  { type: "script-stderr", script: "/s/x", pid: 7, line: "\x1b[31m\x9b\x7f\ud800" },
  { type: "script-exit", requestId: "12", script: "/s/x", pid: 7, code: 3, signal: null, durationMs: 1 },
];

/** What the JSON of these events says besides the time, in this order. */
const JSON_RECORDS = {
  "access": {
    type: "access",
    id: "0123456789abcdef",
    remote: "127.0.0.1",
    user: null,
    method: "GET",
    path: "/a",
    query: "b=c",
    protocol: "HTTP/1.1",
    status: 200,
    bytes: null,
    complete: true,
    durationMs: 1.5,
    script: null,
    pid: null,
    exitStatus: null,
    signal: null,
    referer: null,
    userAgent: null,
  },
  "message": { type: "message", level: "error", source: "cgi", message: "it broke" },
  "script-stderr": {
    type: "script-stderr",
    script: "/s/x",
    pid: 7,
    line: "\x1b[31m\x9b\x7f\ud800",
  },
  "script-exit": {
    type: "script-exit",
    id: "12",
    script: "/s/x",
    pid: 7,
    exitStatus: 3,
    signal: null,
    durationMs: 1,
  },
} as const;

for (const event of EVENTS) {
  test(`JSON of ${event.type} is one line without control characters, and says all`, () => {
    const line = formatEvent(event, "json");
    assert.doesNotMatch(line, /[\0-\x1f\x7f-\x9f]/);
    const { time, ...parsed } = JSON.parse(line);
    assert.deepEqual(parsed, JSON_RECORDS[event.type]);
    assert.deepEqual(Object.keys(parsed), Object.keys(JSON_RECORDS[event.type]));
    if (event.type === "access") assert.equal(time, event.time.toISOString());
    else assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  });
}

test("JSON tells no query from an empty one", () => {
  const queryOf = (target: string) => JSON.parse(formatEvent({ ...ACCESS, target }, "json")).query;
  assert.deepEqual(["/a", "/a?", "/a?b?c"].map(queryOf), [null, "", "b?c"]);
});

test("no format lets a control character through, wherever it stands", () => {
  const evil = "\x1b]0;x\x07\n\x9b";
  const events: LogEvent[] = [
    { ...ACCESS, user: evil, method: evil, target: evil, referer: evil, userAgent: evil, requestId: evil },
    { ...MESSAGE, message: evil, script: evil, requestId: evil },
    { type: "script-stderr", script: evil, pid: 1, line: evil, requestId: evil },
    { type: "script-exit", script: evil, pid: 1, code: 0, signal: null, durationMs: 0, requestId: evil },
  ];
  for (const event of events) {
    for (const format of ["common", "combined", "json"] as const) {
      assert.doesNotMatch(formatEvent(event, format), /[\0-\x1f\x7f-\x9f]/, `${event.type} ${format}`);
    }
  }
});

test("colours set off the status, the level and the script, and nothing else", () => {
  const plain = (text: string) => text.replace(/\x1b\[[\d;]*m/g, "");
  for (const format of ["common", "combined"] as const) {
    for (const event of EVENTS) {
      assert.equal(plain(formatEvent(event, format, true)), formatEvent(event, format));
    }
  }
  const codes = [200, 304, 404, 502].map((status) =>
    /"\s\x1b\[([\d;]+)m\d+\x1b\[0m -$/.exec(formatEvent({ ...ACCESS, status }, "common", true))?.[1]
  );
  assert.deepEqual(codes, ["32", "36", "35", "1;31"]);
  assert.equal(formatEvent(MESSAGE, "common", true), "htbin: \x1b[1;31merror:\x1b[0m it broke");
  const said = { type: "script-stderr", script: "/s/x", pid: 7, line: "a\x1b[0m" } as const;
  assert.equal(formatEvent(said, "common", true), "\x1b[35m/s/x[7]:\x1b[0m a\\x1b[0m");
  assert.equal(formatEvent(ACCESS, "json", true), formatEvent(ACCESS, "json"));
});

test("what ends a line for some, or turns the text around, is escaped", () => {
  const line = "a\u2028b\u202ec\u2066d";
  const said = { type: "script-stderr", script: "/s/x", pid: 7, line } as const;
  assert.equal(formatEvent(said), String.raw`/s/x[7]: a\u2028b\u202ec\u2066d`);
  const json = formatEvent(said, "json");
  assert.match(json, /^[\x20-\x7e]*$/);
  assert.equal(JSON.parse(json).line, line);
});

test("printable() leaves a backslash alone", () => {
  assert.equal(printable("C:\\x\ty"), String.raw`C:\x\x09y`);
});

/**
 * Answers of scripts that have ended: what is remembered of a script's last head changes none of them.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type HeadMemory, wholeAnswer } from "../../src/cgi/whole_answer.ts";
import type { FinishedRun } from "../../src/finished_run.ts";

const outputs = [
  "Content-Type: text/plain\n\nhello",
  "Content-Type: text/plain\n\nanother, longer one",
  "Content-Type: text/plain\n\n",
  "Content-Type: text/plain\n\n\nContent-Type: text/html\n\n",
  "Content-Type: text/plain\r\n\r\nhello",
  "Content-Type: text/plain\nX: 1\n\nhello",
  "Content-Type: text/plain\nContent-Length: 5\n\nhello",
  "Content-Type: text/plain\nContent-Length: 5\n\nhello, too long",
  'Content-Type: text/plain\nETag: "a"\n\nhello',
  "Content-Type: text/plain\nSet-Cookie: a=1\nSet-Cookie: b=2\n\nhello",
  "Status: 404 None\nContent-Type: text/plain\n\nhello",
  "Status: 204\n\n",
  "Status: 103\nLink: </a>\n\nContent-Type: text/plain\n\nhello",
  "Location: /elsewhere\n\n",
  "Location: https://host.example/\n\n",
  "Content-Type: text/plain\n",
  "no head at all\n\nhello",
  "Content-Type: text/plain\nno field\n\nhello",
  "\n\nhello",
  "",
];

const requests = [
  { method: "GET", headers: new Headers() },
  { method: "GET", headers: new Headers({ "if-none-match": '"a"' }) },
  { method: "HEAD", headers: new Headers() },
];

const run = (output: string): FinishedRun => ({
  stdout: new TextEncoder().encode(output),
  stderr: new Uint8Array(0),
  status: { code: 0, signal: null },
});

function answerTo(output: string, request: number, strict: boolean, memory?: HeadMemory): unknown {
  const answer = wholeAnswer(run(output), requests[request]!, strict, memory);
  if (answer === null) return null;
  const { status, statusText, headers, body } = answer;
  const text = body && new TextDecoder().decode(body);
  return { status, statusText, body: text, headers: headers.toRecord(), again: [...headers.toHeaders()] };
}

for (const strict of [true, false]) {
  test(`after any other, an answer is what it is alone${strict ? "" : ", to a lenient reader"}`, () => {
    const memory: HeadMemory = { last: null };
    let answered = 0;
    for (const first of outputs) {
      for (const second of outputs) {
        for (let request = 0; request < requests.length; request++) {
          for (const output of [first, second]) {
            const alone = answerTo(output, request, strict);
            assert.deepEqual(
              answerTo(output, request, strict, memory),
              alone,
              JSON.stringify([first, output]),
            );
            if (alone !== null) answered++;
          }
        }
      }
    }
    assert.ok(answered > 500, `${answered}`);
  });
}

test("the fields of the same head and length are one object, and an answer that is kept stays as it is", () => {
  const memory: HeadMemory = { last: null };
  const ask = (body: string) =>
    wholeAnswer(run(`Content-Type: text/plain\n\n${body}`), requests[0]!, true, memory)!.headers.toRecord();
  const [five, again, three] = [ask("hello"), ask("world"), ask("one")];
  assert.equal(five, again);
  assert.deepEqual(five, { "content-type": "text/plain", "content-length": "5" });
  assert.deepEqual(three, { "content-type": "text/plain", "content-length": "3" });
});

/**
 * What `Network.listen` owes to what is no request, or not all of one: the same answer on every runtime, after those to
 * the requests before it, and never a second one to the same request.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PreparedResponse, RequestHead } from "../../src/at_once.ts";
import type { Handler } from "../../src/handler.ts";
import { respond } from "../../src/response.ts";
import { chunk, connect, get, requestHead, toLatin1 } from "../_http.ts";
import { serving } from "./_serving.ts";

const ANSWER = new TextEncoder().encode("fine");

/** Answers in full, and reads no body. */
const inFull: Handler = () => respond(200, new Headers(), ANSWER);

/** Answers on the head of a request, where there is no more to it. */
const atOnce: Handler = Object.assign((...args: Parameters<Handler>) => inFull(...args), {
  atOnce: (_head: RequestHead): PreparedResponse => ({
    status: 200,
    headers: { "content-length": String(ANSWER.length) },
    body: ANSWER,
  }),
});

/** The client ends its side. */
const END = null;

type Step = string | typeof END;

const NONSENSE = "NONSENSE\r\n\r\n";
const PART = "GET / HTTP/1.1\r\nHo";
const post = requestHead("POST", "/", "Content-Length: 10");
const postChunks = requestHead("POST", "/", "Transfer-Encoding: chunked");

/** What the client sends, and the answers; what has an answer is sent alone, and the rest when that has come. */
const CASES: readonly (readonly [what: string, steps: readonly Step[], answers: readonly number[]])[] = [
  ["nonsense", [NONSENSE], [400]],
  ["nonsense, and an end", [NONSENSE, END], [400]],
  ["nonsense after an answer", [get("/"), NONSENSE], [200, 400]],
  ["nonsense right behind a request", [get("/") + NONSENSE], [200, 400]],
  ["nonsense right behind two", [get("/"), get("/"), get("/") + get("/") + NONSENSE], [
    200,
    200,
    200,
    200,
    400,
  ]],
  ["a method that is unknown right behind a request", [get("/") + requestHead("BREW", "/")], [200, 400]],
  ["nonsense behind the last request", [get("/", "Connection: close") + NONSENSE], [200]],
  ["an end", [END], []],
  ["an end after an answer", [get("/"), END], [200]],
  ["an end after an empty line", ["\r\n", END], []],
  ["an end in a request line", ["GET /", END], [400]],
  ["an end in a head", [PART, END], [400]],
  ["an end in a head after an answer", [get("/"), PART, END], [200, 400]],
  ["an end in a head that has begun with a request", [get("/") + PART, END], [200, 400]],
  ["an end in a body whose request has its answer", [post, "half", END], [200]],
  ["an end in chunks whose request has its answer", [postChunks, "5\r\nhal", END], [200]],
  ["a wrong chunk of a request that has its answer", [postChunks, `${toLatin1(chunk("abc"))}zz\r\n`], [200]],
];

for (const [how, handler] of [["in full", inFull], ["at once", atOnce]] as const) {
  for (const [what, steps, answers] of CASES) {
    test(`listen() answers ${what} (${how}) with ${answers.join(", ") || "nothing"}, and closes`, () =>
      serving(handler, async ({ target, errors }) => {
        const connection = await connect(target);
        const seen: number[] = [];
        async function expect(count: number): Promise<void> {
          while (seen.length < count) seen.push((await connection.response()).status);
        }
        for (const step of steps) {
          if (step === END) connection.halfClose();
          else await connection.send(step);
          // A client that ends its side while it waits is taken for gone.
          await expect(Math.min(countHeads(step), answers.length - seen.length) + seen.length);
        }
        await expect(answers.length);
        assert.deepEqual(seen, answers);
        assert.equal(await connection.ended(), "fin");
        assert.equal(connection.take().length, 0);
        assert.deepEqual(errors, []);
        connection.close();
      }));
  }
}

function countHeads(step: Step): number {
  return step === END ? 0 : step.split("\r\n\r\n").length - 1;
}

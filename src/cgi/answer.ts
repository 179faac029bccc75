/**
 * From a running script to the response: its head is read and judged, its body sent on as it comes.
 *
 * @module
 */

import type { Connection } from "../handler.ts";
import { respond } from "../response.ts";
import type { Bytes } from "../runtime.ts";
import { conditionalStatus, withoutBodyFields } from "./conditional.ts";
import { describeExit, type Failure, isSuccess } from "./failure.ts";
import { createHeadReader, type HeadProgress } from "./head.ts";
import { redirectLocally } from "./redirect.ts";
import { type Answer, mayHaveBody, planResponse, type ResponsePlan } from "./response.ts";
import { describeStop, EXIT_WAIT, readScriptBody } from "./script_body.ts";
import { sendBody } from "./send_body.ts";
import type { SendFile } from "./sendfile.ts";
import type { RunningScript } from "./supervisor.ts";

/** A script that is to answer a request. */
export interface Exchange {
  readonly request: Request;
  readonly connection: Connection;
  readonly running: RunningScript;
  readonly strict: boolean;
  readonly sendFile: SendFile;
  /** Logs and answers what went wrong. */
  fail(failure: Failure): Promise<Response>;
  /** Logs what went wrong once the head was sent. */
  brokenOff(reason: string): void;
  warn(message: string): void;
  /** What a request's body did meanwhile that must be answered in the place of the script: 400, 413. */
  refusal(): Failure | null;
}

/** Reads the script's head and answers. */
export async function answerWithScript(exchange: Exchange): Promise<Response> {
  const { running, strict } = exchange;
  const reader = createHeadReader(strict);
  const progress = await readHead(running, reader);
  if (progress === null) return await failStopped(exchange);
  if (progress.kind === "bad") return await failBadOutput(exchange, progress, reader.sample());
  const plan = planResponse(progress.head, strict);
  if (plan.kind === "bad") return await failBadOutput(exchange, plan, reader.sample());
  running.headDone();
  if (plan.kind === "local-redirect") return await answerRedirect(exchange, plan, progress.rest);
  if (plan.kind === "sendfile") {
    discard(exchange);
    return await exchange.sendFile(plan.path, plan.answer, exchange);
  }
  return await answerDocument(exchange, plan, progress.rest);
}

type HeadReader = ReturnType<typeof createHeadReader>;
type Whole = Exclude<HeadProgress, { kind: "more" }>;

/** The head, or `null` when the script was stopped before it was whole. */
async function readHead(running: RunningScript, reader: HeadReader): Promise<Whole | null> {
  for (;;) {
    const bytes = await running.next();
    if (bytes === null && running.stopped() !== null) return null;
    const progress = bytes === null ? reader.end() : reader.push(bytes);
    if (progress.kind !== "more") return progress;
  }
}

function answerDocument(exchange: Exchange, answer: Answer, rest: Bytes): Response | Promise<Response> {
  const { request, running } = exchange;
  const { statusText } = answer;
  const status = conditionalStatus(request, answer) ?? answer.status;
  if (status === 304 && answer.status !== 304) {
    discard(exchange);
    return respond(304, withoutBodyFields(answer.headers), null);
  }
  if (status === 412 && answer.status !== 412) {
    discard(exchange);
    return respond(412, withoutBodyFields(answer.headers), null);
  }
  if (!mayHaveBody(status, request.method)) {
    discard(exchange);
    // Of GET's answer (RFC 9110 section 8.6); the others have no length.
    if (request.method === "HEAD" && answer.length !== null && mayHaveBody(status, "GET")) {
      answer.headers.set("content-length", String(answer.length));
    }
    // RFC 9110 section 15.3.6: the one of them whose framing is not plain from the status.
    if (status === 205) answer.headers.set("content-length", "0");
    return respond(status, answer.headers.toHeaders(), null, statusText);
  }
  const excess = (): void => exchange.warn("wrote more than its Content-Length: the rest was cut off");
  const body = readScriptBody({ running, answer, rest, onExcess: once(excess) });
  return sendBody({
    answer,
    body,
    running,
    onFailed: (reason, page) =>
      page === null
        ? exchange.fail({ status: 502, reason: `the script failed: ${reason}`, running, sample: rest })
        : exchange.fail({
          status: 500,
          reason: `the script wrote its answer, and then failed: ${reason}`,
          advice: 'if it did not fail, let it end with "exit 0"',
          running,
          sample: rest,
          page,
        }),
    onBroken: exchange.brokenOff,
    onFull: () => discard(exchange, once(excess)),
  });
}

function once(callback: () => void): () => void {
  let called = false;
  return () => {
    if (!called) callback();
    called = true;
  };
}

/** RFC 3875 section 6.2.2: nothing but the Location, so nothing may follow either. */
async function answerRedirect(
  exchange: Exchange,
  plan: Extract<ResponsePlan, { kind: "local-redirect" }>,
  rest: Bytes,
): Promise<Response> {
  const { running, request, connection } = exchange;
  const first = rest.length > 0 ? rest : await running.next();
  if (first !== null) return await answerDocument(exchange, plan.answer, first);
  const exit = await running.exitWithin(EXIT_WAIT);
  if (running.stopped() !== null) return await failStopped(exchange);
  if (exit !== null && !isSuccess(exit)) return await failBadOutput(exchange, { reason: describeExit(exit) });
  return await redirectLocally(plan.target, request, connection) ??
    respond(plan.answer.status, plan.answer.headers.toHeaders(), null);
}

/** Output that nobody wants is read up to this many bytes, so that the script may end by itself. */
const DISCARD_LIMIT = 1_048_576;

/** How long a script may go on after its answer to HEAD, in milliseconds: nothing it does is for this client. */
const HEAD_WAIT = 1000;

/** Reads the rest of the output for nothing, within bounds. */
function discard(exchange: Exchange, onBytes: () => void = () => {}): void {
  const { running, request } = exchange;
  const timer = request.method === "HEAD"
    ? setTimeout(running.stop, HEAD_WAIT, "output-unwanted")
    : undefined;
  async function drain(): Promise<void> {
    let size = 0;
    for (let bytes = await running.next(); bytes !== null; bytes = await running.next()) {
      onBytes();
      size += bytes.length;
      if (size > DISCARD_LIMIT) running.stop("output-unwanted");
    }
    await running.ended;
    clearTimeout(timer);
  }
  void drain();
}

async function failBadOutput(
  exchange: Exchange,
  { reason, advice }: Pick<Failure, "reason" | "advice">,
  sample?: Bytes,
): Promise<Response> {
  const { running } = exchange;
  // One that ended by itself is left its own exit status, which says more than ours.
  if (await running.exitWithin(EXIT_WAIT) === null) running.stop("bad-output");
  // Its place is free once its output has ended, which somebody has to read.
  else discard(exchange);
  return await exchange.fail({
    status: 502,
    reason: running.hasWritten()
      ? `the script's output is no response: ${reason}`
      : "the script wrote nothing",
    advice,
    running,
    ...(sample === undefined ? {} : { sample }),
  });
}

async function failStopped(exchange: Exchange): Promise<Response> {
  const { running } = exchange;
  const refusal = exchange.refusal();
  if (refusal !== null) return await exchange.fail({ ...refusal, running });
  const reason = running.stopped();
  // Nobody is there to read it: the status is for the access log.
  if (reason === "client-gone") return respond(499, new Headers(), null);
  if (reason === "timeout") {
    return await exchange.fail({ status: 504, reason: describeStop(running), running });
  }
  return await exchange.fail({
    status: 503,
    reason: describeStop(running),
    running,
    headers: { "retry-after": "5" },
  });
}

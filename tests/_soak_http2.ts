/**
 * The kinds of requests of the soak that are HTTP/2, for runtimes that offer it. Each has a session of its own.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";

/** Says what was wrong with the answers, or `null`. */
type Play = (session: ClientHttp2Session, random: () => number) => Promise<string | null>;

const LARGE = Buffer.alloc(150_000, "x");

/** All of them. */
export const HTTP2_KINDS: Readonly<Record<string, Play>> = {
  async http2Many(session) {
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(session, "/hello")));
    return answers.find((answer) => answer !== "200 hello\n 0") ?? null;
  },
  async http2Upload(session, random) {
    const body = LARGE.subarray(0, random() * LARGE.length);
    const answer = await ask(session, "/echo", body);
    return answer === `200 ${body} 0` ? null : `an echo of ${answer.length - 6} bytes`;
  },
  async http2Unread(session) {
    const answer = await ask(session, "/unread", LARGE);
    return answer === "200 done\n 0" ? null : answer;
  },
  async http2Fails(session) {
    const [broken, whole] = await Promise.all([ask(session, "/fails"), ask(session, "/slow")]);
    if (!/^(200 begun\n|0 ) [1-9]|^5/.test(broken)) return `not broken: ${broken}`;
    return whole === "200 1\n2\n3\n 0" ? null : `beside a broken one: ${whole}`;
  },
  async http2Resets(session, random) {
    const streams = ["/large", "/silent", "/silent-after"].map((path) => request(session, path));
    await pause(random() * 60);
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    const after = await ask(session, "/hello");
    return after === "200 hello\n 0" ? null : `after resets: ${after}`;
  },
  async http2LeavesWithStreams(session, random) {
    for (const path of ["/large", "/silent", "/slow", "/stubborn"]) request(session, path);
    request(session, "/echo", false).write(LARGE);
    await pause(random() * 60);
    return null;
  },
};

/** Plays one on a session of its own, which is cut at the end. */
export async function playHttp2(port: number, kind: string, random: () => number): Promise<string | null> {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  try {
    return await HTTP2_KINDS[kind]!(session, random);
  } catch (error) {
    return String(error);
  } finally {
    session.destroy();
  }
}

function request(session: ClientHttp2Session, path: string, isGet = true): ClientHttp2Stream {
  const stream = session.request({ ":path": path, ":method": isGet ? "GET" : "POST" }, { endStream: isGet });
  return stream.on("error", () => {});
}

/** Status, body, and the code that the stream was closed with. */
function ask(session: ClientHttp2Session, path: string, body?: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = request(session, path, body === undefined);
    const timer = setTimeout(() => reject(new Error(`no answer to ${path}`)), 30_000);
    let [status, text] = [0, ""];
    stream.on("response", (fields) => status = Number(fields[":status"]));
    stream.on("data", (piece: Uint8Array) => text += Buffer.from(piece).toString("latin1"));
    stream.on("close", () => {
      clearTimeout(timer);
      resolve(`${status} ${text} ${stream.rstCode}`);
    });
    if (body !== undefined) stream.end(body);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

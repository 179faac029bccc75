/**
 * From the start of a process to the end of its first answer.
 *
 * @module
 */

import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { type Contender, launch } from "./contender.ts";

/** Starts it, asks until it answers, and ends it, `pause` milliseconds later. `memory` is what it had then, in bytes. */
export async function firstAnswer(
  contender: Contender,
  pause = 0,
): Promise<{ readonly seconds: number; readonly memory: number }> {
  const server = await launch(contender, { log: false, cores: 1 });
  try {
    while (!await answers(server.port)) {
      if (server.ended() || performance.now() - server.began > 20_000) {
        throw new Error(`${contender.name}: no answer`);
      }
    }
    const seconds = (performance.now() - server.began) / 1000;
    await new Promise((resolve) => setTimeout(resolve, pause));
    return { seconds, memory: server.group.memory() };
  } finally {
    await server.stop();
  }
}

/** Whether a request is answered, to the end. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (text) => answer += text);
    socket.once("error", () => resolve(false)).once("end", () => resolve(/^HTTP\/1.[01] 200 /.test(answer)));
    socket.write("GET /1k.html HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  });
}

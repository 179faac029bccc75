/**
 * More connections: speed, and memory of those that are idle.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { type Contender, type Running, start } from "../contender.ts";
import { type Load, send } from "../load.ts";
import type { Measurement } from "../run.ts";
import { markdown, median, spread } from "../table.ts";
import { KIB } from "../work.ts";

const COUNTS = [1, 10, 100, 1000];
const IDLE = 1000;

/** Requests for 1 KiB over ever more connections, beside nginx. */
export function connections(contenders: readonly Contender[], reference: string): Measurement {
  return {
    name: "connections",
    about:
      `1 KiB over 1 to 1,000 connections, ratio to ${reference} with as many; KiB for each of 1,000 idle ones`,
    async measure({ rounds, seconds }) {
      const rates = new Map<string, number[][]>(contenders.map(({ name }) => [name, COUNTS.map(() => [])]));
      const idle = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
      for (let round = 0; round < rounds; round++) {
        for (const contender of contenders) {
          const server = await start(contender, { log: false, cores: 1 });
          try {
            const load: Load = { path: "/1k.html", connections: 10, seconds: seconds ?? 2, bytes: KIB };
            await send(server, 1, { ...load, seconds: contender.jit ? 5 : 1 });
            for (const [index, connections] of COUNTS.entries()) {
              const sample = await send(server, 1, { ...load, connections });
              rates.get(contender.name)![index]!.push(sample.requests / sample.seconds);
            }
          } finally {
            await server.stop();
          }
          idle.get(contender.name)!.push(await idleMemory(contender));
        }
      }
      const rows = contenders.map(({ name }) => [
        name,
        ...COUNTS.map((_, index) => {
          const own = rates.get(name)![index]!;
          if (name === reference) return `1 = ${median(own).toFixed(0)}/s`;
          return spread(own.map((rate, round) => rate / rates.get(reference)![index]![round]!));
        }),
        spread(idle.get(name)!, 1),
      ]);
      return markdown(["", ...COUNTS.map(String), "KiB each, idle"], rows);
    },
  };
}

/** KiB for each connection that has had one answer and waits; of a server that has seen some load before. */
async function idleMemory(contender: Contender): Promise<number> {
  const server = await start(contender, { log: false, cores: 1 });
  const sockets: Socket[] = [];
  try {
    await send(server, 1, { path: "/1k.html", connections: 100, seconds: 2 });
    const before = server.group.memory();
    // Some at a time: the queue of those that wait to be accepted is short.
    while (sockets.length < IDLE) {
      sockets.push(...await Promise.all(Array.from({ length: 50 }, () => answered(server))));
    }
    return (server.group.memory() - before) / IDLE / KIB;
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}

function answered({ port }: Running): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1").once("error", reject);
    let length = 0;
    socket.on("data", (bytes) => {
      length += bytes.length;
      if (length > KIB) resolve(socket);
    });
    socket.write("GET /1k.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  });
}

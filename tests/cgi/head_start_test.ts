/**
 * Scripts that are started on the head of a request: what they are told and what they answer is what it always is.
 */

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Handler } from "../../src/handler.ts";
import type { AccessEvent, LogEvent, ScriptExitEvent } from "../../src/log/events.ts";
import { isAlive, needsLauncher, untilLaunched } from "../contract/_processes.ts";
import { connect, exchange, get, type RawResponse } from "../_http.ts";
import { until } from "../_runtime.ts";
import { type Served, serveScripts } from "./_served.ts";
import { temporaryFolder, write } from "./_temporary.ts";

const SCRIPT = `#!/bin/sh
case "$QUERY_STRING" in
  environment) printf 'Content-Type: text/plain\\n\\n'; env; pwd; wc -c ;;
  status) printf 'Status: 201 Made it\\nX-One: a\\nSet-Cookie: a=1\\nSet-Cookie: b=2\\n\\n' ;;
  streamed) printf 'Content-Type: text/plain\\n\\none\\n'; sleep 0.1; echo two ;;
  errors) echo "$X_REQUEST_ID" >&2; printf 'Content-Type: text/plain\\n\\nhello' ;;
  failed) printf 'Content-Type: text/plain\\n\\nhello'; exit 3 ;;
  nothing) ;;
  long) printf 'Content-Length: 3\\nContent-Type: text/plain\\n\\nhello' ;;
  short) printf 'Content-Length: 9\\nContent-Type: text/plain\\n\\nhello' ;;
  redirect) printf 'Location: /bin/x?hello\\n\\n' ;;
  tagged) printf 'Content-Type: text/plain\\nETag: "a"\\n\\nhello' ;;
  large) printf 'Content-Type: text/plain\\n\\n'; head -c 300000 /dev/zero ;;
  asleep) echo $$ >&2; sleep 60 ;;
  left) sleep 60 >/dev/null 2>&1 & echo $! >&2; printf 'Content-Type: text/plain\\n\\nhello' ;;
  held) (sleep 0.1; echo late) & printf 'Content-Type: text/plain\\n\\nhello\\n' ;;
  *) printf 'Content-Type: text/plain\\n\\nhello' ;;
esac
`;

function fieldsOf({ headers }: RawResponse, name: string): string[] {
  return headers.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
}

for (const direct of [true, false]) {
  describe(
    `a script that is known${direct ? ", started directly" : ""}`,
    { skip: direct ? false : needsLauncher },
    () => {
      const folder = temporaryFolder();
      const counts = { begun: 0, atOnce: 0, inFull: 0 };
      let served: Served;

      /** Counts what is begun, what is answered without being asked in full, and what is not. */
      const counted = (scripts: Handler): Handler =>
        Object.assign(
          ((request, connection) => {
            counts.inFull++;
            return scripts(request, connection);
          }) as Handler,
          {
            atOnce: ((head, connection) => {
              const answer = scripts.atOnce!(head, connection);
              if (!(answer instanceof Promise)) return answer;
              counts.begun++;
              return answer.then((made) => {
                if ("status" in made) counts.atOnce++;
                return made;
              });
            }) as NonNullable<Handler["atOnce"]>,
          },
        );

      before(async () => {
        if (!direct) await untilLaunched();
        mkdirSync(join(folder, "site/bin"), { recursive: true });
        write(join(folder, "site/bin/x"), SCRIPT);
        served = await serveScripts({
          root: join(folder, "site"),
          direct,
          limits: { concurrent: 2, queue: 1 },
          around: counted,
        });
        await served.get("/bin/x");
      });
      beforeEach(() => void Object.assign(counts, { begun: 0, atOnce: 0, inFull: 0 }));
      after(() => served.close());

      const ask = (query: string, ...headers: string[]) => served.get(`/bin/x?${query}`, ...headers);

      it("is begun on the head alone, and answered with its length", async () => {
        const response = await ask("hello");
        assert.deepEqual([response.status, response.text], [200, "hello"]);
        assert.deepEqual(fieldsOf(response, "content-length"), ["5"]);
        assert.deepEqual(
          counts,
          direct ? { begun: 1, atOnce: 0, inFull: 1 } : { begun: 1, atOnce: 1, inFull: 0 },
        );
      });

      it("is told the very same", async () => {
        const fields = ["Cookie: a=1", "Cookie: b=2", "X-Twice: 1", "x-twice: 2", "Proxy: evil", "X_Odd: 1"];
        const first = await serveScripts({ root: join(folder, "site"), direct });
        try {
          const path = "/bin/x?environment";
          const [whole, head] = [await first.get(path, ...fields), await ask("environment", ...fields)];
          assert.match(head.text, /^HTTP_COOKIE=a=1; b=2$/m);
          assert.match(head.text, /^HTTP_X_TWICE=1, 2$/m);
          assert.match(head.text, /^X_REQUEST_ID=\S+$/m);
          const shared = (text: string) =>
            text.split("\n").filter((line) =>
              !/^(?:REMOTE_PORT|SERVER_PORT|X_REQUEST_ID|HTTP_HOST|_)=/.test(line)
            )
              .sort();
          assert.deepEqual(shared(head.text), shared(whole.text));
          assert.equal(counts.begun, 1);
        } finally {
          await first.close();
        }
      });

      it("is told of its own connection and request, also when the same bytes have come before", async () => {
        const connections = [await connect(served), await connect(served)];
        const value = (text: string, name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1];
        const told: string[] = [];
        try {
          for (let round = 0; round < 3; round++) {
            for (const connection of connections) {
              await connection.send(get("/bin/x?environment", "Cookie: a=1", "Authorization: Basic YTpi"));
              told.push((await connection.response()).text);
            }
          }
        } finally {
          for (const connection of connections) connection.close();
        }
        assert.equal(new Set(told.map((text) => value(text, "X_REQUEST_ID"))).size, 6);
        const ports = told.map((text) => value(text, "REMOTE_PORT"));
        assert.notEqual(ports[0], ports[1]);
        assert.deepEqual(ports, [0, 1, 0, 1, 0, 1].map((which) => ports[which]));
        const rest = told.map((text) => text.replace(/^(?:REMOTE_PORT|X_REQUEST_ID)=.*$/gm, ""));
        assert.deepEqual(new Set(rest).size, 1);
        assert.match(rest[0]!, /^HTTP_COOKIE=a=1$/m);
        assert.doesNotMatch(rest[0]!, /AUTHORIZATION/);
      });

      it("has its status, its words and its fields sent", async () => {
        const response = await ask("status");
        assert.deepEqual([response.status, response.reason], [201, "Made it"]);
        assert.deepEqual(fieldsOf(response, "x-one"), ["a"]);
        assert.deepEqual(fieldsOf(response, "set-cookie"), ["a=1", "b=2"]);
      });

      it("may take its time, write much, or be held by what it started", async () => {
        assert.equal((await ask("streamed")).text, "one\ntwo\n");
        assert.equal((await ask("large")).body.length, 300_000);
        assert.equal((await ask("held")).text, "hello\nlate\n");
        assert.equal(counts.begun, 3);
      });

      it("fails as it always fails", async () => {
        let asked = 0;
        let status: number;
        // Its end is waited for, but not for longer than 8 ms, which may not be enough for the machine.
        do status = (await ask("failed")).status; while (++asked < 6 && status === 200);
        assert.equal(status, 500);
        assert.equal((await ask("nothing")).status, 502);
        assert.equal((await ask("long")).text, "hel");
        await assert.rejects(async () => {
          const { body, status } = await ask("short");
          if (status !== 200 || body.length !== 9) throw new Error("not whole");
        });
        assert.equal(counts.begun, 3 + asked);
      });

      it("redirects, answers HEAD and conditions", async () => {
        assert.equal((await ask("redirect")).text, "hello");
        assert.equal((await ask("tagged", 'If-None-Match: "a"')).status, 304);
        const head = await exchange(served, "HEAD /bin/x?hello HTTP/1.0\r\n\r\n");
        assert.match(String(head.status), /^200$/);
        assert.equal(head.text, "");
      });

      it("is called the same in its environment, its errors and the access log", async () => {
        const seen = served.events.length;
        await ask("errors");
        const events = () => served.events.slice(seen);
        const isAccess = (event: LogEvent): event is AccessEvent =>
          event.type === "access" && event.target === "/bin/x?errors";
        await until(() => events().some(isAccess), "logged");
        const line = events().find((event) => event.type === "script-stderr");
        const access = events().find(isAccess);
        assert.equal(line?.line, line?.requestId);
        assert.deepEqual([access?.requestId, access?.status, access?.code], [line?.requestId, 200, 0]);
        assert.equal(access?.script, join(folder, "site/bin/x"));
      });

      it("is named in the access log, and told of once when it has ended", async () => {
        const seen = served.events.length;
        await ask("named");
        const events = () => served.events.slice(seen);
        const isAccess = (event: LogEvent): event is AccessEvent =>
          event.type === "access" && event.target === "/bin/x?named";
        await until(() => events().some(isAccess), "logged");
        const access = events().find(isAccess);
        const isExit = (event: LogEvent): event is ScriptExitEvent =>
          event.type === "script-exit" && event.requestId === access?.requestId;
        await until(() => events().some(isExit), "told of its end");
        const [exit, ...more] = events().filter(isExit);
        assert.deepEqual([exit?.code, access?.code, access?.bytes, access?.complete], [0, 0, 5, true]);
        assert.deepEqual([access?.pid, more], [exit?.pid, []]);
      });

      it("is ended, with what it left behind, when its client leaves or it has answered", async () => {
        const pidOf = async (seen: number) => {
          const find = () => served.events.slice(seen).find((event) => event.type === "script-stderr");
          await until(() => find() !== undefined, "the script's number");
          return Number(find()!.line);
        };
        const before = served.events.length;
        const connection = await connect(served);
        await connection.send(get("/bin/x?asleep"));
        const asleep = await pidOf(before);
        connection.close();
        await until(() => !isAlive(asleep), "the script's end");
        const then = served.events.length;
        assert.equal((await ask("left")).text, "hello");
        const left = await pidOf(then);
        await until(() => !isAlive(left), "the end of what the script left");
        assert.equal(counts.begun, 2);
      });

      it("waits its turn, and gives its place back", async () => {
        const answers = await Promise.all([1, 2, 3].map(() => ask("streamed")));
        assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
        for (let round = 0; round < 5; round++) assert.equal((await ask("hello")).status, 200);
      });

      it("is seen to have gone, to have come back, to be forbidden, or to be a link to elsewhere", async () => {
        const file = join(folder, "site/bin/x");
        const away = join(folder, "away");
        const statuses: number[] = [];
        const look = async () => void statuses.push((await ask("hello")).status);
        renameSync(file, away);
        await look();
        symlinkSync(away, file);
        await look();
        rmSync(file);
        renameSync(away, file);
        await look();
        chmodSync(file, 0o644);
        await look();
        chmodSync(file, 0o755);
        await look();
        const bin = join(folder, "site/bin");
        renameSync(bin, join(folder, "bin"));
        symlinkSync(join(folder, "bin"), bin);
        await look();
        rmSync(bin);
        renameSync(join(folder, "bin"), bin);
        await look();
        assert.deepEqual(statuses, [404, 404, 200, 403, 200, 404, 200]);
      });
    },
  );
}

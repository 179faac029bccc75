/** Basic authentication. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { basicAuth, type BasicAuthOptions } from "../../src/access/basic_auth.ts";
import { parseHtpasswd } from "../../src/access/htpasswd.ts";
import { passwordChecker } from "../../src/access/passwords.ts";
import type { Connection } from "../../src/handler.ts";

/** bcrypt of 1815 */
const HASH = "$2b$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2";

function fieldOf(credentials: string): string {
  const bytes = new TextEncoder().encode(credentials);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** What the handler behind it was told of the user, and the response. */
async function ask(
  options: BasicAuthOptions,
  authorization?: string,
): Promise<readonly [Connection["user"], Response]> {
  let user: Connection["user"];
  const handler = basicAuth(options, (_request, connection) => {
    user = connection?.user;
    return new Response("in");
  });
  const headers = authorization === undefined ? {} : { authorization };
  const response = await handler(new Request("http://localhost/", { headers }), { remote: null });
  return [user, response ?? assert.fail("passed on")];
}

test("the right password comes in, and the handler is told who it is", async () => {
  for (const password of ["1815", HASH]) {
    const [user, response] = await ask({ users: { ada: password } }, fieldOf("ada:1815"));
    assert.deepEqual(user, { name: "ada", scheme: "Basic" });
    assert.equal(await response.text(), "in");
  }
});

const OUT: readonly (readonly [what: string, field: string | undefined])[] = [
  ["nothing", undefined],
  ["another scheme", "Bearer YWRhOjE4MTU="],
  ["no base64", "Basic ada:1815"],
  ["two credentials", `${fieldOf("ada:1815")} ${fieldOf("ada:1815")}`],
  ["no colon", fieldOf("ada1815")],
  ["no password", fieldOf("ada:")],
  ["no user", fieldOf(":1815")],
  ["a part of the password", fieldOf("ada:181")],
  ["more than the password", fieldOf("ada:18155")],
  ["another user", fieldOf("eve:1815")],
  ["a name that every object has", fieldOf("__proto__:1815")],
  ["another one", fieldOf("constructor:x")],
  ["a control character", fieldOf("ada:1815\n")],
  ["NUL", fieldOf("ada\0:1815")],
  ["no UTF-8", "Basic YWRhOv8="],
];

for (const [what, field] of OUT) {
  test(`${what} does not`, async () => {
    for (const password of ["1815", HASH]) {
      const [user, response] = await ask({ users: { ada: password, ["émile"]: "x" } }, field);
      assert.equal(user, undefined);
      assert.equal(response.status, 401);
      assert.equal(response.headers.get("www-authenticate"), 'Basic realm="htbin", charset="UTF-8"');
      assert.doesNotMatch(await response.text(), /1815/);
    }
  });
}

test("names and passwords are UTF-8, however accents are composed", async () => {
  const users = { "émile": "pässwörd 🔑" };
  for (const form of ["NFC", "NFD"] as const) {
    const [, response] = await ask({ users }, fieldOf("émile:" + "pässwörd 🔑".normalize(form)));
    assert.equal(response.status, 200, form);
  }
});

test("a function may decide instead", async () => {
  const users = (user: string, password: string) => Promise.resolve(user === password);
  assert.equal((await ask({ users }, fieldOf("a:a")))[1].status, 200);
  assert.equal((await ask({ users }, fieldOf("a:b")))[1].status, 401);
});

test("the realm is quoted", async () => {
  const [, response] = await ask({ users: { a: "b" }, realm: 'the "inner" \\ realm' });
  assert.equal(
    response.headers.get("www-authenticate"),
    String.raw`Basic realm="the \"inner\" \\ realm", charset="UTF-8"`,
  );
});

test("what no client can send is refused at once, and no message shows a password", () => {
  const wrong: readonly BasicAuthOptions[] = [
    { users: { "": "geheim" } },
    { users: { "a:b": "geheim" } },
    { users: { "a\n": "geheim" } },
    { users: { a: "" } },
    { users: { a: "geheim\x7f" } },
    { users: {}, realm: "ä" },
    { users: "ada:geheim" as never },
    {} as never,
  ];
  for (const options of wrong) {
    assert.throws(() => basicAuth(options, () => undefined), (error) => {
      assert.ok(error instanceof TypeError);
      if (typeof options.users !== "string") assert.doesNotMatch(error.message, /geheim/);
      return true;
    });
  }
});

test("a password that fitted its hash is known from then on, and only that one", async () => {
  const check = passwordChecker({ ada: HASH });
  assert.equal(await check("ada", "1815"), true);
  // bcrypt takes one after another.
  let checked = 0;
  const guesses = Array.from({ length: 20 }, async () => {
    assert.equal(await check("ada", "1816"), false);
    checked++;
  });
  assert.equal(await check("ada", "1815"), true);
  assert.ok(checked < guesses.length, "without waiting for bcrypt");
  await Promise.all(guesses);
});

test("guesses wait for one another, and too many are sent away", async () => {
  const [handlers, hashes] = [[] as Promise<number>[], { ada: HASH }];
  const handler = basicAuth({ users: hashes }, () => new Response("in"));
  for (let guess = 0; guess < 150; guess++) {
    const headers = { authorization: fieldOf(`ada:${guess}`) };
    handlers.push(
      Promise.resolve(handler(new Request("http://localhost/", { headers }))).then((response) =>
        response!.status
      ),
    );
  }
  const statuses = await Promise.all(handlers);
  assert.equal(statuses.filter((status) => status === 401).length, 100);
  assert.equal(statuses.filter((status) => status === 503).length, 50);
  const [, response] = await ask({ users: hashes }, fieldOf("ada:1815"));
  assert.equal(response.status, 200);
});

test("a password file: users, comments, empty lines", () => {
  assert.deepEqual(parseHtpasswd(`# users\r\n\r\nada:${HASH}\r\nbob:${HASH} \n`), { ada: HASH, bob: HASH });
  assert.deepEqual(parseHtpasswd(""), {});
});

const BAD_LINES: readonly (readonly [line: string, message: RegExp])[] = [
  ["ada", /^line 2 is not USER:HASH/],
  [":x", /^line 2 is not USER:HASH/],
  ["ada:geheim", /^line 2, user ada: no hash that is known; .*htpasswd -B FILE ada$/],
  ["ada:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00", /user ada: MD5 \(apr1\);/],
  ["ada:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", /user ada: SHA-1 without salt;/],
  ["ada:$5$salt$hash", /SHA-256 crypt/],
  ["ada:$2x$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2", /a kind of bcrypt/],
];

for (const [line, message] of BAD_LINES) {
  test(`a password file with ${line.slice(0, 10)} is refused, with advice`, () => {
    assert.throws(() => parseHtpasswd(`bob:${HASH}\n${line}\n`), (error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /geheim|W6ph5|lZL6V/);
      return true;
    });
  });
}

function withHtpasswd(): string | false {
  try {
    execFileSync("htpasswd", ["-nbB", "a", "b"], { stdio: "pipe" });
    return false;
  } catch {
    return "htpasswd is not installed";
  }
}

test("what htpasswd -B writes is understood", { skip: withHtpasswd() }, async () => {
  const text = execFileSync("htpasswd", ["-nbB", "ada", "Grüße 1815"], { encoding: "utf8", stdio: "pipe" });
  const users = parseHtpasswd(text);
  assert.equal((await ask({ users }, fieldOf("ada:Grüße 1815")))[1].status, 200);
  assert.equal((await ask({ users }, fieldOf("ada:Grüße 1816")))[1].status, 401);
});

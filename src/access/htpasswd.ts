/**
 * Files of users and passwords, as `htpasswd -B` writes them.
 *
 * @module
 */

import { isBcryptHash } from "./passwords.ts";

/** What the other kinds of hashes begin with, and what they are called. */
const OTHER_KINDS: readonly (readonly [start: string, name: string])[] = [
  ["$apr1$", "MD5 (apr1)"],
  ["$1$", "MD5"],
  ["{SHA}", "SHA-1 without salt"],
  ["{SSHA}", "SHA-1"],
  ["$5$", "SHA-256 crypt"],
  ["$6$", "SHA-512 crypt"],
  ["$2", "a kind of bcrypt that is not known"],
];

/**
 * Reads the text of a password file: `user:hash` a line, with empty lines and comments (`#`) between them. The hashes
 * are bcrypt's, which `htpasswd -B` makes; the others that `htpasswd` has are quickly guessed, or of no use elsewhere.
 *
 * @returns Users and hashes, for {@linkcode basicAuth}.
 * @throws {TypeError} For a line that is none of these. The message names its number and the user, never the hash.
 *
 * @example
 * ```ts
 * import { basicAuth, parseHtpasswd } from "htbin";
 *
 * const text = "ada:$2b$04$bV6j5bZ6BYDyjUSag7SVVu9i2XouprX319EqtjWLpvK2Ljaucfhg2\n";
 * const handler = basicAuth({ users: parseHtpasswd(text) }, () => new Response("Hello"));
 * console.assert((await handler(new Request("http://localhost/")))?.status === 401);
 * ```
 */
export function parseHtpasswd(text: string): Record<string, string> {
  const users = new Map<string, string>();
  text.split(/\r?\n/).forEach((line, at) => {
    if (line.trim() === "" || line.startsWith("#")) return;
    const colon = line.indexOf(":");
    const user = line.slice(0, colon);
    if (colon < 1) throw new TypeError(`line ${at + 1} is not USER:HASH, as htpasswd -B writes it`);
    const hash = line.slice(colon + 1).trim();
    if (!isBcryptHash(hash)) {
      const kind = OTHER_KINDS.find(([start]) => hash.startsWith(start))?.[1] ?? "no hash that is known";
      throw new TypeError(
        `line ${at + 1}, user ${user}: ${kind}; only bcrypt is taken: htpasswd -B FILE ${user}`,
      );
    }
    users.set(user, hash);
  });
  return Object.fromEntries(users);
}

/**
 * Whether a password is the user's, told in a time that says nothing about it.
 *
 * @module
 */

import { now } from "../clock.ts";

/**
 * Says whether this is the user's password.
 *
 * @example
 * ```ts
 * import { basicAuth, type BasicAuthOptions, type CheckPassword } from "htbin";
 *
 * const check: CheckPassword = (user, password) => user === "ada" && password === "1815";
 * const options: BasicAuthOptions = { users: check, realm: "the engine" };
 * const handler = basicAuth(options, () => new Response("Hello"));
 * const response = await handler(new Request("http://localhost/"));
 * console.assert(response?.headers.get("www-authenticate")?.includes("the engine"));
 * ```
 */
export type CheckPassword = (user: string, password: string) => boolean | Promise<boolean>;

/** Too many wait for their password to be checked. */
export class TooManyChecks extends Error {
  override name = "TooManyChecks";
}

/** What `htpasswd -B` and its kin write: version, cost, salt, hash. */
const BCRYPT = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;

/** Whether the text is the bcrypt hash of a password. */
export function isBcryptHash(text: string): boolean {
  return BCRYPT.test(text);
}

/** A user, as far as it is known. */
interface Account {
  /** The bcrypt hash of the password, where there is no more than that. */
  readonly hash: string | null;
  /** What `digest()` makes of the password, once it is known. */
  digest: Promise<Uint8Array> | null;
}

/**
 * Makes the check for these users, each with a password or its bcrypt hash.
 *
 * Passwords are compared by their keyed digests, so that the time it takes tells nothing about them; for a user who is
 * not known it takes as long. A password that fitted its hash once is known by its digest from then on: bcrypt is slow.
 *
 * @throws {TypeError} For a user or password that is empty or that no client can send.
 */
export function passwordChecker(users: Readonly<Record<string, string>>): CheckPassword {
  const digest = keyedDigest();
  const accounts = new Map<string, Account>();
  for (const [user, password] of Object.entries(users)) {
    checkCredentials(user, password);
    const account = isBcryptHash(password)
      ? { hash: password, digest: null }
      : { hash: null, digest: digest(password) };
    accounts.set(user, account);
  }
  const nobody: Account = {
    hash: [...accounts.values()].find(({ hash }) => hash !== null)?.hash ?? null,
    digest: digest(crypto.randomUUID()),
  };
  const compare = slowCompare();
  return async function checkPassword(user, password) {
    const account = accounts.get(user) ?? nobody;
    const given = digest(password);
    let fits = account.digest !== null && isEqual(await account.digest, await given);
    if (!fits && account.hash !== null) {
      fits = await compare(password, account.hash);
      if (fits && account !== nobody) account.digest = given;
    }
    return fits && account !== nobody;
  };
}

/** What neither a user name nor a password may hold (RFC 7617 section 2). */
export const CONTROL: RegExp = /[\0-\x1f\x7f]/;

/**
 * Checks what a client could send.
 *
 * @throws {TypeError} For a user or password that is empty or that no client can send.
 */
export function checkCredentials(user: string, password: string): void {
  if (user === "" || user.includes(":") || CONTROL.test(user)) {
    throw new TypeError(
      `Cannot use the user name ${JSON.stringify(user)}: it is empty, or holds what it may not`,
    );
  }
  if (password === "" || CONTROL.test(password)) {
    throw new TypeError(`Cannot use the password of ${user}: it is empty, or holds a control character`);
  }
}

/** HMAC with a key that only this process has. Compares as Unicode has it, however a client composes its accents. */
function keyedDigest(): (text: string) => Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const random = crypto.getRandomValues(new Uint8Array(32));
  const key = crypto.subtle.importKey("raw", random, algorithm, false, ["sign"]);
  return async (text) => {
    const bytes = new TextEncoder().encode(text.normalize());
    return new Uint8Array(await crypto.subtle.sign(algorithm, await key, bytes));
  };
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  one.forEach((byte, at) => difference |= byte ^ (other[at] ?? 0));
  return difference === 0;
}

/** So many may wait for bcrypt. */
const MOST_WAITING = 100;

/** After a wrong password bcrypt rests so many times as long as it took: guessing takes a quarter of a processor at most. */
const REST = 3;

/** bcrypt, one at a time. */
function slowCompare(): (password: string, hash: string) => Promise<boolean> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (password, hash) => {
    if (waiting >= MOST_WAITING) throw new TooManyChecks("too many passwords to check");
    waiting++;
    const { promise: isOver, resolve: over } = deferred();
    const before = last;
    last = isOver;
    try {
      await before;
      const started = now();
      const { compare } = await import("bcryptjs");
      const fits = await compare(password, hash);
      setTimeout(over, fits ? 0 : (now() - started) * REST);
      return fits;
    } catch (error) {
      over();
      throw error;
    } finally {
      waiting--;
    }
  };
}

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => resolve = settle);
  return { promise, resolve };
}

/**
 * Meta-variables as a script reads them (RFC 3875 section 4.1).
 *
 * @module
 */

/** An environment. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The value of a variable. One that is empty is the same as one that is not there (RFC 3875 section 4.1). */
export function variable(variables: Variables, name: string): string | null {
  return Object.hasOwn(variables, name) && variables[name] || null;
}

/** Whether a server has started this process. */
export function isCgi(variables: Variables): boolean {
  return variable(variables, "GATEWAY_INTERFACE") !== null || variable(variables, "REQUEST_METHOD") !== null;
}

/** Servers that have ways of their own, by the names that they have in `SERVER_SOFTWARE`. */
export type ServerName = "Apache" | "Microsoft-IIS" | "SimpleHTTP" | "busybox httpd";

/** Whether the server says that it is this one. */
export function isServer(variables: Variables, name: ServerName): boolean {
  return variable(variables, "SERVER_SOFTWARE")?.split("/", 1)[0] === name;
}

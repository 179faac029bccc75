/**
 * What Deno allows, asked in such a way that it never stops the server to ask at a terminal.
 *
 * @module
 */

import { FileError } from "../../src/runtime.ts";

// Asking costs 1 µs for each file; a permission for everything is usual.
const whole = new Set<"read" | "write">();

/** Whether Deno allows this now. Without a prompt. */
export function isGranted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

/** Whether Deno was started with `-A`, as far as can be told. */
export function isAllGranted(): boolean {
  const names = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;
  return names.every((name) => isGranted({ name }));
}

/** Rejects what Deno would ask at the terminal for, or refuse. */
export function demandFileAccess(
  name: "read" | "write",
  action: string,
  path: string,
): void {
  if (whole.has(name)) return;
  const all = Deno.permissions.querySync({ name });
  if (all.state === "granted" && !all.partial) {
    whole.add(name);
    return;
  }
  if (isGranted({ name, path })) return;
  throw new FileError(
    "denied",
    `Cannot ${action} ${path}: Deno was not started with --allow-${name} for it`,
  );
}

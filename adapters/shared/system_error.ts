/**
 * What the system's error codes mean to the core: one table for the three runtimes.
 *
 * @module
 */

import { FileError, type FileErrorReason } from "../../src/runtime.ts";

// EINVAL and EILSEQ: names that this file system cannot hold (FAT, APFS).
const absent = new Set([
  "ENOENT",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
  "EINVAL",
  "EILSEQ",
]);

const denied = new Set(["EACCES", "EPERM", "NotCapable"]);

// EAGAIN: a lease (Samba's oplocks) on a file opened without blocking, or the limit of processes. ETXTBSY: a program
// that is being written.
const exhausted = new Set([
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOBUFS",
  "ENOSPC",
  "EDQUOT",
  "EAGAIN",
  "ETXTBSY",
]);

const explanations: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EMFILE: "this process has too many open files (raise `ulimit -n`)",
  ENFILE: "the system has too many open files",
  ENOMEM: "out of memory",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EAGAIN: "the system is at a limit, or the file is leased",
  ETXTBSY: "it is being written",
  EIO: "input/output error",
  ESTALE: "the network file system has lost it",
};

/** `ENOENT` and the like; `NotCapable` for a permission of Deno's; `""` where the error names no code. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.name === "NotCapable" ? "NotCapable" : "";
}

/** Whether an error of looking up a path says that nothing is there. */
export function isAbsence(error: unknown): boolean {
  return absent.has(errorCode(error));
}

/** Whether the system refuses. */
export function isDenial(code: string): boolean {
  return denied.has(code);
}

/** Whether the system is out of something that may be there again in a moment. */
export function isExhaustion(code: string): boolean {
  return exhausted.has(code);
}

/** The error in words for an operator. */
export function explain(error: unknown): string {
  const code = errorCode(error);
  const known = explanations[code];
  if (known !== undefined) return `${known} (${code})`;
  return error instanceof Error ? error.message : String(error);
}

/** "Cannot `action` `path`: …", with the reason that the error's code stands for. */
export function fileError(
  error: unknown,
  action: string,
  path: string,
): FileError {
  if (error instanceof FileError) return error;
  const code = errorCode(error);
  let reason: FileErrorReason = "failed";
  if (isDenial(code)) reason = "denied";
  else if (isExhaustion(code)) reason = "exhausted";
  return new FileError(reason, `Cannot ${action} ${path}: ${explain(error)}`, {
    cause: error,
  });
}

/** Whether the system can express the path at all: no NUL, no half of a surrogate pair, not empty. */
export function isExpressible(path: string): boolean {
  // Half a pair would be sent as U+FFFD and so name another file.
  return path !== "" && !/[\0\ud800-\udfff]/u.test(path);
}

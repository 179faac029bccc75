/**
 * Looking for names in an open folder with two calls of Linux's C library, which take a third of what the runtime's own
 * do: those make objects with a dozen values of each file.
 *
 * @module
 */

import type { LookIn } from "./files_in.ts";

/** The calls. Each returns 0 where all went well. */
export interface FolderCalls {
  statx(
    folder: number,
    name: Uint8Array<ArrayBuffer>,
    flags: number,
    mask: number,
    into: Uint8Array<ArrayBuffer>,
  ): number;
  faccessat(folder: number, name: Uint8Array<ArrayBuffer>, mode: number, flags: number): number;
}

/** `AT_SYMLINK_NOFOLLOW`: of a link itself. */
const NO_FOLLOW = 0x100;
/** `AT_EACCESS`: who this process is taken for, as when it opens a file. */
const AS_OPENED = 0x200;
/** `STATX_TYPE | STATX_MTIME | STATX_SIZE` */
const WANTED = 0x1 | 0x40 | 0x200;
/** `R_OK` */
const TO_READ = 4;
/** `S_IFMT` and `S_IFREG` */
const KIND = 0xf000;
const REGULAR = 0x8000;

const encoder = new TextEncoder();
/** Longer than any name. */
const path = new Uint8Array(1024);
/** `struct statx`, the same on all machines but for the order of bytes. */
const status = new Uint8Array(256);
const view = new DataView(status.buffer);
const isLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Makes it of the calls. */
export function lookByLibrary({ statx, faccessat }: FolderCalls): LookIn {
  return (folder) => (name) => {
    const { read, written } = encoder.encodeInto(name, path);
    if (read < name.length || written === path.length) return null;
    path[written] = 0;
    if (statx(folder, path, NO_FOLLOW, WANTED, status) !== 0) return null;
    const has = view.getUint32(0, isLittle);
    if ((has & WANTED) !== WANTED || (view.getUint16(28, isLittle) & KIND) !== REGULAR) return null;
    if (faccessat(folder, path, TO_READ, AS_OPENED) !== 0) return null;
    const seconds = Number(view.getBigInt64(112, isLittle));
    const mtimeMs = seconds * 1000 + Math.floor(view.getUint32(120, isLittle) / 1e6);
    return { size: Number(view.getBigUint64(40, isLittle)), mtimeMs };
  };
}

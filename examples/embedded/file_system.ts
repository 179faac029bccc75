/** A file system of what was embedded: all that static files need of one. */

import { type Bytes, FileError, type FileInfo, type FileSystem, type OpenFile } from "htbin/runtime";

/** `files` maps absolute paths to content in base64, `built` is their date. */
export function embeddedFiles(files: Record<string, string>, built: number): FileSystem {
  const contents = new Map<string, Bytes>();
  const folders = new Set(["/"]);
  for (const [path, base64] of Object.entries(files)) {
    contents.set(path, Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      folders.add(path.slice(0, at));
    }
  }

  function infoOf(path: string): FileInfo | null {
    const size = contents.get(path)?.byteLength;
    if (size !== undefined) return { kind: "file", size, mtimeMs: built, identity: null };
    return folders.has(path) ? { kind: "directory", size: 0, mtimeMs: built, identity: null } : null;
  }

  return {
    stat: (path) => Promise.resolve(infoOf(path)),
    realPath: (path) => Promise.resolve(infoOf(path) === null ? null : path),
    open(path) {
      const content = contents.get(path);
      return Promise.resolve(content === undefined ? null : openBytes(content, infoOf(path) as FileInfo));
    },
    list(path) {
      if (!folders.has(path)) return Promise.resolve(null);
      const prefix = path === "/" ? "/" : `${path}/`;
      const names = new Set<string>();
      for (const other of [...contents.keys(), ...folders]) {
        if (other.startsWith(prefix) && other !== path) {
          names.add(other.slice(prefix.length).split("/")[0] as string);
        }
      }
      return Promise.resolve((async function* () {
        for (const name of names) {
          yield { name, kind: contents.has(prefix + name) ? "file" as const : "directory" as const };
        }
      })());
    },
  };
}

function openBytes(content: Bytes, info: FileInfo): OpenFile {
  return {
    info,
    read: ({ offset, length }) =>
      offset + length <= content.byteLength
        ? Promise.resolve(content.slice(offset, offset + length))
        : Promise.reject(new FileError("changed", "Cannot read past the end")),
    stream: ({ offset, length }) =>
      new Blob([content.subarray(offset, offset + length)]).stream() as ReadableStream<Bytes>,
    close: () => Promise.resolve(),
  };
}

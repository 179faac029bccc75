/**
 * The files of a tar archive (POSIX.1-1988 ustar, with the extensions that npm and Deno write for long paths).
 *
 * @module
 */

const BLOCK = 512;

/** The regular files by path, with a slash at its start; npm's folder `package` is left out. */
export function filesOfTar(archive: Uint8Array<ArrayBuffer>): Map<string, Uint8Array<ArrayBuffer>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  let longPath: string | null = null;
  for (let at = 0; at + BLOCK <= archive.length;) {
    const header = archive.subarray(at, at + BLOCK);
    const name = textAt(header, 0, 100);
    if (name === "") break;
    const size = Number.parseInt(textAt(header, 124, 12), 8);
    const type = String.fromCharCode(header[156] as number);
    const content = archive.slice(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === "L") longPath = textAt(content, 0, size);
    else if (type === "x") {
      longPath = /^\d+ path=(.*)$/m.exec(new TextDecoder().decode(content))?.[1] ?? longPath;
    } else {
      const prefix = textAt(header, 345, 155);
      const path = longPath ?? (prefix === "" ? name : `${prefix}/${name}`);
      longPath = null;
      if (type === "0" || type === "\0") files.set(`/${path.replace(/^(\.?\/|package\/)+/, "")}`, content);
    }
  }
  return files;
}

function textAt(bytes: Uint8Array, offset: number, length: number): string {
  const field = bytes.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trim();
}

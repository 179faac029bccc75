/**
 * A folder for the command line to serve, which every user may read.
 *
 * @module
 */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Contents by path; one that begins with `#!` is executable, `-> path` is a link. A path with a slash at its end is a folder. */
export type Contents = Readonly<Record<string, string>>;

/** A folder that is there until it is removed. */
export interface Folder {
  readonly path: string;
  remove(): void;
}

/** Makes it. Scripts may run as another user, so that everybody may enter it. */
export function makeFolder(contents: Contents): Folder {
  const path = mkdtempSync(join(tmpdir(), "htbin-"));
  chmodSync(path, 0o755);
  for (const [name, text] of Object.entries(contents)) {
    const file = join(path, name);
    mkdirSync(name.endsWith("/") ? file : dirname(file), { recursive: true });
    if (name.endsWith("/")) continue;
    if (text.startsWith("-> ")) symlinkSync(text.slice(3), file);
    else writeFileSync(file, text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A shell script that answers with what these commands print. */
export function script(commands: string): string {
  return `#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n${commands}\n`;
}

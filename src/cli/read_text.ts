/**
 * A file that a setting names, as text.
 *
 * @module
 */

import { FileError, type FileSystem } from "../runtime.ts";
import { StartError } from "./start_error.ts";

/**
 * Reads it; `name` is the setting.
 *
 * @throws {StartError} When the file is not there or cannot be read.
 */
export async function readText(files: FileSystem, name: string, path: string): Promise<string> {
  try {
    const file = await files.open(path);
    if (file === null) throw new StartError(`${name}: there is no file ${path}`);
    try {
      return new TextDecoder().decode(await file.read({ offset: 0, length: file.info.size }));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new StartError(`${name}: ${path} cannot be read: ${error.message}`, { cause: error });
  }
}

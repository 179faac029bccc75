/**
 * A static handler over a file system in memory, and the requests a test sends to it.
 *
 * @module
 */

import type { Handler } from "../../src/handler.ts";
import { staticFiles } from "../../src/static/mod.ts";
import type { StaticOptions } from "../../src/static/options.ts";
import { type MemoryFileSystem, memoryFileSystem, type MemoryNode } from "../_memory_file_system.ts";

/** A handler with what it runs on. */
export interface Site {
  readonly handler: Handler;
  readonly files: MemoryFileSystem;
  /** Messages logged so far. */
  readonly messages: string[];
  /** Sends a request; throws when the handler passes it on. */
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Response>;
  /** The status, or `undefined` when the handler passes the request on. */
  status(path: string, headers?: Record<string, string>, method?: string): Promise<number | undefined>;
}

/** Makes a handler for the tree; the root is `/site` unless the options say another. */
export function siteOf(
  tree: Readonly<Record<string, MemoryNode | string>>,
  options: Partial<StaticOptions> = {},
): Site {
  const files = memoryFileSystem(tree);
  const messages: string[] = [];
  const handler = staticFiles({
    root: "/site",
    fileSystem: files,
    log: (event) => event.type === "message" && messages.push(event.message),
    ...options,
  });
  async function ask(path: string, headers: Record<string, string> = {}, method = "GET") {
    return await handler(new Request(`http://localhost${path}`, { headers, method }));
  }
  return {
    handler,
    files,
    messages,
    async get(path, headers, method) {
      const response = await ask(path, headers, method);
      if (response === undefined) throw new Error(`${path} was passed on`);
      return response;
    },
    async status(path, headers, method) {
      const response = await ask(path, headers, method);
      await response?.body?.cancel();
      return response?.status;
    },
  };
}

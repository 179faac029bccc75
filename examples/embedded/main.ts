/** A site in one executable. See `embed.ts` for how it is built. */

import { serve, staticFiles } from "htbin";
import { embeddedFiles } from "./file_system.ts";
import { built, files } from "./files.ts";

const server = await serve({
  port: 0,
  handler: staticFiles({ root: "/", fileSystem: embeddedFiles(files, built), listing: true }),
});
console.log(`Serving ${server.url}`);

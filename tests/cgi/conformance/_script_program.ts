/**
 * A program that is a CGI script through `runAsCgi()`: says what it was asked, and what its own requests would go
 * through.
 *
 * @module
 */

import process from "node:process";
import { runAsCgi } from "../../../src/script/mod.ts";

await runAsCgi((request, connection) =>
  Response.json({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    remote: connection.remote,
    proxy: process.env["HTTP_PROXY"] ?? null,
  })
);

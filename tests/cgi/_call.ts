/**
 * The environment of a made-up request.
 *
 * @module
 */

import { createEnvironment, type EnvironmentCall } from "../../src/cgi/environment.ts";
import type { CgiOptions } from "../../src/cgi/options.ts";
import type { Script } from "../../src/cgi/script.ts";
import { requestUrl } from "../../src/request_path.ts";
import { type FakeProcesses, fakeProcesses } from "./_fakes.ts";

/** A script at `/cgi-bin/env`. */
export const script: Script = {
  filename: "/site/cgi-bin/env",
  scriptName: "/cgi-bin/env",
  pathInfo: null,
  documentRoot: "/site",
  program: "/site/cgi-bin/env",
  args: [],
  cwd: "/site/cgi-bin",
  nph: false,
};

/** What differs from a plain request for it. */
export interface CallChanges extends Partial<Omit<EnvironmentCall, "script">> {
  readonly target?: string;
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly script?: Partial<Script>;
  readonly fake?: FakeProcesses;
}

/** Makes the variables. */
export function variablesOf(changes: CallChanges = {}, options: CgiOptions = {}): Record<string, string> {
  const request = changes.request ?? new Request(
    new URL(changes.target ?? "/cgi-bin/env", "http://example.com"),
    { method: changes.method ?? "GET", headers: changes.headers ?? {} },
  );
  return createEnvironment(options, fakeProcesses(changes.fake))({
    request,
    url: changes.url ?? requestUrl(request),
    connection: changes.connection ?? {
      remote: { hostname: "1.2.3.4", port: 1234 },
      local: { hostname: "192.0.2.1", port: 8080 },
    },
    script: { ...script, ...changes.script },
    contentLength: changes.contentLength ?? null,
    deadlineMs: changes.deadlineMs ?? null,
    redirectedFrom: changes.redirectedFrom ?? null,
  });
}

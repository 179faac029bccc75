/**
 * A stand-in for the registries of npm and JSR on this machine: it serves what it is given, and takes what
 * `deno publish` uploads. So installing and publishing are rehearsed whole, and nothing leaves the machine.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { route, serve } from "../../mod.ts";
import { filesOfTar } from "./_tar.ts";

/** An npm package as `npm pack` made it. */
export interface NpmPackage {
  readonly manifest: { readonly name: string; readonly version: string };
  readonly tarball: Uint8Array<ArrayBuffer>;
}

/** A version of a JSR package. */
export interface JsrPackage {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  /** By path with a slash at its start. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** A registry that runs. */
export interface Registry {
  /** For npm, Bun and Deno (`NPM_CONFIG_REGISTRY`), with a slash at its end. */
  readonly npm: string;
  /** For Deno (`JSR_URL`), with a slash at its end. */
  readonly jsr: string;
  readonly jsrPackages: ReadonlyMap<string, JsrPackage>;
  addNpm(added: NpmPackage): void;
  addJsr(added: JsrPackage): void;
  /** What has been asked for and was not there. */
  readonly missing: readonly string[];
  close(): Promise<void>;
}

/** Starts one. */
export async function startRegistry(): Promise<Registry> {
  const npm = new Map<string, NpmPackage>();
  const jsr = new Map<string, JsrPackage>();
  const missing: string[] = [];
  const server = await serve({
    port: 0,
    log() {},
    handler: route([
      ["/npm/*", (request) => answerNpm(npm, new URL(request.url))],
      ["/api/*", (request) => answerApi(jsr, request)],
      ["/*", (request) => answerJsr(jsr, new URL(request.url))],
      ["/*", ({ method, url }) => {
        missing.push(`${method} ${url}`);
        return undefined;
      }],
    ]),
  });
  return {
    npm: `${server.url}npm/`,
    jsr: server.url,
    jsrPackages: jsr,
    addNpm: (added) => void npm.set(added.manifest.name, added),
    addJsr: (added) => void jsr.set(added.name, added),
    missing,
    close: () => server.close(0),
  };
}

/** A packument, or a tarball. */
function answerNpm(packages: ReadonlyMap<string, NpmPackage>, url: URL): Response | undefined {
  const [, path = "", isTarball] = /^\/npm\/(.+?)(\.tgz)?$/.exec(decodeURIComponent(url.pathname)) ?? [];
  const found = packages.get(path);
  if (found === undefined) return undefined;
  if (isTarball) return new Response(found.tarball);
  const { manifest, tarball } = found;
  const dist = {
    tarball: `${url.origin}/npm/${manifest.name}.tgz`,
    shasum: createHash("sha1").update(tarball).digest("hex"),
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
  };
  return Response.json({
    name: manifest.name,
    "dist-tags": { latest: manifest.version },
    versions: { [manifest.version]: { ...manifest, dist } },
    time: { [manifest.version]: "2020-01-01T00:00:00.000Z" },
  });
}

const JSR_TYPES: Readonly<Record<string, string>> = {
  ts: "application/typescript",
  js: "text/javascript",
  json: "application/json",
};

/** What https://jsr.io/docs/api calls the registry API: versions of a package, files of a version, the files. */
function answerJsr(packages: ReadonlyMap<string, JsrPackage>, url: URL): Response | undefined {
  const [, name = "", path = ""] = /^\/(@[^/]+\/[^/]+)\/(.+)$/.exec(url.pathname) ?? [];
  const found = packages.get(name);
  if (found === undefined) return undefined;
  const { version, exports, files } = found;
  if (path === "meta.json") {
    const [scope, own] = name.slice(1).split("/");
    return Response.json({ scope, name: own, latest: version, versions: { [version]: {} } });
  }
  if (path === `${version}_meta.json`) return Response.json({ exports, manifest: manifestOf(files) });
  const file = path.startsWith(`${version}/`) ? files.get(path.slice(version.length)) : undefined;
  if (file === undefined) return undefined;
  const type = JSR_TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "text/plain";
  return new Response(file, { headers: { "content-type": type } });
}

function manifestOf(files: JsrPackage["files"]): object {
  return Object.fromEntries(Array.from(files, ([path, bytes]) => [path, {
    size: bytes.byteLength,
    checksum: `sha256-${createHash("sha256").update(bytes).digest("hex")}`,
  }]));
}

/** As much of the management API as `deno publish` uses. */
async function answerApi(packages: Map<string, JsrPackage>, request: Request): Promise<Response | undefined> {
  const { pathname, searchParams } = new URL(request.url);
  const [, scope, name, version] =
    /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)(?:\/versions\/([^/]+))?$/.exec(pathname) ?? [];
  if (scope === undefined) return undefined;
  if (version === undefined) return Response.json({ scope, name });
  if (request.method !== "POST") {
    return Response.json({ code: "packageVersionNotFound", message: "" }, { status: 404 });
  }
  const files = filesOfTar(new Uint8Array(gunzipSync(await request.arrayBuffer())));
  const config = files.get(searchParams.get("config") ?? "");
  if (config === undefined) {
    return Response.json({ code: "configFileNotFound", message: "" }, { status: 400 });
  }
  const { exports } = JSON.parse(new TextDecoder().decode(config)) as Pick<JsrPackage, "exports">;
  packages.set(`@${scope}/${name}`, { name: `@${scope}/${name}`, version, exports, files });
  return Response.json({ id: "1", status: "success", error: null });
}

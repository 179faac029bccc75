/**
 * Content codings: which ones a client takes, and which files gain by them (RFC 9110 sections 8.4 and 12.5.3).
 *
 * @module
 */

/** A content coding of files. */
export type Coding = "zstd" | "br" | "gzip";

/** By this server's preference, which decides between codings the client likes equally. */
export const CODINGS: readonly Coding[] = ["zstd", "br", "gzip"];

/**
 * The codings an `Accept-Encoding` field takes, best first: those the client likes more, then ours. One that it likes
 * less than an `identity` that it names is left out, and so is everything when there is no field.
 */
export function acceptedCodings(
  field: string | null,
  codings: readonly Coding[] = CODINGS,
): readonly Coding[] {
  if (field === null || field === "") return [];
  const weights = parseWeights(field);
  const others = weights.get("*") ?? 0;
  const floor = weights.get("identity") ?? 0;
  return codings
    .map((coding) => ({ coding, weight: weights.get(coding) ?? others }))
    .filter(({ weight }) => weight > 0 && weight >= floor)
    .sort((a, b) => b.weight - a.weight)
    .map(({ coding }) => coding);
}

/** Weights by coding. An element that does not follow the grammar is left out. */
function parseWeights(field: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const element of field.split(",")) {
    const match = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i.exec(
      element,
    );
    if (match === null) continue;
    const [, name, weight = "1"] = match as unknown as [string, string, string | undefined];
    // Section 8.4.1.3: x-gzip is gzip.
    const coding = name.toLowerCase().replace(/^x-gzip$/, "gzip");
    if (!weights.has(coding)) weights.set(coding, Number(weight));
  }
  return weights;
}

const COMPRESSIBLE = new RegExp(
  "^(?:text/(?!event-stream)|[^/]+/[^;]*\\+(?:json|xml|text|yaml)(?:;|$)" +
    "|application/(?:json|javascript|xml|wasm|rtf|sql|toml|yaml|x-yaml|x-sh|x-httpd-php|x-ndjson|jsonl" +
    "|vnd\\.ms-fontobject|vnd\\.ms-opentype|x-javascript|geo\\+json|ld\\+json)(?:;|$)" +
    "|font/(?:otf|ttf|collection)(?:;|$)|image/(?:bmp|x-ms-bmp|vnd\\.microsoft\\.icon|x-icon|svg\\+xml)(?:;|$)" +
    "|model/(?:gltf\\+json|obj|stl|mtl))",
  "i",
);

/** Whether files of a media type get smaller by compression. Everything else is compressed already, or unknown. */
export function isCompressible(type: string): boolean {
  return COMPRESSIBLE.test(type);
}

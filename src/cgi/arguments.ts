/**
 * Indexed queries: the words of a query without `=` as a script's arguments (RFC 3875 section 4.4).
 *
 * @module
 */

/** More words, or more bytes in all, than any indexed query needs: none is passed. */
const MOST_WORDS = 256;
const MOST_LENGTH = 8192;

/**
 * The words of an indexed query, or none. Where one cannot be passed, none is (section 4.4).
 *
 * A word that begins with `-` would be taken for an option of the script or of its interpreter: that is how the source
 * of PHP scripts could be read and code be run (CVE-2012-1823). Such a query has no words, whatever the options.
 */
export function queryArguments(
  request: Pick<Request, "method">,
  query: string,
  enabled: boolean,
): readonly string[] {
  if (!enabled || query === "" || query.length > MOST_LENGTH) return [];
  if (request.method !== "GET" && request.method !== "HEAD") return [];
  if (query.includes("=")) return [];
  const words: string[] = [];
  for (const part of query.split("+", MOST_WORDS + 1)) {
    const word = decodeWord(part);
    if (word === null) return [];
    words.push(word);
  }
  return words.length > MOST_WORDS ? [] : words;
}

function decodeWord(part: string): string | null {
  if (/%(?![0-9a-fA-F]{2})/.test(part)) return null;
  let word: string;
  try {
    word = decodeURIComponent(part);
  } catch {
    return null;
  }
  return /^$|^-|[\x00-\x1f\x7f]/.test(word) ? null : word;
}

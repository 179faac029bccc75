/**
 * The version, once in the source; `tests/manifest_test.ts` holds the manifests to it.
 *
 * @module
 */

/**
 * This release of htbin.
 *
 * @example
 * ```ts
 * import { VERSION } from "htbin";
 *
 * console.assert(/^\d+\.\d+\.\d+/.test(VERSION));
 * ```
 */
export const VERSION = "0.1.0";

/**
 * The version, once in the source; `tests/manifest_test.ts` holds the manifests to it.
 *
 * @module
 */

/** This release of htbin. */
export const VERSION = "0.1.0";

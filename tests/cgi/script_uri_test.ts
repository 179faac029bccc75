/**
 * RFC 3875 section 3.3 (A47): a URL made from the variables leads to the same script with the same variables. With
 * generated paths and queries; the same ones in each run.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask, generatedUrls, mounted, type Variables } from "./_script_urls.ts";

/** Section 3.3: `SCRIPT_NAME` and `PATH_INFO` encoded, with `;`, `=` and `?` among what is. */
function scriptUri(variables: Variables): string {
  const encode = (path = "") => path.split("/").map(encodeURIComponent).join("/");
  const query = variables["QUERY_STRING"] === "" ? "" : `?${variables["QUERY_STRING"]}`;
  return `${variables["REQUEST_SCHEME"]}://${variables["SERVER_NAME"]}:${variables["SERVER_PORT"]}` +
    (encode(variables["SCRIPT_NAME"]) + encode(variables["PATH_INFO"]) || "/") + query;
}

describe("the Script-URI (A47)", () => {
  for (const [index, one] of mounted.entries()) {
    it(`leads back, ${JSON.stringify(one.options)}`, async () => {
      let ran = 0;
      for (const url of generatedUrls(3875 + index, one)) {
        const first = await ask(url, one);
        if (first === null) continue;
        ran++;
        const again = await ask(scriptUri(first), one);
        for (
          const key of ["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SCRIPT_FILENAME", "PATH_TRANSLATED"]
        ) {
          assert.equal(again?.[key], first[key], `${key} of ${url} by way of ${scriptUri(first)}`);
        }
      }
      // Enough of what was generated is a script's: the rest is refused.
      assert.ok(ran > 1000, `${ran}`);
    });
  }
});

/**
 * From a URL to the variables that `cgi()` makes of it, and from them to a request: it is for the same URL. With
 * generated paths and queries; the same ones in each run.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { requestUrl } from "../../src/request_path.ts";
import { requestFromEnv } from "../../src/script/mod.ts";
import { ask, generatedUrls, mounted, type Variables } from "../cgi/_script_urls.ts";

function urlOf(variables: Variables): string {
  return requestFromEnv(variables, null).url;
}

describe("the URL of a request", () => {
  for (const [index, one] of mounted.entries()) {
    it(`is the one that was asked for, ${JSON.stringify(one.options)}`, async () => {
      let ran = 0;
      for (const url of generatedUrls(9112 + index, one)) {
        const variables = await ask(url, one);
        if (variables === null) continue;
        ran++;
        // An empty query is none to a script.
        assert.equal(urlOf(variables), requestUrl(new Request(url)).href.replace(/^([^?]*)\?$/, "$1"));
      }
      assert.ok(ran > 1000, `${ran}`);
    });

    it(`leads to the same script without REQUEST_URI, ${JSON.stringify(one.options)}`, async () => {
      for (const url of generatedUrls(3986 + index, one)) {
        const variables = await ask(url, one);
        if (variables === null) continue;
        const { REQUEST_URI: _, ...rest } = variables;
        const again = await ask(urlOf(rest), one);
        for (const key of ["SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"]) {
          assert.equal(again?.[key], variables[key], `${key} of ${url} by way of ${urlOf(rest)}`);
        }
      }
    });
  }
});

/**
 * Group K: the script's side.
 *
 * @module
 */

import { type ConformanceCase, type ConformanceSection, notYet, test } from "../../_conformance.ts";

function later(id: string, title: string, expect: string): ConformanceCase {
  return test(id, "T", title, expect, notYet, { pending: "runAsCgi is a later feature" });
}

/** `runAsCgi()`. */
export const scriptCases: ConformanceSection = {
  title: "K. The script's side",
  cases: [
    later(
      "K1",
      "SERVER_PROTOCOL, REQUEST_METHOD, HTTP_HOST, REQUEST_URI, CONTENT_LENGTH, CONTENT_TYPE, HTTP_FOO_BAR, REMOTE_ADDR, REMOTE_PORT",
      "a Request with that URL, those headers and that client",
    ),
    later("K2", "HTTPS=1, on, ON", "an https URL"),
    later("K3", "HTTP_HOST empty", "the URL's path is right, its host is SERVER_NAME"),
    later("K4", "no REQUEST_URI", "the URL is made from SCRIPT_NAME, PATH_INFO and QUERY_STRING"),
    later("K5", "no REMOTE_PORT", "port 0"),
    later("K6", "a response without a Content-Type", "none is guessed that the body does not show"),
    later("K7", "this server runs itself as its script", "the values of A1"),
    later("K8", "HTTP_HOST=example.com@other.com, REQUEST_URI=@other.com/p", "the host is never other.com"),
    later("K9", "HTTP_PROXY and REQUEST_METHOD set", "the program's own requests ignore HTTP_PROXY"),
    later("K10", "bytes in PATH_INFO that are not UTF-8", "recoverable"),
    later("K11", "a PATH_INFO that repeats SCRIPT_NAME", "the prefix is removed"),
  ],
};

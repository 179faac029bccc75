/**
 * CGI, case by case, from the wire.
 *
 * @module
 */

import { type ConformanceSuite, conformanceTests } from "../_conformance.ts";
import { closeServers } from "./conformance/_ask.ts";
import { removeScripts } from "./conformance/_scripts.ts";
import { argumentCases } from "./conformance/arguments.ts";
import { logCases } from "./conformance/logs.ts";
import { processCases } from "./conformance/processes.ts";
import { redirectCases } from "./conformance/redirects.ts";
import { bodyCases } from "./conformance/request_body.ts";
import { responseBodyCases } from "./conformance/response_body.ts";
import { responseHeadCases } from "./conformance/response_head.ts";
import { scriptCases } from "./conformance/script_side.ts";
import { selectionCases } from "./conformance/selection.ts";
import { staticCases } from "./conformance/static_side.ts";
import { streamingCases } from "./conformance/streaming.ts";
import { variableCases } from "./conformance/variables.ts";
import { headerVariableCases } from "./conformance/variables_of_headers.ts";
import { wholeResponseCases } from "./conformance/whole_responses.ts";

const suite: ConformanceSuite = {
  name: "cgi",
  sections: [
    variableCases,
    headerVariableCases,
    selectionCases,
    bodyCases,
    responseHeadCases,
    responseBodyCases,
    redirectCases,
    wholeResponseCases,
    processCases,
    streamingCases,
    logCases,
    argumentCases,
    staticCases,
    scriptCases,
  ],
  async close() {
    await closeServers();
    removeScripts();
  },
};

conformanceTests(suite);

/**
 * Static files and the command line, case by case, from the wire.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type ConformanceSuite, conformanceTests } from "../_conformance.ts";
import { answeredAtOnce, closeServers } from "./_ask.ts";
import { removeSiteFixture } from "./_site_fixture.ts";
import { stopUnprivileged } from "./_unprivileged.ts";
import { commandLineCases } from "./conformance/command_line.ts";
import { conditional } from "./conformance/conditional.ts";
import { directories } from "./conformance/directories.ts";
import { dotfilesAndLinks } from "./conformance/dotfiles_and_links.ts";
import { encodings } from "./conformance/encodings.ts";
import { listing } from "./conformance/listing.ts";
import { methods } from "./conformance/methods.ts";
import { names } from "./conformance/names.ts";
import { options } from "./conformance/options.ts";
import { plainFiles } from "./conformance/plain_files.ts";
import { ranges } from "./conformance/ranges.ts";
import { traversal } from "./conformance/traversal.ts";

const suite: ConformanceSuite = {
  name: "static",
  sections: [
    plainFiles,
    methods,
    names,
    traversal,
    directories,
    listing,
    dotfilesAndLinks,
    conditional,
    ranges,
    encodings,
    options,
    commandLineCases,
  ],
  async close() {
    // The suite is about them as well, and each of them equals the ordinary answer.
    assert.ok(answeredAtOnce() > 0, "some answers came from memory");
    await stopUnprivileged();
    await closeServers();
    removeSiteFixture();
  },
};

conformanceTests(suite);

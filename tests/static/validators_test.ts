/**
 * Validators and conditions.
 *
 * @module
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatHttpDate, parseHttpDate } from "../../src/static/http_date.ts";
import { evaluateConditions, ifRangeHolds, type Verdict } from "../../src/static/preconditions.ts";
import {
  fileValidators,
  parseTagList,
  strongMatch,
  type Validators,
  weakMatch,
} from "../../src/static/validators.ts";

const MODIFIED = Date.UTC(2024, 0, 2, 3, 4, 5);
const DATE = "Tue, 02 Jan 2024 03:04:05 GMT";

describe("parseHttpDate()", () => {
  it("takes the three forms of RFC 9110", () => {
    assert.equal(parseHttpDate(DATE), MODIFIED);
    assert.equal(parseHttpDate("Tuesday, 02-Jan-24 03:04:05 GMT"), MODIFIED);
    assert.equal(parseHttpDate("Tue Jan  2 03:04:05 2024"), MODIFIED);
    assert.equal(parseHttpDate(formatHttpDate(MODIFIED)), MODIFIED);
  });

  it("says the same again, however many it has seen", () => {
    for (let second = 0; second < 3000; second++) {
      const time = MODIFIED + second * 1000;
      assert.equal(parseHttpDate(formatHttpDate(time)), time);
      assert.equal(parseHttpDate(formatHttpDate(time)), time);
      assert.equal(parseHttpDate("Tue, 31 Feb 2024 03:04:05 GMT"), null);
    }
  });

  it("takes nothing else", () => {
    for (
      const text of [
        "",
        "soon",
        "275760-09-24",
        "2024-01-02T03:04:05Z",
        "Tue, 02 Jan 2024 03:04:05",
        "Tue, 02 Jan 2024 03:04:05 +0100",
        "Tue, 2 Jan 2024 03:04:05 GMT",
        "Tue, 31 Feb 2024 03:04:05 GMT",
        "Tue, 02 Foo 2024 03:04:05 GMT",
        "Tue, 02 Jan 2024 24:04:05 GMT",
        "1704164645",
      ]
    ) assert.equal(parseHttpDate(text), null, text);
  });

  it("takes a year of two digits as one of the last fifty or the next fifty", () => {
    const year = new Date().getUTCFullYear();
    const text = (offset: number) =>
      `Monday, 01-Jan-${String((year + offset) % 100).padStart(2, "0")} 00:00:00 GMT`;
    const yearOf = (date: string) => new Date(parseHttpDate(date) as number).getUTCFullYear();
    assert.equal(yearOf(text(10)), year + 10);
    assert.equal(yearOf(text(-40)), year - 40);
    assert.equal(yearOf(text(60)), year - 40);
  });
});

describe("fileValidators()", () => {
  it("are a strong tag and a date for a file that has settled", () => {
    const { tag, modified, strongDate } = fileValidators({ mtimeMs: MODIFIED + 678, size: 10 });
    assert.match(tag ?? "", /^"[^"]+"$/);
    assert.equal(modified, MODIFIED);
    assert.equal(strongDate, true);
  });

  it("differ by time, size and coding", () => {
    const tags = [
      fileValidators({ mtimeMs: MODIFIED, size: 10 }),
      fileValidators({ mtimeMs: MODIFIED + 1, size: 10 }),
      fileValidators({ mtimeMs: MODIFIED, size: 11 }),
      fileValidators({ mtimeMs: MODIFIED, size: 10 }, "gzip"),
      fileValidators({ mtimeMs: MODIFIED, size: 10 }, "br"),
    ].map(({ tag }) => tag);
    assert.equal(new Set(tags).size, tags.length);
  });

  it("are weak while the file may change within its clock's resolution", () => {
    const young = fileValidators({ mtimeMs: Date.now(), size: 10 });
    assert.match(young.tag ?? "", /^W\//);
    assert.equal(young.strongDate, false);
  });

  it("match none of later: what was taken between two writes of one clock tick is asked for again", () => {
    const file = { mtimeMs: Date.now(), size: 10 };
    const young = fileValidators(file).tag ?? "";
    const { now } = Date;
    Date.now = () => file.mtimeMs + 3000;
    try {
      const settled = fileValidators(file).tag ?? "";
      assert.match(settled, /^"/);
      assert.equal(weakMatch(young, settled), false);
    } finally {
      Date.now = now;
    }
  });

  it("are weak for what is compressed on the fly", () => {
    assert.match(fileValidators({ mtimeMs: MODIFIED, size: 10 }, "gzip", true).tag ?? "", /^W\//);
  });

  it("never lie in the future", () => {
    const { modified } = fileValidators({ mtimeMs: Date.now() + 86_400_000, size: 10 });
    assert.ok(modified !== null && modified <= Date.now());
  });

  it("are none for times that say nothing", () => {
    for (const mtimeMs of [null, 0, 1000, -5]) {
      const { tag, modified } = fileValidators({ mtimeMs, size: 10 });
      assert.deepEqual([tag, modified], [null, null]);
    }
  });
});

describe("entity tags", () => {
  it("are read from lists, commas inside them and empty elements included", () => {
    assert.deepEqual(parseTagList('"a", W/"b,c" ,, "d"'), ['"a"', 'W/"b,c"', '"d"']);
    assert.equal(parseTagList(" * "), "*");
    assert.deepEqual(parseTagList("unquoted"), []);
  });

  it("match strongly and weakly as RFC 9110 section 8.8.3.2 says", () => {
    const table: [string, string, boolean, boolean][] = [
      ['W/"1"', 'W/"1"', false, true],
      ['W/"1"', 'W/"2"', false, false],
      ['W/"1"', '"1"', false, true],
      ['"1"', '"1"', true, true],
    ];
    for (const [a, b, strong, weak] of table) {
      assert.equal(strongMatch(a, b), strong, `${a} ${b}`);
      assert.equal(weakMatch(a, b), weak, `${a} ${b}`);
    }
  });
});

const STRONG: Validators = { tag: '"e"', modified: MODIFIED, strongDate: true };
const WEAK: Validators = { tag: 'W/"e"', modified: MODIFIED, strongDate: false };
const NONE: Validators = { tag: null, modified: null, strongDate: false };
const EARLIER = "Mon, 01 Jan 2024 03:04:05 GMT";
const LATER = "Wed, 03 Jan 2024 03:04:05 GMT";

describe("evaluateConditions()", () => {
  const cases: [Record<string, string>, Validators, Verdict][] = [
    [{}, STRONG, "proceed"],
    [{ "if-match": '"e"' }, STRONG, "proceed"],
    [{ "if-match": '"x", "e"' }, STRONG, "proceed"],
    [{ "if-match": '"x"' }, STRONG, "failed"],
    [{ "if-match": 'W/"e"' }, WEAK, "failed"],
    [{ "if-match": "*" }, WEAK, "proceed"],
    [{ "if-match": "*" }, NONE, "proceed"],
    [{ "if-match": '"e"' }, NONE, "failed"],
    // Step 2 is for requests without If-Match only.
    [{ "if-match": '"e"', "if-unmodified-since": EARLIER }, STRONG, "proceed"],
    [{ "if-unmodified-since": EARLIER }, STRONG, "failed"],
    [{ "if-unmodified-since": DATE }, STRONG, "proceed"],
    [{ "if-unmodified-since": "soon" }, STRONG, "proceed"],
    [{ "if-unmodified-since": EARLIER }, NONE, "proceed"],
    [{ "if-none-match": '"e"' }, STRONG, "not-modified"],
    [{ "if-none-match": 'W/"e"' }, STRONG, "not-modified"],
    [{ "if-none-match": '"x"' }, STRONG, "proceed"],
    [{ "if-none-match": "*" }, NONE, "not-modified"],
    // Step 4 is for requests without If-None-Match only.
    [{ "if-none-match": '"x"', "if-modified-since": DATE }, STRONG, "proceed"],
    [{ "if-modified-since": DATE }, STRONG, "not-modified"],
    [{ "if-modified-since": LATER }, STRONG, "not-modified"],
    [{ "if-modified-since": EARLIER }, STRONG, "proceed"],
    [{ "if-modified-since": "soon" }, STRONG, "proceed"],
    [{ "if-modified-since": DATE }, NONE, "proceed"],
    // 412 goes before 304.
    [{ "if-match": '"x"', "if-none-match": '"e"' }, STRONG, "failed"],
    [{ "if-match": "*", "if-none-match": '"e"' }, STRONG, "not-modified"],
    [{ "if-unmodified-since": EARLIER, "if-none-match": '"e"' }, STRONG, "failed"],
  ];
  for (const [headers, validators, verdict] of cases) {
    it(`says ${verdict} to ${JSON.stringify(headers)} for ${validators.tag}`, () => {
      assert.equal(evaluateConditions(new Headers(headers), validators), verdict);
    });
  }

  it("compares dates that may go back for being the same", () => {
    const headers = new Headers({ "if-modified-since": LATER });
    assert.equal(evaluateConditions(headers, STRONG, true), "proceed");
    assert.equal(
      evaluateConditions(new Headers({ "if-modified-since": DATE }), STRONG, true),
      "not-modified",
    );
  });
});

describe("ifRangeHolds()", () => {
  const cases: [string | null, Validators, boolean][] = [
    [null, STRONG, true],
    ['"e"', STRONG, true],
    ['"x"', STRONG, false],
    ['W/"e"', STRONG, false],
    ['W/"e"', WEAK, false],
    ['"e"', NONE, false],
    [DATE, STRONG, true],
    [LATER, STRONG, false],
    [EARLIER, STRONG, false],
    [DATE, WEAK, false],
    ["soon", STRONG, false],
  ];
  for (const [value, validators, holds] of cases) {
    it(`is ${holds} for ${value} and ${validators.tag}`, () => {
      const headers = new Headers(value === null ? {} : { "if-range": value });
      assert.equal(ifRangeHolds(headers, validators), holds);
    });
  }
});

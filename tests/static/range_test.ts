/**
 * Byte ranges, single and several.
 *
 * @module
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bytes, OpenFile } from "../../src/runtime.ts";
import { multipartBody } from "../../src/static/multipart_ranges.ts";
import { contentRange, parseRange } from "../../src/static/range.ts";
import { memoryFileSystem } from "../_memory_file_system.ts";

/** The parts as `offset+length`, or what kind of answer there is. */
function read(value: string, size = 10): string {
  const range = parseRange(value, size);
  return range.kind === "parts"
    ? range.parts.map(({ offset, length }) => `${offset}+${length}`).join(" ")
    : range.kind;
}

describe("parseRange()", () => {
  const cases: [string, string][] = [
    ["bytes=0-0", "0+1"],
    ["bytes=2-5", "2+4"],
    ["bytes=7-", "7+3"],
    ["bytes=-3", "7+3"],
    ["bytes=-999", "0+10"],
    ["bytes=5-99999999999999999999999", "5+5"],
    ["BYTES=0-1", "0+2"],
    ["bytes= 0-1", "0+2"],
    ["bytes=0-1 , 5-6", "0+2 5+2"],
    ["bytes=,0-1,,", "0+2"],
    ["bytes=5-6,0-1", "5+2 0+2"],
    ["bytes=0-2,3-5", "0+6"],
    ["bytes=4-6,0-4", "0+7"],
    ["bytes=0-1,50-60", "0+2"],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=99-100", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=50-60,70-80", "unsatisfiable"],
    ["bytes=99999999999999999999998-99999999999999999999999", "unsatisfiable"],
    ["bytes=5-2", "whole"],
    ["bytes=99999999999999999999999-99999999999999999999998", "whole"],
    ["bytes=0-1,5-2", "whole"],
    ["bytes=a-b", "whole"],
    ["bytes=0 - 1", "whole"],
    ["bytes =0-1", "whole"],
    ["bytes=", "whole"],
    ["bytes=,", "whole"],
    ["bytes=5", "whole"],
    ["bytes=-", "whole"],
    ["bytes=--1", "whole"],
    ["bytes=1-2-3", "whole"],
    ["bytes=+1-2", "whole"],
    ["bytes=0x1-2", "whole"],
    ["hello", "whole"],
    ["bytes 0-1", "whole"],
    ["items=0-1", "whole"],
    ["x bytes=0-1", "whole"],
    // More bytes than the file has.
    ["bytes=0-,0-,0-", "whole"],
    ["bytes=0-6,3-9", "whole"],
  ];
  for (const [value, expected] of cases) {
    it(`reads ${value} of 10 bytes as ${expected}`, () => assert.equal(read(value), expected));
  }

  it("gives the whole of an empty file", () => {
    assert.equal(read("bytes=0-0", 0), "whole");
    assert.equal(read("bytes=-5", 0), "whole");
  });

  it("gives the whole for more parts than are worth it", () => {
    const parts = (count: number) => `bytes=${Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`)}`;
    assert.equal(read(parts(64), 1000).split(" ").length, 64);
    assert.equal(read(parts(65), 1000), "whole");
    // Parts that do not exist count too: they cost the same to read.
    assert.equal(read(`bytes=${"9999-,".repeat(100)}`, 1000), "whole");
  });
});

describe("contentRange()", () => {
  it("counts from 0, the end included", () => {
    assert.equal(contentRange({ offset: 7, length: 3 }, 10), "bytes 7-9/10");
  });
});

describe("multipartBody()", () => {
  async function open(content: string): Promise<[OpenFile, () => number]> {
    const fileSystem = memoryFileSystem({ "/f": content });
    return [await fileSystem.open("/f") as OpenFile, fileSystem.openCount];
  }

  it("has the length it says, the parts with their heads, and an end", async () => {
    const [file, openCount] = await open("0123456789");
    const body = multipartBody(file, [{ offset: 0, length: 2 }, { offset: 5, length: 2 }], "text/plain");
    const text = await new Response(body.stream()).text();
    const boundary = /boundary=(\S+)/.exec(body.type)?.[1] as string;
    assert.equal(body.length, text.length);
    assert.equal(
      text,
      `--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n` +
        `--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-6/10\r\n\r\n56\r\n--${boundary}--\r\n`,
    );
    assert.equal(openCount(), 0);
  });

  it("reads large parts piece by piece and closes the file when it is cancelled", async () => {
    const [file, openCount] = await open("x".repeat(300_000));
    const body = multipartBody(
      file,
      [{ offset: 0, length: 150_000 }, { offset: 150_001, length: 149_999 }],
      "a/b",
    );
    const reader = body.stream().getReader();
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) sizes.push(((await reader.read()).value as Bytes).byteLength);
    assert.ok(sizes.every((size) => size <= 65536));
    await reader.cancel();
    assert.equal(openCount(), 0);
  });

  it("closes the file and fails when it has become shorter", async () => {
    const [file, openCount] = await open("0123456789");
    const broken: OpenFile = { ...file, read: () => Promise.reject(new Error("shorter")) };
    const body = multipartBody(broken, [{ offset: 0, length: 2 }, { offset: 5, length: 2 }], "a/b");
    await assert.rejects(new Response(body.stream()).text());
    assert.equal(openCount(), 0);
  });
});

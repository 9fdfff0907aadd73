import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";

import { decode, encode } from "../../src/store/codec.ts";
import { readRecordFile } from "../../src/store/files.ts";
import { openPayloadFile } from "../../src/store/payload.ts";
import { readSegment } from "../../src/store/segment-reader.ts";
import { tempDir } from "../helpers/temp.ts";
// These values, and files of each kind, as jobx 0.1 wrote them first: a newer library must read them, too.
import formatOne from "./fixtures/format-1.json";
import { values } from "./fixtures/values.ts";
import { resultRecord } from "./records.ts";

/** Equal, and the same in a console, which tells -0 from 0 and shows what leads back. */
function expectSame(actual: unknown, wanted: unknown): void {
  expect(inspect(actual, { depth: 20 })).toBe(inspect(wanted, { depth: 20 }));
  expect(Bun.deepEquals(actual, wanted, true)).toBe(true);
}

describe("each kind of value", () => {
  const old = new Map(Object.entries(formatOne.values));
  for (const [what, value] of Object.entries(values())) {
    test(`is kept, and read from the bytes of earlier files: ${what}`, () => {
      expectSame(decode(encode(value)), value);
      expectSame(decode(Buffer.from(old.get(what) ?? "", "base64")), value);
    });
  }
});

test("bytes that were cut short, or go on, are an error", () => {
  const bytes = encode({ a: "text", b: [{ c: 1 }, { c: 2 }] });
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decode(bytes.subarray(0, length))).toThrow("do not decode");
  }
  expect(() => decode(Buffer.concat([bytes, Buffer.of(0)]))).toThrow("do not decode");
});

describe("of earlier files", () => {
  const dir = tempDir();
  const file = (name: "payload" | "record" | "segment") => {
    const path = join(dir, name);
    writeFileSync(path, Buffer.from(formatOne[name], "base64"));
    return path;
  };

  test("the arguments of tasks are read", () => {
    const payload = openPayloadFile(file("payload"));
    const tasks = Array.from({ length: payload.count }, (_, index) => payload.get(index));
    payload.close();
    expect(tasks).toEqual([
      { params: { index: 5 }, line: null, args: [] },
      { params: { index: 70_000 }, line: null, args: [] },
      { params: { lr: 0.1 }, line: "--x", args: [] },
      { params: null, line: null, args: [new Date(4), new Map([[1, { a: 2 }]])] },
    ]);
  });

  test("records and results are read", () => {
    expect(readRecordFile(file("record"))).toEqual({ some: "thing", list: [{ a: 1 }, { a: 2 }] });
    const { records, damage } = readSegment(file("segment"));
    expect(damage).toEqual([]);
    expect(records).toEqual([resultRecord(0, { loss: 0.5 }), resultRecord(1, new Set([1]))]);
  });
});

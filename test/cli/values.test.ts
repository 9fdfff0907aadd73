import { expect, test } from "bun:test";

import { isPlainJson, toJson } from "../../src/cli/json-value.ts";
import { showValue } from "../../src/cli/people-value.ts";

test("what JSON has stays as it is", () => {
  const value = { a: [1, "x", null, true], b: { c: 0.5 } };
  expect(toJson(value)).toEqual(value);
  expect(isPlainJson(value)).toBe(true);
});

test("what JSON has not is written as documented", () => {
  expect(
    toJson({
      none: undefined,
      nan: Number.NaN,
      infinite: -Infinity,
      big: 12345678901234567890n,
      date: new Date("2026-03-01T00:00:00Z"),
      invalid: new Date(Number.NaN),
      map: new Map<unknown, unknown>([
        ["a", 1],
        [2, new Set([3n])],
      ]),
      floats: new Float32Array([0.5, Infinity]),
      longs: new BigInt64Array([-1n]),
      buffer: new Uint8Array([1, 2, 3]).buffer,
      regexp: /a+/gi,
    }),
  ).toEqual({
    none: null,
    nan: "NaN",
    infinite: "-Infinity",
    big: "12345678901234567890",
    date: "2026-03-01T00:00:00.000Z",
    invalid: null,
    map: [
      ["a", 1],
      [2, ["3"]],
    ],
    floats: [0.5, "Infinity"],
    longs: ["-1"],
    buffer: "AQID",
    regexp: "/a+/gi",
  });
});

test("errors keep their name, message, cause and own fields", () => {
  const error = Object.assign(new TypeError("bad", { cause: "worse" }), { code: 7 });
  expect(toJson(error)).toMatchObject({ name: "TypeError", message: "bad", cause: "worse", code: 7 });
});

test("a value inside itself is a reference, a value met twice is written twice", () => {
  const twice = { x: 1 };
  const value: Record<string, unknown> = { list: [{}], a: twice, b: twice };
  value["self"] = value;
  expect(toJson(value)).toEqual({ list: [{}], a: { x: 1 }, b: { x: 1 }, self: { $ref: "$" } });
  const inner: unknown[] = [];
  inner.push([inner]);
  expect(toJson({ inner })).toEqual({ inner: [[{ $ref: "$.inner" }]] });
});

test("a key named __proto__ is a key", () => {
  const value: unknown = JSON.parse('{"__proto__": {"x": 1}}');
  expect(JSON.stringify(toJson(value))).toBe('{"__proto__":{"x":1}}');
});

test("people see strings plain, JSON indented, and everything else complete", () => {
  expect(showValue("a\nb", false)).toBe("a\nb");
  expect(showValue({ a: [1] }, false)).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(showValue(undefined, false)).toBe("undefined");
  expect(showValue(new Map([["a", 1n]]), false)).toBe("Map(1) { 'a' => 1n }");
  expect(showValue(new Uint8Array(200), false)).not.toContain("more items");
});

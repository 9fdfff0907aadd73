import { describe, expect, test } from "bun:test";
import { runInNewContext } from "node:vm";

import { JobxError } from "../../src/errors.ts";
import { checkEncodable, decode, encode } from "../../src/store/codec.ts";
import { toRemoteError } from "../../src/store/remote-error.ts";

const trip = (value: unknown): unknown => decode(encode(value));

function refusal(value: unknown): string {
  try {
    checkEncodable(value, "args[0]");
  } catch (error) {
    if (error instanceof JobxError && error.code === "PAYLOAD") return error.message;
    throw error;
  }
  return "not refused";
}

const kept: Record<string, unknown> = {
  JSON: { a: [1, "two", null, true, { b: 1.5e-300 }], "": 0, "1": 2, "é-b": "漢😀\0" },
  undefined: [undefined, { a: undefined }],
  numbers: [
    0,
    31,
    32,
    63,
    64,
    127,
    128,
    65535,
    65536,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    1e19,
    -1,
    -32,
    -33,
    -(2 ** 31),
    -(2 ** 31) - 1,
  ],
  "special numbers": [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324],
  dates: [new Date(0), new Date(-1), new Date(1_700_000_000_123), new Date(8.64e15), new Date(-8.64e15)],
  maps: new Map<unknown, unknown>([
    [1, "number"],
    ["1", "text"],
    [{ a: 1 }, new Map([[null, undefined]])],
  ]),
  sets: new Set([1, "1", new Set([2n])]),
  bigints: [0n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, -(2n ** 64n), 2n ** 2000n],
  "regular expressions": [/a\/b/giu, /^$/],
  "typed arrays": [
    new Int8Array([-1]),
    new Uint8Array([1, 2, 3]).subarray(1),
    new Uint8ClampedArray([255]),
    new Int16Array([-2]),
    new Uint16Array([2]),
    new Int32Array([-3]),
    new Uint32Array([3]),
    new Float32Array([1.5]),
    new Float64Array([-0, 0.1]),
    new BigInt64Array([-1n]),
    new BigUint64Array([1n]),
    Buffer.from("bytes"),
    new DataView(new ArrayBuffer(4), 1, 2),
  ],
  "array buffers": new Uint8Array([1, 2, 3]).buffer,
  "awkward keys": {
    toJSON: "x",
    hasOwnProperty: 1,
    length: 3,
    inner: { constructor: 5 },
    __keys__: 1,
    prototype: {},
  },
  "wide objects": Object.fromEntries(Array.from({ length: 70_000 }, (_, at) => [`k${at}`, at])),
  "many shapes": Array.from({ length: 20_000 }, (_, at) => ({ [`k${at}`]: at, [`z${at % 7}`]: 1 })),
};

describe("values that are kept", () => {
  for (const [what, value] of Object.entries(kept)) {
    test(`${what} come back as they were`, () => {
      expect(Bun.deepEquals(trip(value), value, true)).toBe(true);
    });
  }

  test("-0 comes back as -0, wherever it stands, and 0 as 0", () => {
    const shared = { z: -0 };
    const error = Object.assign(new Error("m"), { at: -0 });
    const back = trip({
      a: -0,
      b: [-0, 0],
      m: new Map([[1, -0]]),
      s: [shared, shared],
      e: error,
      t: new Date(5),
    });
    expect(back).toMatchObject({ a: -0, b: [-0, 0], s: [{ z: -0 }, { z: -0 }], t: new Date(5) });
    expect(Bun.inspect(back)).toContain("at: -0");
    expect(Bun.inspect(trip(new Map([[1, -0]])))).toContain("-0");
    expect(Object.is(trip(-0), -0)).toBe(true);
  });

  test("an invalid date stays invalid", () => {
    const back = trip(new Date(Number.NaN));
    expect(back instanceof Date && Number.isNaN(back.getTime())).toBe(true);
  });

  test("cycles and shared references are what they were", () => {
    const object: Record<string, unknown> = { list: [1], map: new Map(), set: new Set() };
    object["self"] = object;
    if (object["map"] instanceof Map) object["map"].set("me", object);
    if (object["set"] instanceof Set) object["set"].add(object);
    const back = trip(object);
    expect(Bun.deepEquals(back, object, true)).toBe(true);
    if (typeof back !== "object" || back === null) throw new Error("not an object");
    expect(Reflect.get(back, "self")).toBe(back);
    const pair = trip([object, object]);
    expect(Array.isArray(pair) && pair[0] === pair[1]).toBe(true);
  });

  test("errors keep class, name, message, stack, cause, errors and own fields", () => {
    class Custom extends Error {
      override name = "CustomError";
    }
    const original = Object.assign(
      new Custom("outer", { cause: new TypeError("inner", { cause: { code: 7 } }) }),
      {
        code: "E_X",
        list: [new Date(3)],
      },
    );
    const back = trip({ original, again: original });
    if (typeof back !== "object" || back === null || !("original" in back)) throw new Error("not an object");
    const error = back.original;
    if (!(error instanceof Error) || !(error.cause instanceof TypeError)) throw new Error("not an error");
    expect([error.name, error.message]).toEqual(["CustomError", "outer"]);
    expect(error.stack === original.stack).toBe(true);
    expect(error.cause.message).toBe("inner");
    expect(error.cause.cause).toEqual({ code: 7 });
    expect(Object.keys(error)).toEqual(["code", "list"]);
    expect(Bun.deepEquals(Reflect.get(error, "list"), [new Date(3)], true)).toBe(true);
    const many = trip(new AggregateError([new RangeError("one")], "many"));
    if (!(many instanceof Error) || !("errors" in many) || !Array.isArray(many.errors))
      throw new Error("no errors");
    expect(many.name).toBe("AggregateError");
    expect(many.errors[0]).toBeInstanceOf(RangeError);
    expect("cause" in many).toBe(false);
  });

  test("plain objects of another realm are plain", () => {
    expect(trip(runInNewContext("({ a: [1] })"))).toEqual({ a: [1] });
  });

  test("random nests come back as they were", () => {
    let seed = 7;
    const random = (limit: number) => (seed = (seed * 48271) % 2147483647) % limit;
    const leaves = [
      -0,
      1n << 70n,
      "x".repeat(40),
      "é",
      undefined,
      null,
      true,
      1.5,
      new Date(9),
      /x/y,
      new Uint8Array(3),
    ];
    const make = (depth: number): unknown => {
      if (depth === 0 || random(4) === 0) return leaves[random(leaves.length)];
      const items = Array.from({ length: random(6) }, () => make(depth - 1));
      if (random(4) === 0) return new Map(items.map((item, at) => [`k${at}`, item]));
      if (random(5) === 0) return new Set(items);
      return random(2) === 0
        ? items
        : Object.fromEntries(items.map((item, at) => [`k${random(9)}${at}`, item]));
    };
    for (let round = 0; round < 500; round++) {
      const value = make(6);
      expect(Bun.inspect(trip(value), { depth: 20 })).toBe(Bun.inspect(value, { depth: 20 }));
    }
  });
});

describe("values that are refused, with their path", () => {
  class Model {
    weight = 1;
  }
  class List extends Array<number> {}
  const looped = new Error("loop");
  Object.assign(looped, { self: looped });
  let deep: unknown = 1;
  for (let depth = 0; depth < 1_000_000; depth++) deep = [deep];
  const cases: [unknown, string][] = [
    [{ model: { fn: () => 1 } }, "args[0].model.fn is a function"],
    [class {}, "args[0] is a class"],
    [[1, Symbol("s")], "args[0][1] is a symbol"],
    [{ a: { [Symbol("k")]: 1 } }, "args[0].a has a symbol as a key"],
    [{ m: new Model() }, "args[0].m is an instance of Model"],
    [new List(), "args[0] is an instance of List"],
    [{ p: Promise.resolve() }, "args[0].p is a Promise"],
    [{ constructor: 1, toJSON: "x" }, "args[0].toJSON is a key that cannot be stored in such an object"],
    [new Blob([]), "args[0] is a Blob"],
    [new SharedArrayBuffer(4), "args[0] is a SharedArrayBuffer"],
    [new Uint8Array(new SharedArrayBuffer(4)), "args[0] is a view of a SharedArrayBuffer"],
    [new Float16Array(2), "args[0] is a Float16Array"],
    [new URL("http://x"), "args[0] is an URL"],
    [new WeakMap(), "args[0] is a WeakMap"],
    [Object(1), "args[0] is a Number"],
    [{ "a b": "\ud800" }, 'args[0]["a b"] holds half of a surrogate pair, which UTF-8 cannot store'],
    [{ "\udc00": 1 }, 'args[0] has the key "\\udc00", which UTF-8 cannot store'],
    [JSON.parse('{"x":{"__proto__":{"a":1}}}'), 'args[0].x["__proto__"] is a key that cannot be stored'],
    // oxlint-disable-next-line no-sparse-arrays
    [[[1, , 3]], "args[0][0][1] is a hole in an array; put undefined or null there"],
    ["ab".match(/b/), "args[0].index is a named field of an array, which is not stored"],
    [
      Object.assign(Array(100).fill(0), { unit: "m" }),
      "args[0].unit is a named field of an array, which is not stored",
    ],
    [Array(100), "args[0][0] is a hole in an array; put undefined or null there"],
    [Object.assign(new Date(0), { zone: "UTC" }), "args[0].zone is a field of a Date, which is not stored"],
    [new Map([["k", [() => 1]]]), 'args[0].get("k")[0] is a function'],
    [new Set([1, Symbol("s")]), "args[0].values()[1] is a symbol"],
    [new Error("m", { cause: { f() {} } }), "args[0].cause.f is a function"],
    [looped, "args[0].self leads back to the error that holds it"],
    [deep, "args[0] is nested too deeply to be stored"],
    [
      {
        get broken() {
          throw new Error("no");
        },
      },
      "args[0].broken cannot be read: no",
    ],
  ];
  for (const [value, message] of cases) {
    test(message, () => expect(refusal(value)).toBe(message));
  }
});

describe("the walk", () => {
  test("does not look into the bytes of 100 MB, and takes 10,000 rows in passing", () => {
    const big = { bytes: new Float64Array(12_500_000) };
    const rows = Array.from({ length: 10_000 }, (_, at) => ({
      id: at,
      name: `row ${at}`,
      x: at / 3,
      tags: ["a", "b"],
      ok: true,
    }));
    const timed = (value: unknown) => {
      const times = Array.from({ length: 5 }, () => {
        const start = performance.now();
        checkEncodable(value, "value");
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    expect(timed(big)).toBeLessThan(5);
    expect(timed(rows)).toBeLessThan(150);
    expect(timed(Array.from({ length: 1_000_000 }, (_, at) => at))).toBeLessThan(150);
  });
});

describe("errors as data", () => {
  test("whatever was thrown becomes a record that can be stored", () => {
    const looped = Object.assign(new Error("loop"), { f: () => 1, half: "\ud800", nested: new Error("n") });
    looped.cause = looped;
    const hostile = new Error("hostile");
    Object.defineProperty(hostile, "message", {
      get: () => {
        throw new Error("no");
      },
    });
    Object.defineProperty(hostile, "extra", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    const thrown = [
      looped,
      hostile,
      "text",
      null,
      undefined,
      5n,
      Symbol("s"),
      { code: 1 },
      () => 1,
      new Proxy(
        {},
        {
          get() {
            throw new Error("trap");
          },
          ownKeys() {
            throw new Error("trap");
          },
        },
      ),
      new AggregateError([new TypeError("t")], "many"),
      new Error("x".repeat(10_000_000)),
    ];
    for (const each of thrown) {
      const record = toRemoteError(each);
      expect(encode(record).length).toBeLessThan(1_500_000);
    }
    expect(toRemoteError(looped)).toMatchObject({
      name: "Error",
      message: "loop",
      fields: { half: "\ufffd", nested: { message: "n" } },
    });
    expect(toRemoteError("text")).toMatchObject({ message: "text", cause: "text", stack: null });
    expect(toRemoteError({ code: 1 }).cause).toEqual({ code: 1 });
    expect(toRemoteError(new AggregateError([new TypeError("t")], "many")).fields).toMatchObject({
      errors: [{ name: "TypeError", message: "t" }],
    });
  });
});

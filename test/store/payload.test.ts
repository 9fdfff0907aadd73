import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { JobxError } from "../../src/errors.ts";
import type { TaskPayload } from "../../src/model/job.ts";
import { valuePath } from "../../src/store/layout.ts";
import { openPayloadFile, writePayload } from "../../src/store/payload.ts";
import { openPayload } from "../../src/store/task-payloads.ts";
import { loadValue, storeValue } from "../../src/store/values.ts";
import { tempDir } from "../helpers/temp.ts";

const dir = tempDir();
const GIB = 2 ** 30;
const task = (...args: unknown[]): TaskPayload => ({ params: null, line: null, args });

function readAll(path: string): (TaskPayload | string)[] {
  const payload = openPayloadFile(path);
  try {
    return Array.from({ length: payload.count }, (_, index) => {
      try {
        return payload.get(index);
      } catch (error) {
        if (error instanceof JobxError && error.code === "DAMAGED") return error.message;
        throw error;
      }
    });
  } finally {
    payload.close();
  }
}

test("plain tasks have their arguments from the request alone", () => {
  const folder = join(dir, "no such folder");
  const array = openPayload(folder, {
    plain: [
      [3, 5],
      [9, 9],
    ],
  });
  const index = (number: number): TaskPayload => ({ params: { index: number }, line: null, args: [] });
  expect([0, 1, 2, 3].map((at) => array.get(at))).toEqual([3, 4, 5, 9].map(index));
  expect(() => array.get(4)).toThrow("has no task 4");
  expect(() => array.get(-1)).toThrow("has no task -1");
  const single = openPayload(folder, { plain: [] });
  expect(single.get(0)).toEqual(task());
  expect(() => single.get(1)).toThrow("has no task 1");
  expect(() => openPayload(folder, { plain: null })).toThrow("does not exist");
  expect(() => openPayload(folder, {})).toThrow("does not exist");
});

describe("a payload", () => {
  test("gives each task its own arguments, large ones too", () => {
    const path = join(dir, "a.msgpack");
    const tasks = [
      task("a\n$'\"", new Date(4)),
      { params: { lr: 0.1 }, line: "--x", args: [] },
      task("x".repeat(3_000_000)),
      task(),
    ];
    expect(writePayload(path, tasks, GIB)).toMatchObject({ count: 4 });
    expect(readAll(path)).toEqual(tasks);
    const payload = openPayloadFile(path);
    expect(payload.get(3)).toEqual(task());
    expect(() => payload.get(4)).toThrow("has no task 4: it holds 4");
    expect(() => payload.get(-1)).toThrow("has no task -1");
    payload.close();
    expect(() => openPayloadFile(join(dir, "none.msgpack"))).toThrow("does not exist");
  });

  test("of 100,000 tasks is written and read in a moment", () => {
    const path = join(dir, "many.msgpack");
    function* tasks(): Iterable<TaskPayload> {
      for (let index = 0; index < 100_000; index++) yield { params: { index }, line: null, args: [] };
    }
    const start = performance.now();
    expect(writePayload(path, tasks(), GIB).count).toBe(100_000);
    expect(performance.now() - start).toBeLessThan(1_500);
    const payload = openPayloadFile(path);
    for (const index of [0, 1, 54_321, 99_999]) expect(payload.get(index).params).toEqual({ index });
    payload.close();
  });

  test("names the argument and the task that cannot be stored, and leaves no file", () => {
    const path = join(dir, "refused.msgpack");
    expect(() => writePayload(path, [task({ model: { fn: () => 1 } })], GIB)).toThrow(
      "args[0].model.fn is a function",
    );
    expect(() => writePayload(path, [task(), task(1, Symbol("s"))], GIB)).toThrow(
      "args[1] is a symbol (task 1)",
    );
    expect(() => writePayload(path, [task("x".repeat(2_000))], 1_000)).toThrow("larger than 1000 bytes");
    function* failing(): Iterable<TaskPayload> {
      yield task();
      throw new JobxError("USAGE", "Row 2 is short");
    }
    expect(() => writePayload(path, failing(), GIB)).toThrow("Row 2 is short");
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(dir).filter((name) => name.includes("refused"))).toEqual([]);
  });

  test("with any byte flipped loses at most one task, and never gives another value", () => {
    const path = join(dir, "flip.msgpack");
    const tasks = [task("a", 1), task("b", 2), task("c", 3)];
    writePayload(path, tasks, GIB);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 0x41;
      writeFileSync(path, copy);
      const found = readAll(path);
      expect(found.length).toBe(3);
      const lost = found.filter((each) => typeof each === "string");
      expect(lost.length).toBeLessThanOrEqual(1);
      for (const text of lost) expect(text).toContain(`${path} is damaged at byte`);
      for (const [index, each] of found.entries())
        if (typeof each !== "string") expect(each).toEqual(tasks[index] ?? task());
    }
  });
});

describe("values", () => {
  const large: Record<string, unknown> = {
    text: `${"aé漢😀".repeat(400_000)}\ufeff`,
    "text that starts with a byte order mark": `\ufeff${"x".repeat(1_100_000)}`,
    floats: Float64Array.from({ length: 200_000 }, (_, at) => at / 3),
    "a view": new Uint16Array(new ArrayBuffer(2_000_010), 6, 1_000_000).fill(9),
    "a buffer": Buffer.alloc(1_100_000, 7),
    "an ArrayBuffer": new Uint8Array(1_100_000).fill(3).buffer,
    rows: Array.from({ length: 50_000 }, (_, at) => ({ at, name: `row ${at}`, when: new Date(at) })),
  };

  test("up to 1 MiB stay in the record", async () => {
    for (const value of [undefined, null, -0, "x".repeat(1_000_000), new Map([[1, 2]])]) {
      const stored = await storeValue(dir, "small.bin", value);
      expect(stored).toEqual({ kind: "inline", value });
      expect(loadValue(dir, stored)).toEqual(value);
    }
    expect(existsSync(valuePath(dir, "small.bin"))).toBe(false);
  });

  for (const [what, value] of Object.entries(large)) {
    test(`larger ones come back from a file of their own: ${what}`, async () => {
      const stored = await storeValue(dir, "3.0.0.bin", value);
      expect(stored).toMatchObject({ kind: "file", name: "3.0.0.bin" });
      expect(Bun.deepEquals(loadValue(dir, stored), value, true)).toBe(true);
    });
  }

  test("that cannot be stored are refused with their path", async () => {
    const refused = (value: unknown) => expect(storeValue(dir, "x.bin", value)).rejects;
    await refused({ f: () => 1 }).toThrow("value.f is a function");
    await refused(`${"x".repeat(2_000_000)}\ud800`).toThrow("half of a surrogate pair");
    await refused(new Uint8Array(new SharedArrayBuffer(2_000_000))).toThrow("SharedArrayBuffer");
  });

  test("that change while they are written are no damage", async () => {
    const bytes = new Uint8Array(8_000_000);
    let isStored = false;
    const storing = storeValue(dir, "5.0.0.bin", bytes).finally(() => (isStored = true));
    for (let fill = 0; !isStored; fill++) {
      bytes.fill(fill);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(loadValue(dir, await storing)).toHaveLength(bytes.length);
  });

  test("that are damaged, cut or missing are an error with file and offset", async () => {
    const stored = await storeValue(dir, "4.0.0.bin", new Uint8Array(1_100_000));
    const path = valuePath(dir, "4.0.0.bin");
    const bytes = readFileSync(path);
    for (const at of [...Array(40).keys(), 500_000, bytes.length - 1]) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 1;
      writeFileSync(path, copy);
      expect(() => loadValue(dir, stored)).toThrow(`${path} is damaged at byte`);
    }
    for (const length of [0, 10, 30, 1_000, bytes.length - 1]) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(() => loadValue(dir, stored)).toThrow(`${path} is damaged at byte`);
    }
    expect(() => loadValue(dir, { kind: "file", name: "none.bin", bytes: 1 })).toThrow("does not exist");
  });
});

import { expect, test } from "bun:test";

import type { TaskPayload } from "../../src/model/job.ts";
import { encode } from "../../src/store/codec.ts";
import { encodeIndexTask } from "../../src/store/index-tasks.ts";

const task = (params: TaskPayload["params"], more: Partial<TaskPayload> = {}): TaskPayload => ({
  params,
  line: null,
  args: [],
  ...more,
});

test("a task that is only a number in an array has the bytes that any value has", () => {
  for (const index of [0, 1, 63, 64, 127, 128, 255, 256, 65_535, 65_536, 0x7a6b5c4d, 2 ** 31, 2 ** 32 - 1]) {
    const bytes = encodeIndexTask(task({ index })) ?? new Uint8Array();
    expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(encode(task({ index }))).toString("hex"));
  }
});

test("a task that is anything more, or another kind of number, is left to the codec", () => {
  class Row {
    index = 1;
  }
  const others = [
    task(null),
    task({}),
    task({ index: -1 }),
    task({ index: -0 }),
    task({ index: 1.5 }),
    task({ index: 2 ** 32 }),
    task({ index: "1" }),
    task({ seed: 1 }),
    task({ index: 1, seed: 1 }),
    task({ index: 1, [Symbol("more")]: 1 }),
    task({ ...new Row(), index: 1n }),
    task(Object.assign(new Row())),
    task({ index: 1 }, { line: "1" }),
    task({ index: 1 }, { args: [undefined] }),
    task({ index: 1 }, { args: Object.assign([], { named: 1 }) }),
    task({ index: 1 }, { fn: 1 }),
  ];
  expect(others.map(encodeIndexTask)).toEqual(others.map(() => null));
});

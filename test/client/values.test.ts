import { expect, test } from "bun:test";

import { PayloadError } from "../../src/index.ts";
import { TestJobx } from "../helpers/jobx.ts";
import { add, later } from "./functions.ts";
import { memoryExecutor } from "./memory.ts";
import { valuesOf } from "./script.ts";

const MB = 1024 * 1024;

test("arguments and results come back as they were", async () => {
  const values = await valuesOf(
    new TestJobx(),
    `const cycle: Record<string, unknown> = { name: "cycle" };
     cycle.self = cycle;
     const given = {
       date: new Date(0), map: new Map([["a", new Set([1n, 2n ** 80n])]]), bytes: new Uint8Array([1, 2, 255]),
       floats: new Float64Array([0.1, -0, NaN]), nothing: undefined, pattern: /a+/gi, text: "é🎉", cycle, minusZero: -0,
       error: Object.assign(new TypeError("odd"), { code: 7 }),
     };
     const executor = await createExecutor();
     const job = await executor.map(same, [given, undefined], [1, 2]);
     const [back, none] = await job.results();
     const { error, ...rest } = given;
     const { error: backError, ...backRest } = back;
     show(Bun.deepEquals(backRest, rest, true));
     show([backError instanceof TypeError, backError.message, backError.code, backError.stack === error.stack]);
     show([back.cycle.self === back.cycle, Object.is(back.minusZero, -0), "nothing" in back, none === undefined]);`,
    "export function same(value: any, n: number): any { return value; }",
  );
  expect(values).toEqual([true, [true, "odd", 7, true], [true, true, true, true]]);
}, 20_000);

test("what cannot be stored is refused at submit by its path, and nothing is left of it", async () => {
  const { executor, memory } = memoryExecutor();
  const wrong: unknown = { model: { fn: () => 1 } };
  const act = executor.submit<unknown>(`${import.meta.dir}/functions.ts#later`, wrong);
  await expect(act).rejects.toBeInstanceOf(PayloadError);
  await expect(act).rejects.toThrow("args[0].model.fn is a function");
  await expect(executor.map(add, [1, 2], [3, Number.NaN])).resolves.toMatchObject({ length: 2 });
  const tooLarge = executor.with({ maxPayload: "1K" }).submit(later, "x".repeat(2000));
  await expect(tooLarge).rejects.toBeInstanceOf(PayloadError);
  expect(memory.submitted).toHaveLength(1);
});

test("a result that cannot be stored is a failure that says where", async () => {
  const values = await valuesOf(
    new TestJobx(),
    `const executor = await createExecutor();
     const job = await executor.submit(wrong);
     show((await job.exception())?.message);`,
    "export function wrong(): any { return { deep: [1, () => 2] }; }",
  );
  expect(values).toEqual([expect.stringContaining("deep[1] is a function")]);
});

test("100 MB of numbers go in and out with less than three times that in memory anywhere", async () => {
  const values = await valuesOf(
    new TestJobx(),
    // Of this program alone: the kernel's other figure begins with that of the process that started it.
    `const rss = () => Number(/VmHWM:\\s+(\\d+)/.exec(require("node:fs").readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
     const executor = await createExecutor();
     const numbers = new Float64Array(100 * ${MB} / 8).fill(2);
     const job = await executor.submit(half, numbers);
     show(rss());
     const back = await job.result();
     show([back.length, back[7], rss()]);
     show(((await job.task(0).info()).maxRssBytes ?? Infinity) / ${MB});`,
    `export function half(numbers: Float64Array) {
       const { length } = numbers;
       return numbers.subarray(0, length / 2).map((x) => x / 2);
     }`,
  );
  const [submitted, [length, one, received], worker] = values as [number, [number, number, number], number];
  expect([length, one]).toEqual([(100 * MB) / 16, 1]);
  expect(Math.max(submitted, received)).toBeLessThan(300);
  expect(worker).toBeLessThan(360); // what the function itself makes is among it
}, 30_000);

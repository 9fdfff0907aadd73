import { expect, test } from "bun:test";
import { existsSync } from "node:fs";

import { call, command, sequence } from "../../src/index.ts";
import { add, double, later } from "./functions.ts";
import { FUNCTIONS, memoryExecutor } from "./memory.ts";

test("a plan says what would be submitted, and writes nothing", async () => {
  const { executor, memory, home } = memoryExecutor({ name: "fit" });
  expect(await executor.plan(add, 1, 2)).toBe(
    `Would submit 1 task to memory as "fit", in ${process.cwd()}\n  task 0: add(1, 2)`,
  );
  expect(memory.submitted).toHaveLength(0);
  expect(existsSync(home)).toBe(false);
});

test("a function that several tasks call is stored once, and each task names its own", async () => {
  const { executor, memory } = memoryExecutor();
  const job = await executor.submitAll([
    call(add, 1, 2),
    sequence([call(double, 1), call(add, 3, 4)]),
    call<string>(`${FUNCTIONS}#later`, "x"),
  ]);
  const entry = memory.submitted[0]?.spec.entry;
  if (entry?.kind !== "function") throw new Error("it is no job of functions");
  expect([entry.export, ...(entry.more ?? []).map((each) => each.export)]).toEqual([
    "add",
    "double",
    "later",
  ]);
  expect(await job.task(1).submission()).toMatchObject({
    kind: "sequence",
    steps: [
      { export: "double", args: [1] },
      { export: "add", args: [3, 4] },
    ],
  });
  expect(await job.task(2).submission()).toMatchObject({ export: "later", args: ["x"] });
});

test("what cannot be one job, or one task, is refused in words that say what can", async () => {
  const { executor, memory } = memoryExecutor();
  const nothing: unknown[] = [];
  const odd = () => Reflect.apply(executor.submitAll, executor, [[{ run: 1 }]]);
  for (const [act, message] of [
    [() => executor.submitAll([call(later, "x"), command(["true"])]), "1 of the 2 tasks are commands"],
    [() => executor.submitAll([command(["a"]), command(["b"], { cwd: "/" })]), "have one cwd"],
    [() => executor.submitAll([]), "There is nothing to submit"],
    [odd, "is no call, command or sequence"],
    [() => executor.map(add, [1, 2, 3], [1]), "iterables of 3 and 1 elements"],
    [() => executor.map(`${FUNCTIONS}#double`, nothing), "map was given no elements"],
    [() => executor.map(`${FUNCTIONS}#double`), "map has nothing to map over"],
    [() => executor.submit(Math.max, 1), "max is built in"],
  ] as const) {
    await expect(act()).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining(message) });
  }
  expect(() => command([])).toThrow("The command is empty");
  expect(() => sequence([])).toThrow("The sequence is empty");
  expect(memory.submitted).toHaveLength(0);
});

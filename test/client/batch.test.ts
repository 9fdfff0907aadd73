import { expect, test } from "bun:test";

import { JobxError } from "../../src/errors.ts";
import { SubmissionError, type Task } from "../../src/index.ts";
import { add, double } from "./functions.ts";
import { memoryExecutor } from "./memory.ts";

test("a batch submits one job when its body ends, and gives what the body gives", async () => {
  const { executor, memory } = memoryExecutor();
  const tasks = await executor.batch(async (batch) => {
    const first = batch.submit(add, 1, 2);
    await Promise.resolve();
    const second = batch.submit(double, 4);
    expect(memory.submitted).toHaveLength(0);
    return [first, second];
  });
  expect(memory.submitted).toHaveLength(1);
  expect(tasks.map((task) => task.id)).toEqual(["1.0", "1.1"]);
  expect(await Promise.all(tasks.map((task) => task.submission()))).toMatchObject([
    { export: "add", args: [1, 2] },
    { export: "double", args: [4] },
  ]);
});

test("touching a handle inside its batch is an error that says so", async () => {
  const { executor, memory } = memoryExecutor();
  const act = executor.batch(async (batch) => {
    const task = batch.submit(add, 1, 2);
    expect(() => task.id).toThrow("has not been submitted yet");
    await task.result();
  });
  await expect(act).rejects.toThrow("The batch of this task has not been submitted yet");
  expect(memory.submitted).toHaveLength(0);
});

test("a throw submits nothing, and what was collected says why it never was", async () => {
  const { executor, memory } = memoryExecutor();
  const tasks: Task<number>[] = [];
  const act = executor.batch((batch) => {
    tasks.push(batch.submit(add, 1, 2));
    throw new Error("changed my mind");
  });
  await expect(act).rejects.toThrow("changed my mind");
  expect(memory.submitted).toHaveLength(0);
  await expect(tasks[0]?.state()).rejects.toThrow("never submitted");
});

test("an implicit batch submits what is there when a handle is touched, and the rest at its end", async () => {
  const { executor, memory } = memoryExecutor();
  const tasks = await executor.batch(
    async (batch) => {
      const first = batch.submit(add, 1, 2);
      const second = batch.submit(add, 3, 4);
      expect(await second.state()).toBe("queued");
      expect(memory.submitted).toHaveLength(1);
      return [first, second, batch.submit(add, 5, 6)];
    },
    { implicit: true },
  );
  expect(tasks.map((task) => task.id)).toEqual(["1.0", "1.1", "2.0"]);
});

test("an empty batch submits nothing, and one that is over takes nothing more", async () => {
  const { executor, memory } = memoryExecutor();
  const batch = await executor.batch((given) => given);
  expect(memory.submitted).toHaveLength(0);
  expect(() => batch.submit(add, 1, 2)).toThrow("The batch is over");
});

test("an executor that refuses a batch refuses it to its handles as well", async () => {
  const { executor, memory } = memoryExecutor();
  memory.refusal = new JobxError("REFUSED", "The queue is closed");
  const tasks: Task<number>[] = [];
  const act = executor.batch((batch) => void tasks.push(batch.submit(add, 1, 2)));
  await expect(act).rejects.toBeInstanceOf(SubmissionError);
  await expect(tasks[0]?.result()).rejects.toBeInstanceOf(SubmissionError);
});

import { afterEach, expect, test } from "bun:test";
import { readdirSync } from "node:fs";

import { asCompleted, call, Job, monitor, WaitTimeoutError } from "../../src/index.ts";
import { jobDir } from "../../src/store/layout.ts";
import { eventually } from "../helpers/eventually.ts";
import { add, double } from "./functions.ts";
import { endTasks, memoryExecutor } from "./memory.ts";

const ROWS = 10_000;
const indices = Array.from({ length: ROWS }, (_, index) => index);

/** The timers that are set and neither cleared nor over, looked at from here on. */
function watchTimers() {
  const running = new Set<unknown>();
  let most = 0;
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  globalThis.setTimeout = new Proxy(set, {
    apply(target, self, [run, ...rest]: [() => void, ...unknown[]]) {
      const timer: unknown = Reflect.apply(target, self, [() => (running.delete(timer), run()), ...rest]);
      running.add(timer);
      most = Math.max(most, running.size);
      return timer;
    },
  });
  globalThis.clearTimeout = new Proxy(clear, {
    apply(target, self, [timer]: [unknown]) {
      running.delete(timer);
      return Reflect.apply(target, self, [timer]);
    },
  });
  restore = () => Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  return { most: () => most, now: () => running.size };
}

let restore: () => unknown = () => {};
afterEach(() => void restore());

test("10,000 rows are one submission of few files, in a second", async () => {
  const { executor, memory, home } = memoryExecutor();
  await executor.map(double, [1]); // what is loaded when first used
  const began = performance.now();
  const job = await executor.map(add, indices, indices);
  const seconds = (performance.now() - began) / 1000;
  expect(job.length).toBe(ROWS);
  expect(memory.submitted).toHaveLength(2);
  expect(readdirSync(jobDir(home, job.id), { recursive: true }).length).toBeLessThan(10);
  expect(seconds).toBeLessThan(2); // 1 s on a machine that does nothing else
});

test("a job gives its tasks in order", async () => {
  const { executor } = memoryExecutor();
  const job = await executor.map(double, [1, 2, 3]);
  expect([...job].map((task) => task.selector)).toEqual([`${job.id}.0`, `${job.id}.1`, `${job.id}.2`]);
});

test("10,000 results are waited for with one timer, and none is left", async () => {
  const { executor, home } = memoryExecutor();
  const job = await executor.map(double, indices);
  const timers = watchTimers();
  const results = Promise.all(job.tasks.map((task) => task.result({ timeout: 60 })));
  await eventually(() => timers.now() === 1);
  const most = timers.most();
  await endTasks(home, job.id, new Map(indices.map((index) => [index, index * 2])));
  expect((await results).reduce((sum, value) => sum + value, 0)).toBe(ROWS * (ROWS - 1));
  expect([most, timers.now()]).toEqual([1, 0]);
});

test("tasks come as they end, those that have ended before first", async () => {
  const { executor, home } = memoryExecutor();
  const job = await executor.map(double, [0, 1, 2]);
  await endTasks(home, job.id, new Map([[2, 4]]));
  const seen: number[] = [];
  for await (const task of asCompleted(job, { timeout: 20 })) {
    seen.push(task.index);
    if (seen.length === 1) await endTasks(home, job.id, new Map([[0, 0]]), 1);
    if (seen.length === 2) await endTasks(home, job.id, new Map([[1, 2]]), 2);
  }
  expect(seen).toEqual([2, 0, 1]);
});

test("tasks that end while others are dealt with come in the order of their ends", async () => {
  const { executor, home } = memoryExecutor();
  const job = await executor.map(double, [0, 1, 2, 3]);
  await endTasks(home, job.id, new Map([[1, 2]]));
  const seen: number[] = [];
  for await (const task of asCompleted(job, { timeout: 20 })) {
    seen.push(task.index);
    if (seen.length > 1) continue;
    await endTasks(home, job.id, new Map([[3, 6]]), 1, "2026-01-01T00:00:02.000Z");
    await endTasks(home, job.id, new Map([[2, 4]]), 2, "2026-01-01T00:00:03.000Z");
    await endTasks(home, job.id, new Map([[0, 0]]), 3, "2026-01-01T00:00:01.000Z");
    await job.wait();
  }
  expect(seen).toEqual([1, 0, 3, 2]);
});

test("a wait that takes too long, or is aborted, ends while the job goes on", async () => {
  const { executor, home } = memoryExecutor();
  const job = await executor.submit(double, 1);
  await expect(job.wait({ timeout: 0 })).rejects.toBeInstanceOf(WaitTimeoutError);
  await expect(job.result({ timeout: "20ms" }).catch((error: unknown) => error)).resolves.toMatchObject({
    code: "USAGE",
  });
  await expect(job.result({ timeout: 0.02 })).rejects.toMatchObject({
    code: "WAIT_TIMEOUT",
    message: expect.stringContaining("job 1 has not ended"),
  });
  const reason = new Error("enough");
  await expect(job.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const waiting = job.wait({ signal: controller.signal });
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  const given = asCompleted([job], { timeout: 0.02 }).next();
  await expect(given).rejects.toBeInstanceOf(WaitTimeoutError);
  expect(await job.state()).toBe("queued");
  await endTasks(home, job.id, new Map([[0, 5]]));
  expect(await job.result()).toBe(5);
});

test("what is no job is refused by name, a promise that nobody awaited among them", async () => {
  const { executor } = memoryExecutor();
  const given = (what: unknown): Promise<unknown> => Reflect.apply(asCompleted, null, [what]).next();
  await expect(given(Promise.resolve())).rejects.toThrow("asCompleted was given a promise, which is no job");
  await expect(given([3])).rejects.toThrow("asCompleted was given 3, which is no job or task");
  await expect(given({ a: 1, b: 2 })).rejects.toThrow(
    "asCompleted was given { a: 1, b: 2 }, which is no job",
  );
  await expect(Reflect.apply(monitor, null, [undefined])).rejects.toThrow("monitor was given undefined");
  const all = Reflect.apply(executor.submitAll, executor, [call(double, 1)]);
  await expect(all).rejects.toThrow("submitAll was given no array");
});

test("who stops looking at what ends leaves no timer behind", async () => {
  const { executor, home } = memoryExecutor();
  const job = await executor.map(double, [0, 1]);
  await endTasks(home, job.id, new Map([[0, 0]]));
  const timers = watchTimers();
  for await (const task of asCompleted(job)) {
    expect(task.index).toBe(0);
    break;
  }
  await eventually(() => timers.now() === 0);
});

test("options that a call does not have are refused by name, so that no slip waits for ever", async () => {
  const { executor, home } = memoryExecutor();
  const job = await executor.submit(double, 1);
  const slip: object = { timout: 0.01 };
  const did = "Did you mean timeout? It takes timeout, signal";
  for (const act of [() => job.wait(slip), () => job.results(slip), () => asCompleted([job], slip).next()]) {
    await expect(act()).rejects.toMatchObject({ code: "USAGE", hint: did });
  }
  await expect(monitor(job, slip)).rejects.toThrow("monitor() has no option timout");
  await expect(job.interrupt(slip)).rejects.toThrow("interrupt() has no option timout");
  const batch = { implict: true };
  await expect(executor.batch(() => null, batch as object)).rejects.toMatchObject({ code: "USAGE" });
  await expect(Job.attach(job.id, { hme: home } as object)).rejects.toThrow("did you mean home?");
  await expect(job.retry({ env: {} } as object)).rejects.toThrow("retry() has no option env");
  await expect(Reflect.apply(job.wait, job, [5])).rejects.toThrow("The options of wait() are 5");
});

test("a task between two others is none", async () => {
  const { executor } = memoryExecutor();
  const job = await executor.map(double, [0, 1]);
  expect(() => job.task(0.5)).toThrow("Job 1 has no task 0.5");
  expect(() => job.task(NaN)).toThrow("Job 1 has no task NaN");
});

test("an executor that breaks, and a display that does, end their own waits alone", async () => {
  const good = memoryExecutor();
  const broken = memoryExecutor();
  const job = await good.executor.submit(double, 1);
  const other = await broken.executor.submit(double, 1);
  const fault = new TypeError("a bug in a plugin");
  broken.memory.executor.status = () => Promise.reject(fault);
  const waiting = job.result({ timeout: 10 });
  const write = () => {
    throw fault;
  };
  const shown = expect(monitor(job, { stream: { write } })).rejects.toBe(fault);
  await expect(other.wait()).rejects.toBe(fault);
  await endTasks(good.home, job.id, new Map([[0, 2]]));
  await shown;
  expect(await waiting).toBe(2);
});

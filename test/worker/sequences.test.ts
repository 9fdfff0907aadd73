import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { FunctionCode } from "../../src/model/job.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import {
  againsOf,
  hasStarted,
  type JobInput,
  logOf,
  makeJob,
  resultOf,
  resultsOf,
  runJob,
  startWorker,
} from "./job.ts";

const SOURCE = `
import { defineTask, distributed, jobContext } from "jobx";
import { appendFileSync } from "node:fs";

const note = (text) => appendFileSync("steps", text + "\\n");
const first = () => jobContext().attempt === 0;

export function plain(name) {
  note(name);
  return name;
}
export async function slow(name) {
  note(name);
  console.log("waits");
  while (first()) await Bun.sleep(5);
  return name;
}
export const saving = defineTask({
  async run(ctx, name) {
    for (let i = ctx.restored ?? 0; i < 3; i++) {
      note(name + i);
      await ctx.save(i + 1);
      if (i === 1 && first()) {
        console.log("waits");
        for (;; await Bun.sleep(5)) ctx.signal.throwIfAborted();
      }
    }
    return name;
  },
});
export const unstorable = () => () => 1;
export function waits(name) {
  note(name);
  console.log("waits");
  return first() ? new Promise((resolve) => jobContext().signal.addEventListener("abort", () => resolve(name))) : name;
}
/** Says where it goes on, having saved something on every rank. */
export const ranked = defineTask({
  async run(ctx) {
    const from = ctx.restored;
    await ctx.save({ rank: ctx.rank, attempt: ctx.attempt });
    if (ctx.attempt === 0) {
      console.log("waits");
      for (;; await Bun.sleep(5)) ctx.signal.throwIfAborted();
    }
    return from;
  },
  checkpoint: async (ctx) => (await Bun.sleep(200), { asked: ctx.rank }),
});
export const place = () => {
  const { signal, paths, hostnames, node, ...rest } = jobContext();
  return { ...rest, ...distributed(), env: process.env.RANK + "/" + process.env.WORLD_SIZE };
};
`;

function makeSequence(steps: [name: string, ...args: unknown[]][], input: JobInput = {}) {
  const home = tempDir();
  const file = join(home, "task.ts");
  writeFileSync(file, SOURCE);
  const codes = steps.map(([name]): FunctionCode => ({ file, export: name, code: null }));
  const [code = { file, export: "plain", code: null }, ...more] = codes;
  const payload = { steps: steps.map(([, ...args], fn) => ({ fn, args })) };
  const dir = makeJob(home, { entry: { kind: "function", ...code, more }, tasks: [payload], ...input });
  const done = () => readFileSync(join(home, "steps"), "utf8").trim().split("\n");
  return { dir, done };
}

function makeRanks(name: string, input: JobInput = {}): string {
  const home = tempDir();
  const file = join(home, "task.ts");
  writeFileSync(file, SOURCE);
  const entry = { kind: "function" as const, file, export: name, code: null };
  return makeJob(home, { entry, resources: { ranksPerNode: 3 }, ...input });
}

/** Waits until the task waits, lets something happen to its worker, and runs it to its end. */
async function withSignal(dir: string, signal: NodeJS.Signals): Promise<void> {
  const worker = startWorker(dir);
  await eventually(() => logOf(dir).includes("waits") && hasStarted(dir));
  worker.signal(signal);
  await worker.ended;
  if (signal === "SIGKILL") await runJob(dir);
}

describe("a sequence", () => {
  test("calls its steps one after the other, and gives all their values", async () => {
    const { dir, done } = makeSequence([
      ["plain", "a"],
      ["saving", "b"],
    ]);
    await withSignal(dir, "SIGUSR2");
    expect(resultOf(dir)).toMatchObject({ attempt: 1, value: { kind: "inline", value: ["a", "b"] } });
    expect(done()).toEqual(["a", "b0", "b1", "b2"]);
    expect(againsOf(dir)[0]?.reason).toMatch(/goes on from the state of step 2 saved at/);
  });

  test("does not run finished steps again when its supervisor was killed, whatever they are", async () => {
    const { dir, done } = makeSequence([
      ["plain", "a"],
      ["plain", "b"],
      ["slow", "c"],
      ["plain", "d"],
    ]);
    await withSignal(dir, "SIGKILL");
    expect(resultOf(dir).value).toEqual({ kind: "inline", value: ["a", "b", "c", "d"] });
    expect(done()).toEqual(["a", "b", "c", "c", "d"]);
    expect(againsOf(dir)[0]?.reason).toMatch(/goes on from the 2 finished steps saved at/);
  });

  test("that is warned ends the step that it is at, and goes on with the next", async () => {
    const { dir, done } = makeSequence([
      ["plain", "a"],
      ["waits", "b"],
      ["plain", "c"],
    ]);
    await withSignal(dir, "SIGUSR2");
    expect(resultOf(dir)).toMatchObject({ attempt: 1, value: { kind: "inline", value: ["a", "b", "c"] } });
    expect(done()).toEqual(["a", "b", "c"]);
    expect(againsOf(dir)).toMatchObject([{ why: "preempted" }]);
  });

  test("names the step whose value cannot be stored", async () => {
    const { dir } = makeSequence([["plain", "a"], ["unstorable"]]);
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir).reason).toMatch(/^The value of step 2 cannot be stored: .*is a function/);
  });
});

describe("a task of several ranks", () => {
  test("asks the first alone, and all ranks go on from its state", async () => {
    const dir = makeRanks("ranked");
    const worker = startWorker(dir);
    for (const rank of [0, 1, 2]) await eventually(() => logOf(dir, 0, "out", 1, rank).includes("waits"));
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(0);
    expect(resultsOf(dir).map(({ value }) => value)).toEqual(
      [0, 1, 2].map(() => ({ kind: "inline", value: { asked: 0 } })),
    );
    expect(againsOf(dir).map(({ why }) => why)).toEqual(["preempted", "preempted", "preempted"]);
  });

  test("goes on from what the first rank saved when its supervisor was killed", async () => {
    const dir = makeRanks("ranked");
    const worker = startWorker(dir);
    for (const rank of [0, 1, 2]) await eventually(() => logOf(dir, 0, "out", 1, rank).includes("waits"));
    await eventually(() => hasStarted(dir, 3));
    worker.signal("SIGKILL");
    await worker.ended;
    expect(await runJob(dir)).toBe(0);
    expect(resultsOf(dir).map(({ value }) => value)).toEqual(
      [0, 1, 2].map(() => ({ kind: "inline", value: { rank: 0, attempt: 0 } })),
    );
  });

  for (const distributed of [true, false]) {
    test(`knows its place on every rank, distributed: ${distributed}`, async () => {
      const dir = makeRanks("place", { run: { distributed } });
      expect(await runJob(dir)).toBe(0);
      const values = resultsOf(dir).map(({ value }) => (value?.kind === "inline" ? value.value : null));
      for (const rank of [0, 1, 2]) {
        expect(values[rank]).toMatchObject({
          job: 1,
          task: 0,
          rank,
          localRank: rank,
          numRanks: 3,
          numNodes: 1,
          worldSize: 3,
          localWorldSize: 3,
          masterAddr: "127.0.0.1",
          env: `${rank}/3`,
        });
      }
      expect(new Set(values.map((value) => Reflect.get(Object(value), "masterPort"))).size).toBe(1);
    });
  }
});

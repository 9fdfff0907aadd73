import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import {
  againsOf,
  hasStarted,
  type JobInput,
  logOf,
  makeJob,
  resultOf,
  runJob,
  startWorker,
  type Worker,
} from "./job.ts";

// Limits of some seconds are waited for, several in one test.
setDefaultTimeout(30_000);

/**
 * Tasks of five steps, each counted in the file `steps`. In their first attempt they stop after three, and wait: so
 * it is known what has been done when something happens to them.
 */
const SOURCE = `
import { again, defineTask } from "jobx";
import { appendFileSync } from "node:fs";

let latest = null;

async function steps(ctx, wait) {
  console.log("runner", process.pid);
  let { i } = ctx.restored ?? { i: 0 };
  for (; i < 5; i++) {
    appendFileSync("steps", i + "\\n");
    latest = { i: i + 1 };
    if (ctx.saves) await ctx.save(latest);
    if (i === 2 && ctx.attempt === 0) {
      console.log("waits");
      await wait();
    }
  }
  return [i, ctx.attempt];
}

const saving = (ctx) => Object.defineProperties({ saves: true }, Object.getOwnPropertyDescriptors(ctx));
const forever = () => new Promise((resolve) => setTimeout(resolve, 1e6));

/** Saves, and leaves when it is asked to. */
export const polite = defineTask({
  run: (ctx) => steps(saving(ctx), async () => {
    for (;; await Bun.sleep(5)) ctx.signal.throwIfAborted();
  }),
});
/** Saves, and never looks at its signal. */
export const deaf = defineTask({ run: (ctx) => steps(saving(ctx), forever) });
/** Saves, and blocks its event loop. */
export const blocked = defineTask({
  run: (ctx) => steps(saving(ctx), async () => {
    while (true);
  }),
});
/** Saves nothing by itself. */
export const asked = defineTask({ run: (ctx) => steps(ctx, forever), checkpoint: () => latest });
/** Goes on with another argument. */
export const other = defineTask({
  run: async (ctx, word) => (word === "second" ? [word, ctx.restored] : steps(saving(ctx), forever)),
  checkpoint: () => again("second"),
});
/** Is killed in the midst of its saves, each time; tells how far it had been told that they were safe, and how far they were. */
export const hunted = defineTask({
  async run(ctx) {
    let i = ctx.restored?.i ?? 0;
    appendFileSync("steps", (ctx.attempt === 0 ? "" : "restored " + i) + "\\n");
    if (ctx.attempt === 8) return i;
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 20 + ctx.attempt * 7);
    const w = new Float64Array(50_000 * ctx.attempt);
    for (;;) {
      await ctx.save({ i: ++i, w });
      appendFileSync("steps", "told " + i + "\\n");
    }
  },
});
/** Saves 100 MB in several attempts. */
export const large = defineTask({
  async run(ctx) {
    const w = ctx.restored?.w ?? new Float64Array(12_500_000).fill(1);
    for (let i = 0; i < 4; i++) await ctx.save({ i, w });
    if (ctx.attempt === 0) process.exit(1);
    return w.length;
  },
});
export const refusing = defineTask({ run: (ctx) => steps(saving(ctx), forever), checkpoint: () => null });
export const silent = defineTask({ run: (ctx) => steps(saving(ctx), forever), checkpoint: () => new Promise(() => {}) });
export const throwing = defineTask({
  run: (ctx) => steps(saving(ctx), forever),
  checkpoint: () => { throw new RangeError("not now"); },
});
/** Has nothing to go on from. */
export const careless = defineTask({ run: (ctx) => steps(ctx, forever) });
/** Leaves before its answer is there. */
export const hasty = defineTask({
  run: (ctx) => steps(ctx, async () => {
    for (;; await Bun.sleep(1)) ctx.signal.throwIfAborted();
  }),
  checkpoint: async () => (await Bun.sleep(100), latest),
});
/** Finishes although it was warned. */
export const finishing = defineTask({
  run: (ctx) => steps(ctx, () => new Promise((resolve) => ctx.signal.addEventListener("abort", () => setTimeout(resolve, 50)))),
  checkpoint: () => forever(),
});

`;

type Task =
  | "large"
  | "hunted"
  | "polite"
  | "deaf"
  | "blocked"
  | "asked"
  | "other"
  | "refusing"
  | "silent"
  | "throwing"
  | "careless"
  | "hasty"
  | "finishing";

type Happening = "preempted" | "timeout" | "limit" | "killed runner" | "killed supervisor";

function makeTask(name: Task, input: JobInput = {}) {
  const home = tempDir();
  const file = join(home, "task.ts");
  writeFileSync(file, SOURCE);
  const dir = makeJob(home, { entry: { kind: "function", file, export: name, code: null }, ...input });
  const lines = () => readFileSync(join(home, "steps"), "utf8").trim().split("\n");
  return { dir, lines, steps: () => lines().join("") };
}

/** Runs a task to its end, with something that happens to it once it waits. */
async function withHappening(name: Task, happening: Happening, run: JobInput["run"] = {}) {
  const isLimit = happening === "limit";
  const made = makeTask(name, {
    resources: isLimit ? { timeSeconds: 2 } : {},
    run: { signalDelaySeconds: 1, retries: happening === "killed runner" ? 1 : 0, ...run },
  });
  const worker = startWorker(made.dir);
  await eventually(() => logOf(made.dir).includes("waits") && hasStarted(made.dir));
  happen(happening, worker, logOf(made.dir));
  await worker.ended;
  if (happening === "killed supervisor") await runJob(made.dir);
  const again = againsOf(made.dir).map(({ why }) => why);
  return { ...made, again, result: resultOf(made.dir), log: logOf(made.dir) };
}

function happen(happening: Happening, worker: Worker, log: string): void {
  if (happening === "preempted") worker.signal("SIGUSR2");
  if (happening === "timeout") worker.signal("SIGUSR1");
  if (happening === "killed supervisor") worker.signal("SIGKILL");
  if (happening === "killed runner") process.kill(Number(/runner (\d+)/.exec(log)?.[1]), "SIGKILL");
}

/** How the record of the first attempt puts it. */
const WHY = {
  preempted: "preempted",
  timeout: "timeout",
  limit: "timeout",
  "killed runner": "failed",
  "killed supervisor": "lost",
} as const;

const ONCE = "01234";
const value = (given: unknown) => ({ kind: "inline", value: given });

describe("a task that saves and leaves when it is asked to", () => {
  for (const happening of Object.keys(WHY) as Happening[]) {
    test(`goes on after its last save: ${happening}`, async () => {
      const { result, again, steps, log } = await withHappening("polite", happening);
      expect(result).toMatchObject({ status: "succeeded", attempt: 1, value: value([5, 1]) });
      expect(steps()).toBe(ONCE);
      expect(again).toEqual([WHY[happening]]);
      expect(log).toMatch(/--- jobx: goes on from the state saved at \S+Z by attempt 0 ---/);
    });
  }
});

describe("a task that saves and looks at nothing", () => {
  for (const happening of ["preempted", "limit", "killed runner", "killed supervisor"] as const) {
    test(`goes on after its last save: ${happening}`, async () => {
      const { result, again, steps } = await withHappening("deaf", happening);
      expect(result).toMatchObject({ status: "succeeded", attempt: 1, value: value([5, 1]) });
      expect(steps()).toBe(ONCE);
      expect(again).toEqual([WHY[happening]]);
    });
  }
});

describe("a task that blocks its event loop", () => {
  for (const happening of ["preempted", "limit", "killed runner", "killed supervisor"] as const) {
    test(`goes on after its last save: ${happening}`, async () => {
      const { dir, result, again, steps, log } = await withHappening("blocked", happening);
      expect(result).toMatchObject({ status: "succeeded", attempt: 1, value: value([5, 1]) });
      expect(steps()).toBe(ONCE);
      expect(again).toEqual([WHY[happening]]);
      if (happening === "preempted" || happening === "limit") {
        expect(againsOf(dir)[0]?.reason).toMatch(
          /blocks its event loop and could not be asked for its state; goes on from the state saved at \S+Z by attempt 0$/,
        );
        expect(log).toContain("blocks its event loop");
      }
    });
  }
});

describe("checkpoint()", () => {
  for (const happening of ["preempted", "timeout", "limit"] as const) {
    test(`gives the state to go on from: ${happening}`, async () => {
      const names = ["asked", "hasty"] as const;
      for (const made of await Promise.all(names.map((name) => withHappening(name, happening)))) {
        expect(made.result).toMatchObject({ status: "succeeded", attempt: 1, value: value([5, 1]) });
        expect(made.steps()).toBe(ONCE);
        expect(made.again).toEqual([WHY[happening]]);
      }
    });

    test(`that answers again(...) has other arguments used, and the state kept: ${happening}`, async () => {
      const { result, again, steps } = await withHappening("other", happening);
      expect(result).toMatchObject({ status: "succeeded", attempt: 1, value: value(["second", { i: 3 }]) });
      expect(steps()).toBe("012");
      expect(again).toEqual([WHY[happening]]);
    });

    test(`that answers null ends the task: ${happening}`, async () => {
      const { result, again } = await withHappening("refusing", happening, { requeue: true });
      expect(result).toMatchObject({ status: "failed", attempt: 0 });
      expect(result.reason).toMatch(/, and checkpoint\(\) asked not to be run again/);
      expect(again).toEqual([]);
    });

    test(`that never answers, or throws, leaves the last save: ${happening}`, async () => {
      const names = ["silent", "throwing"] as const;
      for (const made of await Promise.all(names.map((name) => withHappening(name, happening)))) {
        expect(made.result).toMatchObject({ status: "succeeded", attempt: 1, value: value([5, 1]) });
        expect(made.steps()).toBe(ONCE);
        expect(made.again).toEqual([WHY[happening]]);
        const [first] = againsOf(made.dir);
        expect(first?.reason).toMatch(/and checkpoint\(\) failed: (not now|it has not answered)/);
      }
    });
  }

  test("is not asked when nothing warns: what it would have said is lost with the process", async () => {
    const { result, steps } = await withHappening("asked", "killed runner");
    expect(result).toMatchObject({ status: "succeeded", attempt: 1 });
    expect(steps()).toBe(`012${ONCE}`);
  });

  test("does not keep a task from finishing that was nearly done", async () => {
    const { result, steps } = await withHappening("finishing", "preempted");
    expect(result).toMatchObject({ status: "succeeded", attempt: 0 });
    expect(steps()).toBe(ONCE);
  });
});

describe("a task without a state", () => {
  test("is left alone by a preemption, and run again from its start where --requeue says so", async () => {
    const { result, again, steps } = await withHappening("careless", "preempted", { requeue: true });
    expect(result).toMatchObject({ status: "succeeded", attempt: 1 });
    expect(again).toEqual(["preempted"]);
    expect(steps()).toBe(`012${ONCE}`);
  });

  test("ends with its limit, its supervisor or its process", async () => {
    for (const [happening, status] of [
      ["limit", "timeout"],
      ["killed supervisor", "lost"],
    ] as const) {
      const { result } = await withHappening("careless", happening);
      expect(result).toMatchObject({ status, attempt: 0 });
    }
  });
});

test("nothing that was saved is lost when the process is killed in the midst of saving, and nothing is half there", async () => {
  const { dir, lines } = makeTask("hunted", { run: { retries: 8 } });
  expect(await runJob(dir)).toBe(0);
  let told = 0;
  for (const line of lines()) {
    const [word, number] = [line.split(" ")[0], Number(line.split(" ")[1])];
    // One save more may have been whole, without anybody being told.
    if (word === "restored") expect([told, told + 1]).toContain(number);
    if (word === "told") told = number;
  }
  expect(told).toBeGreaterThan(10);
  expect(logOf(dir)).not.toContain("damaged");
  const kept = readdirSync(join(dir, "checkpoints", "0"));
  expect(kept.filter((name) => !/^state-\d+\.jobx$/.test(name))).toEqual([]);
  // The last two, and one more where the kill came before the oldest was removed: the next save would do that.
  expect(kept.length).toBeLessThanOrEqual(3);
});

test("a state of 100 MB is saved and restored in less than three times its size", async () => {
  const { dir } = makeTask("large", { run: { retries: 1 } });
  expect(await runJob(dir)).toBe(0);
  const { value: length, usage } = resultOf(dir);
  expect(length).toEqual({ kind: "inline", value: 12_500_000 });
  expect(usage?.maxRssBytes).toBeLessThan(400e6);
});

describe("a task in an allocation that is ended without a warning", () => {
  const allocation = { JOBX_ELEMENT: "0", JOBX_REQUEUE_COMMAND: '["true"]' };

  async function withEnd(name: Task) {
    const made = makeTask(name, { run: { signalDelaySeconds: 1 } });
    const worker = startWorker(made.dir, allocation);
    await eventually(() => logOf(made.dir).includes("waits"));
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(75);
    expect(againsOf(made.dir)).toMatchObject([{ why: "preempted" }]);
    await runJob(made.dir, { ...allocation, JOBX_RESTARTS: "1" });
    return { ...made, result: resultOf(made.dir) };
  }

  test("is asked for its state, and goes on when the scheduler starts it again", async () => {
    for (const name of ["asked", "polite", "deaf"] as const) {
      const { result, steps } = await withEnd(name);
      expect(result).toMatchObject({ status: "succeeded", attempt: 1, value: value([5, 1]) });
      expect(steps()).toBe(ONCE);
    }
  });

  test("and asks not to be run again is not, although the scheduler starts it again", async () => {
    const { result, steps } = await withEnd("refusing");
    expect(result).toMatchObject({ status: "failed", attempt: 0 });
    expect(result.reason).toContain("it was started again, but asked not to be run again");
    expect(steps()).toBe("012");
  });
});

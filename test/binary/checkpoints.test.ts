import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { TestJobx } from "../helpers/jobx.ts";
import { killProcess } from "../helpers/processes.ts";

setDefaultTimeout(60_000);

const jobx = new TestJobx({ JOBX_QUEUE_IDLE_MS: "2000" });

const TRAIN = `
import { again, defineTask } from "jobx";
import { appendFileSync } from "node:fs";

let latest: { epoch: number; w: Float64Array } | null = null;

export const train = defineTask({
  async run(ctx, name: string, { epochs }: { epochs: number } = { epochs: 6 }) {
    let { epoch, w } = ctx.restored ?? { epoch: 0, w: new Float64Array(2) };
    for (; epoch < epochs; epoch++) {
      appendFileSync(name, String(epoch));
      w = w.map((each: number) => each + epoch);
      await ctx.save({ epoch: epoch + 1, w });
      if (epoch === 2 && ctx.attempt === 0) {
        console.log("waits");
        while (!ctx.signal.aborted) await Bun.sleep(5);
      }
      ctx.signal.throwIfAborted();
    }
    return { w, attempt: ctx.attempt };
  },
});

export const asked = defineTask({
  async run(ctx, name: string) {
    appendFileSync(name, ctx.restored ? "again" : "first ");
    if (ctx.restored) return ctx.restored;
    console.log("waits");
    await Bun.sleep(1e6);
  },
  checkpoint: () => new Map([["reason", "asked"]]),
});

export const blocked = defineTask({
  async run(ctx, name: string) {
    appendFileSync(name, String(ctx.attempt));
    if (ctx.restored) return ctx.restored;
    await ctx.save("saved");
    console.log("waits");
    while (true);
  },
});

export const refusing = defineTask({
  async run() {
    console.log("waits");
    await Bun.sleep(1e6);
  },
  checkpoint: () => null,
});

export const flaky = defineTask({
  async run(ctx, name: string) {
    appendFileSync(name, String(ctx.restored ?? 0));
    await ctx.save((ctx.restored ?? 0) + 1);
    if (!ctx.restored) throw new Error("not yet");
    return ctx.restored;
  },
});
`;

type Task = {
  state: string;
  attempt: number;
  reason: string | null;
  attempts: { why: string; reason: string }[];
};

let count = 0;

/** Submits a task with a file of its own to note its steps in. */
async function submit(task: string, options: string[] = [], own = jobx) {
  const name = `steps-${count++}`;
  const id = await own.submit([...options, "--args", JSON.stringify([name]), `train.ts#${task}`]);
  const log = () => readFileSync(join(own.home, "jobs", id, "logs", "0.out"), "utf8");
  return {
    id,
    log,
    steps: () => readFileSync(join(own.cwd, name), "utf8"),
    // Until that is on record as well: who is killed within 20 ms of a start leaves none of that attempt.
    waits: async () => {
      await eventually(() => log().includes("waits"), { timeoutMs: 20_000 });
      await eventually(async () => (await own.json<{ state: string }>(["status", id])).state === "running");
    },
  };
}

async function ended(id: string): Promise<Task> {
  await jobx.run(["wait", id]);
  const { tasks } = await jobx.json<{ tasks: [Task] }>(["show", id]);
  return tasks[0];
}

beforeAll(async () => {
  await jobx.file("train.ts", TRAIN);
});

describe("a task that saves its state", () => {
  const happenings: [
    what: string,
    why: string,
    options: string[],
    happen: (id: string) => Promise<unknown>,
  ][] = [
    ["interrupt", "preempted", [], (id) => jobx.ok(["interrupt", id])],
    ["interrupt --timeout", "timeout", [], (id) => jobx.ok(["interrupt", "--timeout", id])],
    ["its time limit", "timeout", ["--time", "2s", "--signal-delay", "1s"], async () => {}],
    ["kill -9 of its process", "failed", ["--retries", "1"], () => killProcess(jobx, "_runner")],
    ["kill -9 of its supervisor", "lost", [], () => killProcess(jobx, "_worker")],
  ];
  for (const [what, why, options, happen] of happenings) {
    test(`goes on after its last save: ${what}`, async () => {
      const { id, log, steps, waits } = await submit("train", options);
      await waits();
      await happen(id);
      const task = await ended(id);
      expect(task).toMatchObject({ state: "succeeded", attempt: 1, attempts: [{ why }] });
      expect(task.attempts[0]?.reason).toMatch(/goes on from the state saved at \S+Z by attempt 0$/);
      expect(log()).toMatch(/--- jobx: attempt 1 on \S+ at \S+, after: .+ ---\n/);
      expect(log()).toMatch(/--- jobx: goes on from the state saved at \S+Z by attempt 0 ---/);
      expect(steps()).toBe("012345");
      expect(await jobx.json<unknown>(["result", id])).toMatchObject({ attempt: 1, w: [15, 15] });
    });
  }

  test("never notices that the queue was killed", async () => {
    const { id, steps, waits } = await submit("train");
    await waits();
    await killProcess(jobx, "_queue");
    // Any command that needs the queue starts another.
    await jobx.submit(["--wait", "--", "true"]);
    await eventually(async () => (await jobx.run(["interrupt", id])).code === 0);
    expect(await ended(id)).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(steps()).toBe("012345");
  });

  test("goes on with --retries after it threw, in the debug executor too", async () => {
    for (const executor of ["local", "debug"]) {
      const { id, steps } = await submit("flaky", ["--executor", executor, "--retries", "1"]);
      expect(await ended(id)).toMatchObject({ state: "succeeded", attempt: 1 });
      expect(await jobx.json<unknown>(["result", id])).toBe(1);
      expect(steps()).toBe("01");
    }
  });

  test("counts timeouts, and no preemptions", async () => {
    const { id, waits } = await submit("refusing", ["--max-timeouts", "0"]);
    await waits();
    await jobx.ok(["interrupt", id]);
    expect(await ended(id)).toMatchObject({ state: "failed", attempt: 0 });
    const other = await submit("train", ["--max-timeouts", "0"]);
    await other.waits();
    await jobx.ok(["interrupt", other.id]);
    expect(await ended(other.id)).toMatchObject({ state: "succeeded", attempt: 1 });
    const third = await submit("train", ["--max-timeouts", "0"]);
    await third.waits();
    await jobx.ok(["interrupt", "--timeout", third.id]);
    expect(await ended(third.id)).toMatchObject({ state: "timeout", attempt: 0 });
  });
});

describe("jobx retry --resume", () => {
  test("goes on from the last save of a task that has used up its timeouts, whose reason names it", async () => {
    const { id, steps, waits } = await submit("train", ["--max-timeouts", "0"]);
    await waits();
    await jobx.ok(["interrupt", "--timeout", id]);
    const { reason } = await ended(id);
    expect(reason).toEndWith(
      `; --max-timeouts 0 allows no further run; jobx retry ${id} --resume goes on from what it has saved`,
    );
    expect((await jobx.run(["wait", id])).err).toContain(`run it again: jobx retry ${id} --resume`);
    const again = (await jobx.ok(["retry", "-q", "--resume", id])).trim();
    expect(await ended(again)).toMatchObject({ state: "succeeded", attempt: 0 });
    expect(await jobx.json<unknown>(["result", again])).toMatchObject({ w: [15, 15] });
    expect(steps()).toBe("012345");
  });

  test("goes on from what a command keeps in its checkpoint folder", async () => {
    const script = 'cd "$JOBX_CHECKPOINT_DIR"; cat a/b 2>/dev/null && exit; mkdir a; echo kept > a/b; exit 3';
    const id = await jobx.submit(["--", "sh", "-c", script]);
    expect(await ended(id)).toMatchObject({ state: "failed" });
    const again = (await jobx.ok(["retry", "-q", "--resume", id])).trim();
    expect(await ended(again)).toMatchObject({ state: "succeeded" });
    expect(await jobx.ok(["logs", again])).toBe("kept\n");
  });
});

describe("a task that is asked for its state", () => {
  test("goes on from what checkpoint() answered, whatever runs meanwhile", async () => {
    const { id, steps, waits } = await submit("asked");
    await waits();
    await jobx.ok(["interrupt", id]);
    expect(await ended(id)).toMatchObject({
      state: "succeeded",
      attempt: 1,
      attempts: [{ why: "preempted" }],
    });
    expect(steps()).toBe("first again");
  });

  test("but blocks its event loop is ended and goes on from its last save, and status says so", async () => {
    const { id, log, waits } = await submit("blocked", ["--signal-delay", "2s"]);
    await waits();
    await jobx.ok(["interrupt", id]);
    const task = await ended(id);
    expect(task).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(task.attempts[0]?.reason).toMatch(
      /^preempted, but the function blocks its event loop and could not be asked for its state; goes on from the state saved/,
    );
    expect(log()).toContain("but the function blocks its event loop");
  });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("SKIPPED: the test of a state on a full disk needs root, to mount a small tmpfs");

describe.skipIf(!isRoot)("on a full disk", () => {
  const disk = `/tmp/jobx-test-states-${process.pid}`;
  mkdirSync(disk, { recursive: true });
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", disk]);
  const full = new TestJobx({ JOBX_HOME: join(disk, "home") });
  afterAll(() => {
    Bun.spawnSync(["umount", "-l", disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  test("save() rejects with what to do, leaves the last state and no rest, and may be tried again", async () => {
    if (!mounted.success) throw new Error(mounted.stderr.toString());
    await full.file(
      "full.ts",
      `import { defineTask } from "jobx";
      import { existsSync } from "node:fs";
      export default defineTask({
        async run(ctx) {
          if (ctx.restored) return ctx.restored.n;
          await ctx.save({ n: 1 });
          console.log("waits");
          while (!existsSync("filled")) await Bun.sleep(5);
          const failed = await ctx.save({ n: 2, w: new Uint8Array(3e6) }).then(() => null, (error) => error);
          console.log("rejected", failed?.code, failed?.message, failed?.hint);
          while (existsSync("filled")) await Bun.sleep(5);
          if (ctx.attempt === 0) throw failed;
        },
      });`,
    );
    const id = await full.submit(["--retries", "1", "full.ts"]);
    const log = () => readFileSync(join(disk, "home", "jobs", id, "logs", "0.out"), "utf8");
    await eventually(() => log().includes("waits"), { timeoutMs: 20_000 });
    const filler = join(disk, "filler");
    fillBut(filler, 1_000_000);
    await full.file("filled", "");
    await eventually(() => log().includes("rejected"), { timeoutMs: 20_000 });
    rmSync(filler);
    rmSync(join(full.cwd, "filled"));
    expect((await full.run(["wait", id])).code).toBe(0);
    expect(await full.json<unknown>(["result", id])).toBe(1);
    expect(log()).toMatch(/rejected STORAGE .*state-2\.jobx cannot be written.* The disk is full: make room/);
    expect(readdirSync(join(disk, "home", "jobs", id, "checkpoints", "0"))).toEqual(["state-1.jobx"]);
  });
});

/** Leaves this many bytes of the file system. */
function fillBut(path: string, bytes: number): void {
  writeFileSync(path, "");
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(path, Buffer.alloc(bavail * bsize - bytes));
}

import { describe, expect, test } from "bun:test";

import { addCancelled } from "../../src/store/jobs.ts";
import { segmentPath } from "../../src/store/layout.ts";
import { Recorder } from "../../src/worker/recorder.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import {
  againsOf,
  isAlive,
  LEAVES,
  logOf,
  makeJob,
  recordsOf,
  resultOf,
  resultsOf,
  runJob,
  startWorker,
  whenReady,
} from "./job.ts";

/** What the script of a scheduler says that requeues by an exit code. */
const ALLOCATION = { JOBX_ELEMENT: "0", JOBX_REQUEUE_EXIT_CODE: "99" };

describe("where an exit code has the scheduler run an element again", () => {
  test("the worker ends with it when tasks are left, and only then", async () => {
    const dir = makeJob(tempDir(), { argv: LEAVES });
    const worker = await whenReady(dir, ALLOCATION);
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(99);
    expect(againsOf(dir)).toMatchObject([{ attempt: 0, why: "preempted" }]);
    expect(await runJob(dir, { ...ALLOCATION, JOBX_RESTARTS: "1" })).toBe(0);
    const failing = makeJob(tempDir(), { argv: ["sh", "-c", "exit 99"] });
    expect(await runJob(failing, ALLOCATION)).toBe(1);
  });

  test("not once the scheduler has ended the element", async () => {
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", "echo ready; exec sleep 300"] });
    const worker = await whenReady(dir, ALLOCATION);
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(75);
  });
});

describe("where a warning reaches every process of a job", () => {
  test("a task that dies of it was preempted, and runs again where it may", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "test $JOBX_ATTEMPT -gt 0 && exit 0; kill -USR2 $$"],
      run: { requeue: true },
    });
    expect(await runJob(dir, ALLOCATION)).toBe(0);
    expect(againsOf(dir)).toMatchObject([{ why: "preempted", signal: "SIGUSR2" }]);
  });

  test("one that comes of a cancellation cancels what jobx was asked to", async () => {
    const dir = makeJob(tempDir(), { argv: LEAVES });
    const worker = await whenReady(dir, ALLOCATION);
    addCancelled(dir, null);
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "cancelled" });
  });

  test("one that the task dies of before the worker hears it was a cancellation all the same", async () => {
    const home = tempDir();
    const script = "echo ready; until test -e go; do sleep 0.05; done; kill -USR2 $$";
    const dir = makeJob(home, { argv: ["sh", "-c", script], cwd: home });
    const worker = await whenReady(dir, ALLOCATION);
    addCancelled(dir, null);
    await Bun.write(`${home}/go`, "");
    expect(await worker.ended).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "cancelled", reason: "cancelled" });
  });

  test("a signal that means nothing ends neither the worker nor its command", async () => {
    const script = "echo ready; until test -e go; do sleep 0.05; done; kill -USR1 $$; echo alive";
    const home = tempDir();
    const dir = makeJob(home, { argv: ["sh", "-c", script], cwd: home });
    const worker = await whenReady(dir, { ...ALLOCATION, JOBX_IGNORED_SIGNALS: "SIGUSR1" });
    worker.signal("SIGUSR1");
    await Bun.write(`${home}/go`, "");
    expect(await worker.ended).toBe(0);
    expect(logOf(dir)).toBe("ready\nalive\n");
  });

  test("a command that is not there is told of as ever, signals to ignore or not", async () => {
    const dir = makeJob(tempDir(), { argv: ["no-such-command-here"] });
    await runJob(dir, { ...ALLOCATION, JOBX_IGNORED_SIGNALS: "SIGUSR1" });
    expect(resultOf(dir)).toMatchObject({ status: "failed", exitCode: 127 });
  });
});

describe("where the environment was kept in the job's folder", () => {
  test("the scheduler's own variables are added to it, and no others", async () => {
    const dir = makeJob(tempDir(), { argv: ["env"], environment: { COLOUR: "teal", QUEUE: "old" } });
    const own = { QUEUE: "main.q", SGE_TASK_ID: "3", SGE_O_HOST: "login", STRAY: "1" };
    await runJob(dir, { ...ALLOCATION, ...own, JOBX_SCHEDULER_VARIABLES: "QUEUE SGE_* NSLOTS" });
    const lines = logOf(dir).split("\n");
    for (const line of ["COLOUR=teal", "QUEUE=main.q", "SGE_TASK_ID=3", "SGE_O_HOST=login"])
      expect(lines).toContain(line);
    expect(lines.filter((line) => /^(STRAY|JOBX_SCHEDULER|JOBX_REQUEUE)/.test(line))).toEqual([]);
  });
});

describe("where the scheduler waits for any end of other jobs", () => {
  const judging = { ...ALLOCATION, JOBX_JUDGE_AFTER: "yes" };

  test("the worker runs what was to follow that end, and cancels the rest", async () => {
    const home = tempDir();
    await runJob(makeJob(home, { argv: ["false"] }));
    const wanted = { ok: "cancelled", any: "succeeded", fail: "succeeded" } as const;
    for (const [at, [kind, status]] of Object.entries(wanted).entries()) {
      const dir = makeJob(home, {
        id: at + 2,
        run: { after: [{ job: 1, kind: kind as keyof typeof wanted }] },
      });
      await runJob(dir, judging);
      expect(resultOf(dir)).toMatchObject({ status });
      if (kind === "ok") expect(resultOf(dir).reason).toBe("job 1, which it waits for, is failed");
    }
  });

  test("task by task it looks at the element's own tasks alone", async () => {
    const home = tempDir();
    const pack = { tasks: 2, slots: 1 };
    const argv = ["sh", "-c", "exit $JOBX_TASK"];
    await runJob(makeJob(home, { argv, tasks: [{}, {}, {}, {}], run: { pack } }), { JOBX_ELEMENT: "0" });
    const dir = makeJob(home, {
      id: 2,
      tasks: [{}, {}, {}, {}],
      run: { pack, after: [{ job: 1, kind: "each" }] },
    });
    await runJob(dir, judging);
    expect(
      resultsOf(dir)
        .map(({ task, status }) => [task, status])
        .sort(),
    ).toEqual([
      [0, "succeeded"],
      [1, "cancelled"],
    ]);
  });
});

test("an element that is started elsewhere while it still leaves one host waits for what that run records", async () => {
  const dir = makeJob(tempDir(), { argv: ["true"] });
  const run = { task: 0, rank: 0, attempt: 0, node: "elsewhere", startedAt: new Date().toISOString() };
  const recorder = Recorder.create(segmentPath(dir, 0, 0, 0), () => undefined);
  recorder.started(() => ({ ...run, kind: "started", pid: 1, pidStart: null }));
  await eventually(() => recordsOf(dir).length === 1);
  const next = startWorker(dir, { ...ALLOCATION, JOBX_RESTARTS: "1", JOBX_HANDOVER_SECONDS: "20" });
  await eventually(() => next.errors() === "" && isAlive(next.pid));
  const left = { exitCode: 85, signal: null, why: "preempted", reason: "preempted" } as const;
  recorder.ended([{ ...run, ...left, kind: "again", endedAt: new Date().toISOString() }]);
  await recorder.settled();
  expect(await next.ended).toBe(0);
  expect(againsOf(dir)).toMatchObject([{ why: "preempted" }]);
  expect(resultOf(dir)).toMatchObject({ attempt: 1, status: "succeeded" });
});

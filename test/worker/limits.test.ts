import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { addCancelled } from "../../src/store/jobs.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import { againsOf, isAlive, logOf, makeJob, resultOf, resultsOf, runJob, startWorker } from "./job.ts";

describe("the time limit", () => {
  test("ends a task and says so", async () => {
    const dir = makeJob(tempDir(), { argv: ["sleep", "60"], resources: { timeSeconds: 1 } });
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "timeout", signal: "SIGTERM" });
    expect(resultOf(dir).reason).toContain("time limit of 1s");
  });

  test("warns a task that listens, in time for it to leave a checkpoint and come back", async () => {
    const script = `
      test $JOBX_ATTEMPT = 1 && exit 0
      trap 'echo saved > $JOBX_CHECKPOINT_DIR/state; exit 85' USR2
      echo ready; sleep 60 & wait`;
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", script],
      resources: { timeSeconds: 5 },
      run: { signalDelaySeconds: 4 },
    });
    expect(await runJob(dir)).toBe(0);
    expect(againsOf(dir)).toMatchObject([{ why: "timeout", exitCode: 85 }]);
    expect(resultOf(dir)).toMatchObject({ status: "succeeded", attempt: 1 });
  });

  test("does not harm a task that does not listen to its warning", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sleep", "1.5"],
      resources: { timeSeconds: 20 },
      run: { signalDelaySeconds: 19.5 },
    });
    expect(await runJob(dir)).toBe(0);
  });

  test("kills what does not leave, and everything it started", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "trap '' TERM; setsid sleep 300 & echo $!; while :; do sleep 0.1; done"],
      resources: { timeSeconds: 1 },
    });
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "timeout", signal: "SIGKILL" });
    expect(isAlive(Number(logOf(dir)))).toBe(false);
  }, 15_000);
});

describe("the memory limit", () => {
  test("ends a task that uses more, with what to ask for next", async () => {
    const script = "head -c 200000000 /dev/zero | tail";
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", script], resources: { memBytes: 64 * 1024 ** 2 } });
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir).status).toBe("failed");
    expect(resultOf(dir).reason).toMatch(
      /^OUT_OF_MEMORY on .*: used [\d.]+ of 64\.0 MiB; retry with --mem 128M$/,
    );
  });

  test("fails a task that has lost a part of itself, although its command ended well", async () => {
    const script = "head -c 200000000 /dev/zero | tail; true";
    const dir = makeJob(tempDir(), { argv: ["sh", "-c", script], resources: { memBytes: 64 * 1024 ** 2 } });
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir)).toMatchObject({ status: "failed", value: null });
    expect(resultOf(dir).reason).toContain("OUT_OF_MEMORY");
  });

  test("is one for all ranks of a task together", async () => {
    const home = tempDir();
    const file = join(home, "task.ts");
    const body = "const held = Buffer.alloc(150_000_000, 1); await Bun.sleep(5000); return held.length;";
    writeFileSync(file, `export default async function () { ${body} }`);
    const dir = makeJob(home, {
      entry: { kind: "function", file, export: "default", code: null },
      resources: { memBytes: 300_000_000, ranksPerNode: 2 },
    });
    expect(await runJob(dir)).toBe(1);
    for (const { status, reason } of resultsOf(dir)) {
      expect(status).toBe("failed");
      expect(reason).toContain("OUT_OF_MEMORY");
    }
  }, 20_000);

  test("leaves a task alone that keeps to it", async () => {
    const dir = makeJob(tempDir(), { argv: ["true"], resources: { memBytes: 64 * 1024 ** 2 } });
    expect(await runJob(dir)).toBe(0);
  });
});

describe("usage", () => {
  test("of a short command is an upper bound, of a large one the kernel's figure", async () => {
    const small = makeJob(tempDir(), { argv: ["true"] });
    await runJob(small);
    expect(resultOf(small).usage).toMatchObject({ maxRssIsUpperBound: true });
    // More than this very process has ever had, whose image a command has before it begins.
    const bytes = process.resourceUsage().maxRSS * 1024 + 100_000_000;
    const large = makeJob(tempDir(), {
      argv: ["sh", "-c", `head -c ${bytes} /dev/zero | tail -c ${bytes} >/dev/null`],
    });
    await runJob(large);
    expect(resultOf(large).usage?.maxRssIsUpperBound).toBe(false);
    expect(resultOf(large).usage?.maxRssBytes).toBeGreaterThan(0.95 * bytes);
    expect(resultOf(large).usage?.systemSeconds).toBeGreaterThan(0);
  });

  test("of a small command that lasts is sampled", async () => {
    const dir = makeJob(tempDir(), { argv: ["sleep", "0.8"] });
    await runJob(dir);
    expect(resultOf(dir).usage?.maxRssIsUpperBound).toBe(false);
    expect(resultOf(dir).usage?.maxRssBytes).toBeLessThan(10_000_000);
  });
});

describe("cancelling", () => {
  test("a task that was cancelled before it started never starts", async () => {
    const home = tempDir();
    const dir = makeJob(home, {
      argv: ["sh", "-c", `echo $JOBX_TASK >> ${home}/ran`],
      tasks: [{}, {}, {}],
      run: { pack: { tasks: 1, slots: 1 } },
    });
    addCancelled(dir, [1]);
    expect(await runJob(dir)).toBe(1);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["succeeded", "cancelled", "succeeded"]);
    expect(await Bun.file(join(home, "ran")).text()).toBe("0\n2\n");
  });

  test("a worker that is asked to end passes it on, records every task and exits with 1", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "setsid sleep 300 & echo $!; wait"],
      tasks: [{}, {}, {}],
      run: { pack: { tasks: 1, slots: 1 } },
    });
    const worker = startWorker(dir);
    const pid = await eventually(() => Number(logOf(dir, 0, "out", 3)));
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(1);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["cancelled", "cancelled", "cancelled"]);
    expect(isAlive(pid)).toBe(false);
  });
});

describe("a preemption", () => {
  test("is passed on to tasks that listen, and what waits is left for the next run", async () => {
    const home = tempDir();
    const script = `test -e ${home}/again && exit 0; trap 'exit 85' USR2; echo ready; while :; do sleep 0.05; done`;
    const dir = makeJob(home, {
      argv: ["sh", "-c", script],
      tasks: [{}, {}],
      run: { pack: { tasks: 1, slots: 1 }, requeue: true },
    });
    const worker = startWorker(dir);
    await eventually(() => logOf(dir, 0, "out", 2).includes("ready"));
    writeFileSync(join(home, "again"), "");
    worker.signal("SIGUSR2");
    expect(await worker.ended).toBe(0);
    expect(againsOf(dir)).toMatchObject([{ task: 0, why: "preempted" }]);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  });

  test("followed by SIGTERM ends the tasks, to be run again by the next worker", async () => {
    const dir = makeJob(tempDir(), {
      argv: [
        "sh",
        "-c",
        "test $JOBX_ATTEMPT -gt 0 && exit 0; trap 'echo warned' USR2; echo ready; while :; do sleep 0.05; done",
      ],
      tasks: [{}, {}],
      run: { pack: { tasks: 1, slots: 1 }, requeue: true },
    });
    const worker = startWorker(dir);
    await eventually(() => logOf(dir, 0, "out", 2).includes("ready"));
    worker.signal("SIGUSR2");
    await eventually(() => logOf(dir, 0, "out", 2).includes("warned"));
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(75);
    expect(resultsOf(dir)).toEqual([]);
    expect(againsOf(dir)).toMatchObject([{ task: 0, attempt: 0, why: "preempted" }]);
  });
});

describe("a worker that is asked to end during setup", () => {
  test("ends the setup and records its tasks as cancelled", async () => {
    const home = tempDir();
    const dir = makeJob(home, { tasks: [{}, {}], run: { setup: [`echo $$ > ${home}/pid; sleep 300`] } });
    const worker = startWorker(dir);
    const pid = await eventually(async () => Number(await Bun.file(join(home, "pid")).text()));
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(1);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
    expect(isAlive(pid)).toBe(false);
  });
});

import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

import { failureText } from "../../src/cli/failures.ts";
import { makeOutput } from "../../src/cli/output.ts";
import type { RemoteError } from "../../src/model/records.ts";
import type { TaskView } from "../../src/model/task-view.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { type JobView, readJobs } from "../../src/orchestrator/view.ts";
import { checkpointDir, elementLogPath, logPath, statePath } from "../../src/store/layout.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { RUN } from "../helpers/run-options.ts";
import { tempDir } from "../helpers/temp.ts";
import { failedView, taskView } from "./views.ts";

const { style } = makeOutput(
  { json: false, quiet: false, verbose: false, color: { out: false, err: false } },
  () => {},
);

const thrown: RemoteError = {
  name: "RangeError",
  message: "too large",
  stack: "RangeError: too large\n    at fit (/home/me/fit.ts:3:9)",
  cause: null,
  fields: {},
};

const REPORT = `RangeError: too large
    at fit (/home/me/fit.ts:3:9)

> 3 |   throw new RangeError("too large");
    |         ^
`;

type Logs = { err?: string; out?: string; element?: string };

async function jobOf(tasks: number, { pack = 1, ...logs }: Logs & { pack?: number } = {}): Promise<JobView> {
  const services = new MemoryExecutor().services(tempDir());
  const run = { ...RUN, pack: { tasks: pack, slots: 1 } };
  const { id, dir } = await submitJob(services, input(tasks, { run }));
  const paths = {
    err: logPath(dir, tasks, 0, 0, "err"),
    out: logPath(dir, tasks, 0, 0, "out"),
    element: elementLogPath(dir, 0),
  };
  for (const stream of ["err", "out", "element"] as const) {
    const path = paths[stream];
    const text = logs[stream];
    if (text === undefined) continue;
    mkdirSync(dirname(path), { recursive: true });
    await Bun.write(path, text);
  }
  const [view] = await readJobs(services, [id]);
  if (!view) throw new Error("the job was not read");
  return view;
}

const lines = (view: JobView, task: TaskView, told = {}) => failureText(view, task, style, told).split("\n");

describe("a failure", () => {
  test("shows the end of a line that would fill the screen", async () => {
    const view = await jobOf(1, { err: `${"x".repeat(5000)} no space left on device` });
    const text = lines(view, failedView({ reason: "exit code 1" }));
    expect(text[1]).toMatch(/^ +\| …x+ no space left on device$/);
    expect(text[1]?.length).toBeLessThan(500);
  });

  test("tells what a function threw once, with its frames and code", async () => {
    const text = lines(await jobOf(1, { err: REPORT }), failedView({ error: thrown }));
    expect(text[0]).toBe("✗ Job 1 failed: RangeError: too large");
    expect(text.filter((line) => line.includes("RangeError: too large"))).toHaveLength(1);
    expect(text).toContain("      at fit (/home/me/fit.ts:3:9)");
    expect(text).toContain('  > 3 |   throw new RangeError("too large");');
    expect(text.at(-1)).toBe("  See its output: jobx logs 1; run it again: jobx retry 1");
  });

  test("shows what else was printed before it", async () => {
    const view = await jobOf(1, { err: `step 1\nwarning: no GPU\n${REPORT}` });
    const text = lines(view, failedView({ error: thrown }));
    expect(text).toContain("    | warning: no GPU");
    expect(text.filter((line) => line.includes("RangeError: too large"))).toHaveLength(1);
  });

  test("shows the standard output where nothing else was printed beside the report", async () => {
    const view = await jobOf(1, { err: REPORT, out: "step 1\nstep 2\n\n" });
    const text = lines(view, failedView({ error: thrown }));
    expect(text.filter((line) => line.includes("|")).slice(0, 2)).toEqual(["    | step 1", "    | step 2"]);
    expect(text).toContain("      at fit (/home/me/fit.ts:3:9)");
  });

  test("takes the frames from the error where the log does not have them", async () => {
    const text = lines(await jobOf(1, { err: "something else\n" }), failedView({ error: thrown }));
    expect(text).toContain("      at fit (/home/me/fit.ts:3:9)");
    expect(text).toContain("    | something else");
  });

  test("shows the end of a command's log, of its last attempt alone", async () => {
    const err = "first\n--- jobx: attempt 1 on n1 at 2026-01-01T00:00:00.000Z ---\nsecond\n";
    const text = lines(await jobOf(3, { err }), failedView({ reason: "exit code 1" }));
    expect(text).toEqual([
      "✗ Task 1.0 failed: exit code 1",
      "    | second",
      "  See its output: jobx logs 1.0; run it again: jobx retry 1.0",
    ]);
  });

  test("counts the attempts of a task that was run again", async () => {
    const tried = { ...failedView({ reason: "exit code 1" }), attempt: 2 };
    expect(lines(await jobOf(1), tried)[0]).toBe("✗ Job 1 failed: exit code 1 (3 attempts)");
  });

  test("names no output where there is none", async () => {
    expect(lines(await jobOf(1), failedView({ reason: "command not found: foo" }))).toEqual([
      "✗ Job 1 failed: command not found: foo",
      "  Run it again: jobx retry 1",
    ]);
    const marker = "--- jobx: the output went to the terminal ---\n";
    expect(lines(await jobOf(1, { err: marker }), failedView({ reason: "exit code 4" }))).toEqual([
      "✗ Job 1 failed: exit code 4",
      "  Run it again: jobx retry 1",
    ]);
  });

  test("shows what the scheduler caught of an element only where it can be this task's", async () => {
    const caught = "slurmstepd: error: *** JOB 1260 ON node1 CANCELLED DUE TO JOB REQUEUE ***";
    const ended = failedView({ reason: "exit code 7" });
    const silent = taskView({ state: "lost", reason: "node1 went down" });
    const packed = await jobOf(4, { element: caught, pack: 2 });
    expect(lines(packed, ended)).toEqual([
      "✗ Task 1.0 failed: exit code 7",
      "  Run it again: jobx retry 1.0",
    ]);
    expect(lines(packed, silent)).toContain(`    | ${caught}`);
    expect(lines(await jobOf(4, { element: caught }), ended)).toContain(`    | ${caught}`);
    expect(lines(await jobOf(4, { element: caught }), { ...ended, index: 1 })).toHaveLength(2);
    expect(lines(await jobOf(1, { element: caught }), ended)).toContain(`    | ${caught}`);
  });

  test("is gone on from where the task has saved something", async () => {
    const view = await jobOf(1);
    const folder = checkpointDir(view.dir, 1, 0);
    mkdirSync(folder, { recursive: true });
    await Bun.write(statePath(folder, 1), "a state");
    const text = lines(view, failedView({ reason: "exit code 1" }));
    expect(text.at(-1)).toBe("  Run it again: jobx retry 1 --resume");
  });

  test("says only its reason to somebody who has just seen the output", async () => {
    const text = lines(await jobOf(1, { err: REPORT }), failedView({ error: thrown }), { outputSeen: true });
    expect(text).toEqual([
      "✗ Job 1 failed: RangeError: too large",
      "  See its output: jobx logs 1; run it again: jobx retry 1",
    ]);
  });
});

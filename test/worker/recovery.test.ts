import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { jobFiles, segmentPath } from "../../src/store/layout.ts";
import { writeSegment } from "../../src/store/segments.ts";
import { readHistory } from "../../src/worker/history.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import { resultRecord } from "../store/records.ts";
import {
  againsOf,
  hasStarted,
  isAlive,
  logOf,
  makeJob,
  resultOf,
  resultsOf,
  runJob,
  startWorker,
} from "./job.ts";

const SLEEPER = ["sh", "-c", "setsid sleep 300 & echo $$ $!; exec sleep 300"];

describe("a worker that was killed", () => {
  test("leaves records from which the next one ends its processes and reports the task as lost", async () => {
    const dir = makeJob(tempDir(), { argv: SLEEPER });
    const pids = await killWorkerOnceStarted(dir);
    expect(pids.map(isAlive)).toEqual([true, true]);
    expect(await runJob(dir)).toBe(1);
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(resultOf(dir)).toMatchObject({
      status: "lost",
      attempt: 0,
      reason:
        "the supervisor was killed while the task ran; with --requeue or --retries N it would run again by itself",
    });
    expect(existsSync(segmentPath(dir, 0, 1, 0))).toBe(true);
  });

  test("has its task run again where --retries allows", async () => {
    const home = tempDir();
    const dir = makeJob(home, {
      argv: ["sh", "-c", `test -e ${home}/second && exit 0; echo $$ $$; exec sleep 300`],
      run: { retries: 1 },
    });
    await killWorkerOnceStarted(dir);
    writeFileSync(join(home, "second"), "");
    expect(await runJob(dir)).toBe(0);
    expect(againsOf(dir)).toMatchObject([{ why: "lost", attempt: 0 }]);
    expect(resultOf(dir)).toMatchObject({ status: "succeeded", attempt: 1 });
  });

  test("does not have finished tasks run again", async () => {
    const home = tempDir();
    const dir = makeJob(home, { argv: ["sh", "-c", `echo x >> ${home}/runs`], tasks: [{}, {}] });
    expect(await runJob(dir)).toBe(0);
    expect(await runJob(dir)).toBe(0);
    expect(await Bun.file(join(home, "runs")).text()).toBe("x\nx\n");
    expect(resultsOf(dir)).toHaveLength(2);
  });

  test("is the only one: a second worker of the same element leaves at once", async () => {
    const dir = makeJob(tempDir(), { argv: SLEEPER });
    const worker = startWorker(dir);
    await eventually(() => logOf(dir).includes(" "));
    expect(await runJob(dir)).toBe(75);
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(1);
    expect(resultOf(dir).status).toBe("cancelled");
  });

  test("is the only one by whatever path its job is reached", async () => {
    const { dir, linked } = linkedJob();
    const worker = startWorker(dir);
    await eventually(() => logOf(dir).includes(" "));
    expect(await runJob(linked)).toBe(75);
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(1);
    expect(resultOf(dir).status).toBe("cancelled");
  });

  test("has its processes ended by the next one though that reaches the job by another path", async () => {
    const { dir, linked } = linkedJob();
    const pids = await killWorkerOnceStarted(linked);
    expect(pids.map(isAlive)).toEqual([true, true]);
    expect(await runJob(dir)).toBe(1);
    expect(pids.map(isAlive)).toEqual([false, false]);
  });
});

describe("a worker goes on", () => {
  test("where the parameters of one task are damaged, which fails that task alone", async () => {
    const tasks = ["red", "green", "blue"].map((color) => ({ params: { color } }));
    const dir = makeJob(tempDir(), { argv: ["true"], tasks });
    const path = jobFiles.payload(dir);
    const bytes = readFileSync(path);
    bytes.write("G", bytes.indexOf("green"));
    writeFileSync(path, bytes);
    expect(await runJob(dir)).toBe(1);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["succeeded", "failed", "succeeded"]);
    expect(resultsOf(dir)[1]?.reason).toContain(`${path} is damaged at byte`);
  });

  test("where what was asked of its job cannot be read", async () => {
    const dir = makeJob(tempDir(), {
      argv: ["sh", "-c", "mkdir -p $JOBX_DIR/cancelled.msgpack"],
      tasks: [{}, {}, {}],
      run: { parallel: 1 },
    });
    expect(await runJob(dir)).toBe(0);
    expect(resultsOf(dir)).toHaveLength(3);
  });
});

test("the end that a function leaves by ending the process of its job counts, and no attempt counts twice", () => {
  const dir = makeJob(tempDir(), {});
  const end = resultRecord(0, null);
  mkdirSync(dirname(segmentPath(dir, 0, 0, 0)), { recursive: true });
  writeSegment(segmentPath(dir, 0, 0, 0), [{ ...end, kind: "again", why: "failed", reason: "" }]);
  writeSegment(segmentPath(dir, 0, 0, 1), [{ ...end, attempt: 1, status: "failed" }]);
  const { start, tasks } = readHistory(dir, 0, 1);
  expect(start).toBe(1);
  expect(tasks.get(0)).toMatchObject({ attempt: 1, final: true, succeeded: false, failures: 1 });
});

/** A job in a folder with a name beyond ASCII, and the same one through a symbolic link. */
function linkedJob(): { dir: string; linked: string } {
  const root = tempDir();
  const home = join(root, "Übung");
  symlinkSync(home, join(root, "link"));
  const dir = makeJob(home, { argv: SLEEPER });
  return { dir, linked: dir.replace(home, join(root, "link")) };
}

/** Kills a job's worker with SIGKILL while its task runs; gives the pids that the task has printed. */
async function killWorkerOnceStarted(dir: string): Promise<number[]> {
  const worker = startWorker(dir);
  const pids = await eventually(() => {
    const text = logOf(dir).trim();
    return text.includes(" ") ? text.split(" ").map(Number) : null;
  });
  await eventually(() => hasStarted(dir));
  worker.signal("SIGKILL");
  await worker.ended;
  return pids;
}

import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { WorkerOrder } from "../../src/queue/protocol.ts";
import { addCancelled, addInterrupt } from "../../src/store/jobs.ts";
import { checkpointDir, jobFiles, segmentPath } from "../../src/store/layout.ts";
import { readSegment } from "../../src/store/segment-reader.ts";
import { latestMark } from "../../src/store/task-state.ts";
import { Alarms } from "../../src/worker/alarms.ts";
import { fixedSlots } from "../../src/worker/fixed-slots.ts";
import { noteInLogs } from "../../src/worker/logs.ts";
import { Recorder } from "../../src/worker/recorder.ts";
import { Sampler } from "../../src/worker/sampler.ts";
import { Spares } from "../../src/worker/spares.ts";
import { TaskLine } from "../../src/worker/task-line.ts";
import { WishReader } from "../../src/worker/wishes.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import { resultRecord } from "../store/records.ts";
import { MAIN, makeJob } from "./job.ts";

describe("alarms", () => {
  test("ring in order of their times, and not when they were cleared", async () => {
    const alarms = new Alarms();
    const rung: string[] = [];
    alarms.after(20, () => rung.push("second"));
    const clear = alarms.after(5, () => rung.push("never"));
    alarms.after(10, () => rung.push("first"));
    clear();
    await eventually(() => rung.length === 2);
    expect(rung).toEqual(["first", "second"]);
  });
});

describe.skipIf(process.platform !== "linux")("the sampler", () => {
  test("looks at a new task in time while it waits for an older one's turn", async () => {
    const alarms = new Alarms();
    const sampler = new Sampler(alarms);
    const order: string[] = [];
    const trees = () => new Set([{ pid: process.pid, peakBytes: 0 }]);
    sampler.add({ trees: trees(), limitBytes: null, onExceeded: () => {} });
    sampler.add({ trees: trees(), limitBytes: 1, onExceeded: () => order.push("looked") });
    alarms.after(400, () => order.push("too late"));
    await eventually(() => order.length > 0);
    alarms.clear();
    expect(order[0]).toBe("looked");
  });
});

describe("fixed slots", () => {
  test("are granted up to what is wanted, with distinct GPUs", () => {
    const orders: WorkerOrder[] = [];
    const slots = fixedSlots({ count: 2, gpus: ["0", "1", "2", "3"], gpusPerSlot: 2 }, (order) =>
      orders.push(order),
    );
    slots.want(1);
    slots.want(5);
    expect(orders).toEqual([
      { type: "grant", slots: [{ id: 0, gpus: ["0", "1"] }] },
      { type: "grant", slots: [{ id: 1, gpus: ["2", "3"] }] },
    ]);
  });
});

describe("the line of tasks", () => {
  const line = () => new TaskLine([0, 1, 2, 3].map((task) => ({ task, attempt: 0 })));
  const drain = (tasks: TaskLine) => {
    const order: number[] = [];
    for (let next = tasks.next(); next; next = tasks.next()) order.push(next.task);
    return order;
  };

  test("passes over held tasks, and lets them go first once they are released", () => {
    const tasks = line();
    tasks.hold([0, 2]);
    expect(tasks.next()?.task).toBe(1);
    tasks.release([0]);
    expect(drain(tasks)).toEqual([0, 3]);
    expect(tasks.isHeld).toBe(true);
    tasks.release(null);
    expect(drain(tasks)).toEqual([2]);
    expect(tasks.isEmpty).toBe(true);
  });

  test("releases some of a line that is held as a whole", () => {
    const tasks = line();
    tasks.hold(null);
    expect(tasks.startable(9)).toBe(0);
    tasks.release([3]);
    expect(drain(tasks)).toEqual([3]);
  });

  test("takes out what was cancelled, parked tasks too", () => {
    const tasks = line();
    tasks.hold([0]);
    tasks.next();
    expect(tasks.remove((task) => task === 0 || task === 3).map(({ task }) => task)).toEqual([0, 3]);
    tasks.release(null);
    expect(drain(tasks)).toEqual([2]);
  });
});

describe("what is asked of a job", () => {
  test("is looked at again, and nothing of it is missed, once the folder can be read", () => {
    const dir = makeJob(tempDir(), {});
    const wishes = new WishReader(dir);
    addInterrupt(dir, { tasks: [0], kind: "timeout", signalled: false });
    mkdirSync(jobFiles.cancelled(dir));
    expect(wishes.changed()).toBeNull();
    rmdirSync(jobFiles.cancelled(dir));
    addCancelled(dir, null);
    const interrupts = [{ tasks: [0], kind: "timeout" as const, signalled: false }];
    expect(wishes.changed()).toEqual({ cancelled: "all", held: null, interrupts });
    expect(wishes.changed()).toBeNull();
  });
});

describe("what the disk refuses for a moment", () => {
  /** A job whose task 0 has a checkpoint folder that cannot be listed. */
  function unlistable(): { dir: string; folder: string } {
    const dir = tempDir();
    const folder = checkpointDir(dir, 2, 0);
    mkdirSync(dirname(folder));
    writeFileSync(folder, "");
    return { dir, folder };
  }

  test("is left where it is, and never becomes another task's", () => {
    const { dir } = unlistable();
    const spares = new Spares(dir, 2);
    spares.collect(0);
    spares.makeCheckpointFolder(1);
    expect(readdirSync(checkpointDir(dir, 2, 1))).toEqual([]);
  });

  test("costs a reason or a log no more than its words", () => {
    const { folder } = unlistable();
    expect(latestMark(folder)).toBeNull();
    expect(() => noteInLogs({ out: join(folder, "out"), err: join(folder, "err") }, "a note")).not.toThrow();
  });
});

describe("records", () => {
  test("are kept without the value or the error that cannot be stored", async () => {
    const path = join(tempDir(), "0.0.0.seg");
    const recorder = Recorder.create(path, () => {});
    const error = { name: "Error", message: "x", stack: null, cause: null, fields: { fn: () => 1 } };
    recorder.ended([
      { ...resultRecord(0, null), status: "timeout", error, reason: "too slow" },
      resultRecord(1, () => 1),
      resultRecord(2, 7),
    ]);
    expect(await recorder.settled()).toBe(true);
    await recorder.close();
    const records = readSegment(path).records.sort((a, b) => a.task - b.task);
    expect(records).toMatchObject([
      {
        task: 0,
        status: "timeout",
        error: null,
        reason: expect.stringMatching(/^too slow; .*cannot be stored/),
      },
      {
        task: 1,
        status: "failed",
        value: null,
        reason: expect.stringContaining("value.value is a function"),
      },
      { task: 2, status: "succeeded", value: { value: 7 } },
    ]);
  });
});

describe("a worker that cannot store its records", () => {
  test("says the outcome in the element's log and exits with 74", async () => {
    const dir = makeJob(tempDir(), { argv: ["true"] });
    mkdirSync(dirname(segmentPath(dir, 0, 0, 0)), { recursive: true });
    const script = `trap '' XFSZ; ulimit -f 0; exec "$@"`;
    const worker = Bun.spawn(
      ["sh", "-c", script, "sh", process.execPath, "--no-install", MAIN, "_worker", dir],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    expect(await worker.exited).toBe(74);
    const text = await new Response(worker.stderr).text();
    expect(text).toContain("cannot store records");
    expect(text).toContain('"task":0');
  });
});

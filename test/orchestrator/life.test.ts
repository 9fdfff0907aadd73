import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { scopeOf, timesOfScope } from "../../src/cli/selection.ts";
import { JobxError } from "../../src/errors.ts";
import type { ResultRecord, SegmentRecord } from "../../src/model/records.ts";
import { cancelJobs } from "../../src/orchestrator/control.ts";
import { listJobs } from "../../src/orchestrator/list.ts";
import { taskValue } from "../../src/orchestrator/results.ts";
import { retryJob } from "../../src/orchestrator/retry.ts";
import { resolveSelectors } from "../../src/orchestrator/select.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { readJobs } from "../../src/orchestrator/view.ts";
import { waitFor } from "../../src/orchestrator/wait.ts";
import { temporaryFor } from "../../src/store/files.ts";
import { readNative, readSpec, readSummary, writeSpec } from "../../src/store/jobs.ts";
import { checkpointDir, jobDir, jobFiles, segmentPath, statePath } from "../../src/store/layout.ts";
import { SegmentWriter } from "../../src/store/segments.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { fill, mountSmall } from "../helpers/small-disk.ts";
import { tempDir } from "../helpers/temp.ts";
import { againRecord, startedRecord } from "../store/records.ts";

function result(task: number, changes: Partial<ResultRecord> = {}): ResultRecord {
  return {
    kind: "result",
    task,
    rank: 0,
    attempt: 0,
    status: "succeeded",
    value: { kind: "inline", value: task * 10 },
    error: null,
    exitCode: 0,
    signal: null,
    reason: null,
    node: "here",
    startedAt: "2026-01-01T00:00:00.000Z",
    endedAt: "2026-01-01T00:00:02.000Z",
    usage: null,
    ...changes,
  };
}

async function record(dir: string, records: SegmentRecord[], start = 0): Promise<void> {
  const writer = SegmentWriter.create(segmentPath(dir, 0, start, 0));
  for (const one of records) await writer.append(one);
  await writer.close();
}

async function firstView(services: Parameters<typeof readJobs>[0], id: number) {
  const [view] = await readJobs(services, [id]);
  if (!view) throw new Error(`job ${id} was not read`);
  return view;
}

const disk = mountSmall();

describe("a wait", () => {
  test("is given up in time, and when it is interrupted, although its executor never answers", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    await submitJob(services, input(1));
    memory.executor.status = () => new Promise(() => undefined);
    const selected = await resolveSelectors(services, ["1"]);
    const late = waitFor(services, selected, { timeoutSeconds: 0.2 });
    await expect(late).rejects.toMatchObject({ code: "WAIT_TIMEOUT" });
    const stop = new AbortController();
    const stopped = waitFor(services, selected, { signal: stop.signal });
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("a job", () => {
  test("is accepted once everything is written, and waits for the reason that its executor gives", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const submitted = await submitJob(services, input(3));
    expect(submitted).toMatchObject({ id: 1, name: "true", nativeIds: ["n1"], tasks: 3 });
    const view = await firstView(services, 1);
    expect(view).toMatchObject({ state: "queued", reason: "Priority" });
    expect(view.counts.queued).toBe(3);
    expect(view.task(2)).toMatchObject({ state: "queued", native: "PENDING" });
  });

  test("that is refused leaves nothing behind", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    memory.refusal = new JobxError("REFUSED", "Invalid account");
    expect(submitJob(services, input(1))).rejects.toThrow("Invalid account");
    await Promise.resolve();
    expect(await listJobs(services)).toEqual([]);
  });

  test("that may have been accepted keeps its folder, and is found again by its token", async () => {
    const found = {
      natives: [{ id: "n9", cluster: null, submitted: "2026-01-01T00:00:00Z", firstElement: 0, elements: 1 }],
    };
    const memory = new MemoryExecutor({ find: async () => found });
    const services = memory.services(tempDir());
    memory.refusal = new JobxError("UNREACHABLE", "Socket timed out");
    await submitJob(services, input(1)).catch(() => null);
    expect((await firstView(services, 1)).natives[0]?.id).toBe("n9");
  });

  test("of several arrays is not taken for the first of them while these are being submitted", async () => {
    const parts = ["n1", "n2"].map((id, part) => ({
      id,
      cluster: null,
      submitted: "2026-01-01T00:00:00Z",
      firstElement: part,
      elements: 1,
    }));
    const found = { natives: parts.slice(0, 1) };
    const memory = new MemoryExecutor({ find: async () => found });
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(2));
    rmSync(jobFiles.native(dir));
    expect(await firstView(services, 1)).toMatchObject({ natives: [], reason: "it is being submitted" });
    expect(readNative(dir)).toBeNull();
    found.natives = parts;
    expect((await firstView(services, 1)).natives).toHaveLength(2);
    // Of a submission that was cut off in between, what was accepted is all that there is.
    rmSync(jobFiles.native(dir));
    found.natives = parts.slice(0, 1);
    writeSpec(dir, { ...readSpec(dir), created: "2020-01-01T00:00:00.000Z" });
    expect((await firstView(services, 1)).natives).toHaveLength(1);
  });

  test("that is still being submitted after minutes is not lost while its submitter lives", async () => {
    const memory = new MemoryExecutor({ find: async () => null });
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(1));
    rmSync(jobFiles.native(dir));
    const spec = readSpec(dir);
    if (!spec.submitter) throw new Error("the request does not say who submitted it");
    // As long as a full queue has sbatch try again by itself.
    writeSpec(dir, { ...spec, created: new Date(Date.now() - 300_000).toISOString() });
    expect((await firstView(services, 1)).state).toBe("queued");
    const gone = { ...spec, submitter: { ...spec.submitter, start: "another" } };
    writeSpec(dir, { ...gone, created: new Date(Date.now() - 120_000).toISOString() });
    expect((await firstView(services, 1)).state).toBe("queued");
    writeSpec(dir, { ...gone, created: new Date(Date.now() - 300_000).toISOString() });
    expect((await firstView(services, 1)).state).toBe("lost");
  });

  test.skipIf(!disk)(
    "is lost also where that cannot be written down, and so are its neighbours",
    async () => {
      const home = join(disk ?? "", "home");
      const memory = new MemoryExecutor();
      const services = memory.services(home);
      await submitJob(services, input(1));
      await submitJob(services, input(1));
      fill(join(home, "filler"));
      memory.answer = { state: "ended", native: "NODE_FAIL", reason: "node3 went down", node: "node3" };
      const views = await readJobs(services, [1, 2]);
      expect(views.map(({ state }) => state)).toEqual(["lost", "lost"]);
      const [waited] = await waitFor(services, await resolveSelectors(services, ["1"]), {
        timeoutSeconds: 20,
      });
      expect(waited?.state).toBe("lost");
    },
  );

  test("whose submission was cut off is lost after a while, and says how to submit it again", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(1));
    rmSync(jobFiles.native(dir));
    expect((await firstView(services, 1)).reason).toContain("being submitted");
    writeSpec(dir, { ...readSpec(dir), created: "2020-01-01T00:00:00.000Z" });
    const view = await firstView(services, 1);
    expect(view.state).toBe("lost");
    expect(view.task(0).reason).toContain("jobx retry 1");
  });

  test.each([true, false])(
    "whose submitter died before it was accepted is lost at once where this host runs it (%p)",
    async (thisHost) => {
      const memory = new MemoryExecutor({ thisHost });
      const services = memory.services(tempDir());
      const { dir } = await submitJob(services, input(1));
      rmSync(jobFiles.native(dir));
      const spec = readSpec(dir);
      if (!spec.submitter) throw new Error("the request does not say who submitted it");
      writeSpec(dir, { ...spec, submitter: { ...spec.submitter, start: "another" }, host: "elsewhere" });
      expect((await firstView(services, 1)).reason).toContain("being submitted");
      writeSpec(dir, { ...spec, submitter: { ...spec.submitter, start: "another" } });
      expect((await firstView(services, 1)).state).toBe(thisHost ? "lost" : "queued");
    },
  );

  test("has its records believed before its executor", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(2));
    await record(dir, [result(0), result(1)]);
    const calls = memory.statusCalls;
    const view = await firstView(services, 1);
    expect(view.state).toBe("succeeded");
    expect(memory.statusCalls).toBe(calls);
    expect(taskValue(view, 1, null)).toBe(10);
    expect(view).toMatchObject({ seconds: 2, startedAt: "2026-01-01T00:00:00.000Z" });
    expect(readSummary(dir)?.counts.succeeded).toBe(2);
  });

  test("takes its time from its first attempt on, and so does each of its tasks", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(2));
    const first = { startedAt: "2026-01-01T00:00:00.000Z", endedAt: "2026-01-01T00:00:01.000Z" };
    const second = { startedAt: "2026-01-01T00:00:40.000Z", endedAt: "2026-01-01T00:00:41.000Z" };
    await record(dir, [againRecord(0, first)]);
    expect(await firstView(services, 1)).toMatchObject({ state: "queued", startedAt: first.startedAt });
    await record(dir, [result(0, { ...second, attempt: 1 }), result(1, second)], 1);
    const view = await firstView(services, 1);
    const whole = { startedAt: first.startedAt, endedAt: second.endedAt, seconds: 41 };
    expect(view).toMatchObject(whole);
    expect(readSummary(dir)).toMatchObject(whole);
    expect(timesOfScope(scopeOf(view, [0]))).toEqual(whole);
    expect(timesOfScope(scopeOf(view, [1])).seconds).toBe(1);
  });

  test("that its executor has ended without a record is lost, once and for all", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(2));
    await record(dir, [result(0)]);
    memory.answer = { state: "ended", native: "NODE_FAIL", reason: "node3 went down", node: "node3" };
    const view = await firstView(services, 1);
    expect([...view.tasks()].map((task) => task.state)).toEqual(["succeeded", "lost"]);
    expect(view.task(1)).toMatchObject({
      reason: "node3 went down; jobx retry 1 --failed runs it again",
      native: "NODE_FAIL",
    });
    memory.answer = { state: "running", native: "RUNNING", reason: null, node: null };
    expect((await firstView(services, 1)).state).toBe("lost");
    expect(() => taskValue(view, 1, null)).toThrow("node3 went down");
  });

  test("that its executor runs, and that has no record of its start yet, is said to start", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    await submitJob(services, input(1));
    memory.answer = { state: "running", native: "r", reason: null, node: "node3" };
    const view = await firstView(services, 1);
    expect(view.task(0)).toMatchObject({ state: "queued", reason: "starting", native: "r", node: "node3" });
  });

  test("that its executor has suspended runs, and says so", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(1));
    await record(dir, [startedRecord(0)]);
    memory.answer = { state: "running", native: "s", reason: "suspended on node3", node: "node3" };
    expect((await firstView(services, 1)).task(0)).toMatchObject({
      state: "running",
      reason: "suspended on node3",
    });
    memory.answer = { state: "running", native: "r", reason: null, node: "node3" };
    expect((await firstView(services, 1)).task(0)).toMatchObject({ state: "running", reason: null });
  });

  test("that its executor has forgotten is lost after its grace, and a wait for it ends", async () => {
    const memory = new MemoryExecutor({ graceSeconds: 0.2 });
    const services = memory.services(tempDir());
    await submitJob(services, input(1));
    memory.answer = "nothing";
    expect((await firstView(services, 1)).task(0)).toMatchObject({
      state: "queued",
      reason: "the executor does not know it; its record is awaited",
    });
    const [view] = await waitFor(services, await resolveSelectors(services, ["last"]));
    expect(view?.state).toBe("lost");
  });

  test("that is cancelled before it starts says so at once, and stays cancelled when the executor forgets it", async () => {
    const memory = new MemoryExecutor({ wholeJob: true });
    const services = memory.services(tempDir());
    await submitJob(services, input(3));
    const asked = await cancelJobs(services, await resolveSelectors(services, ["1.1"]));
    expect(asked).toEqual([{ id: 1, asked: 1, passedOver: 0, alreadyFinal: 0 }]);
    expect(memory.cancelled[0]?.tasks).toEqual([1]);
    expect((await firstView(services, 1)).counts).toMatchObject({ queued: 2, cancelled: 1 });
    await cancelJobs(services, await resolveSelectors(services, ["1"]));
    memory.answer = "nothing";
    const view = await firstView(services, 1);
    expect(view.counts).toMatchObject({ cancelled: 3 });
    expect(view.state).toBe("cancelled");
  });

  test("is retried with the same arguments, and `{index}` means what it meant", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(3, { templated: true }));
    await record(dir, [
      result(0),
      result(1, { status: "failed", exitCode: 1 }),
      result(2, { status: "timeout" }),
    ]);
    const [selected] = await resolveSelectors(services, ["1"]);
    if (!selected) throw new Error("nothing was selected");
    const again = await retryJob(services, selected, {
      failedOnly: true,
      resume: false,
      resources: { cpus: 2 },
      environment: {},
    });
    expect(again).toMatchObject({ id: 2, tasks: 2 });
    expect(readSpec(jobDir(services.home, 2))).toMatchObject({
      origin: { job: 1, tasks: [1, 2] },
      indices: [1, 2],
      resources: { cpus: 2 },
    });
  });

  test("is retried from what its tasks have saved where that is asked for, the others from the beginning", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(3));
    const ends = [0, 1, 2].map((task) => result(task, { status: "timeout", value: null }));
    await record(dir, ends);
    const [all] = await resolveSelectors(services, ["1"]);
    if (!all) throw new Error("nothing was selected");
    const ask = { failedOnly: true, resume: true, resources: {}, environment: {} };
    const folder = checkpointDir(dir, 3, 2);
    mkdirSync(folder, { recursive: true });
    writeFileSync(temporaryFor(statePath(folder, 8)), "cut short");
    await expect(retryJob(services, all, ask)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: "What was selected of job 1 has saved nothing to go on from",
      hint: "To run it again from the beginning: jobx retry 1",
    });
    writeFileSync(statePath(folder, 7), "state");
    mkdirSync(join(folder, "deep"));
    writeFileSync(join(folder, "deep", "file"), "more");
    await retryJob(services, { ...all, tasks: [1, 2] }, ask);
    expect(services.notes).toEqual(["1 of the 2 tasks has saved nothing, and starts from the beginning"]);
    const to = jobDir(services.home, 2);
    expect(existsSync(checkpointDir(to, 2, 0))).toBe(false);
    expect(readdirSync(checkpointDir(to, 2, 1)).sort()).toEqual(["deep", "state-7.jobx"]);
    expect(readFileSync(join(checkpointDir(to, 2, 1), "deep", "file"), "utf8")).toBe("more");
    expect(statSync(checkpointDir(to, 2, 1)).mode & 0o777).toBe(0o700);
    await retryJob(services, all, { ...ask, resume: false });
    expect(existsSync(jobFiles.checkpoints(jobDir(services.home, 3)))).toBe(false);
  });

  test("waits for another only while that one's end is open", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(1));
    const after = (kind: "ok" | "fail") => input(1, { run: { ...input(1).run, after: [{ job: 1, kind }] } });
    await submitJob(services, after("ok"));
    expect(memory.submitted[1]?.spec.run.after).toEqual([{ job: 1, kind: "ok" }]);
    await record(dir, [result(0)]);
    await submitJob(services, after("ok"));
    expect(memory.submitted[2]?.spec.run.after).toEqual([]);
    const before = memory.submitted.length;
    expect(await submitJob(services, after("fail")).catch((error) => error.code)).toBe("REFUSED");
    expect(memory.submitted.length).toBe(before);
    expect(existsSync(join(services.home, "jobs", "4"))).toBe(false);
  });

  test("that waits for some tasks of another is refused by the one that cannot be as it should", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { dir } = await submitJob(services, input(4));
    await record(dir, [result(0), result(1), result(2, { status: "timeout" })]);
    const after = (kind: "ok" | "fail", tasks: number[]) =>
      submitJob(services, input(1, { run: { ...input(1).run, after: [{ job: 1, kind, tasks }] } }));
    await expect(after("ok", [1, 2, 3])).rejects.toMatchObject({
      message: "Task 1.2 ran out of time, so a job that waits for its success would never start",
      hint: "See jobx status 1.2; retry it, or use --after 1.1-3:any",
    });
    await expect(after("fail", [1])).rejects.toThrow("Task 1.1 succeeded, so a job that waits for a failure");
    await expect(after("fail", [0, 1])).rejects.toThrow("Tasks 1.0-1 succeeded, so a job that waits for");
  });

  test("costs one status call however many jobs are listed", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    for (let i = 0; i < 20; i++) await submitJob(services, input(2));
    const before = memory.statusCalls;
    expect((await listJobs(services)).map((job) => job.id)).toEqual(
      Array.from({ length: 20 }, (_, i) => 20 - i),
    );
    expect(memory.statusCalls).toBe(before + 1);
    expect((await listJobs(services, { limit: 3 })).length).toBe(3);
  });
});

import { describe, expect, test } from "bun:test";
import { chownSync, existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";

import local from "../../plugins/local.ts";
import type { ExecutorContext } from "../../src/executor/contract.ts";
import { makeRun } from "../../src/executor/run.ts";
import type { NativeId } from "../../src/model/job.ts";
import type { Resources } from "../../src/model/resources.ts";
import { takeLock } from "../../src/queue/lock.ts";
import { queuePaths } from "../../src/queue/paths.ts";
import { Reader } from "../../src/queue/predecessors.ts";
import { addCancelled, addHeld, readSpec } from "../../src/store/jobs.ts";
import { heartbeatPath } from "../../src/store/layout.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import { Bench, RUNTIME, specOf } from "./fixtures/bench.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("SKIPPED: the tests of other users' jobs need root, to give jobs away");
/** Nobody's, on most systems; it need not exist. */
const OTHER_USER = 65_534;

function contextOf(bench: Bench, notes: string[] = []): ExecutorContext {
  return {
    home: bench.home,
    env: bench.env,
    settings: {},
    run: makeRun({ env: bench.env }),
    note: (text) => notes.push(text),
    runtime: RUNTIME,
    taskOutput: 1,
  };
}

function refOf(
  job: Pick<ReturnType<Bench["job"]>, "id" | "dir" | "spec">,
  natives: NativeId[] = [{ id: "x", cluster: "x", submitted: "", firstElement: 0, elements: 1 }],
) {
  return { id: job.id, dir: job.dir, spec: job.spec, natives };
}

/** A job as it is known once the local executor has taken it. */
async function submitted(bench: Bench, dir: string) {
  const spec = readSpec(dir);
  const rest = { elements: 1, worker: [], environment: {}, inspect: false, accepted: () => {} };
  const { natives } = await local.submit({ spec, dir, ...rest }, contextOf(bench));
  return refOf({ id: spec.id, dir, spec }, natives);
}

async function validate(resources: Resources, notes: string[] = []): Promise<void> {
  await local.validate?.(specOf(1, ["true"], { resources }), contextOf(new Bench(), notes));
}

describe("the local executor", () => {
  test("refuses what the machine never has room for, naming both figures", async () => {
    expect(validate({ cpus: 5000 })).rejects.toThrow(
      /a task asks for 5000 CPUs, and local jobs may use \d+ here/,
    );
    expect(validate({ memBytes: 2 ** 60 })).rejects.toThrow(/of memory, and local jobs may use/);
    expect(validate({ gpus: { count: 99 } })).rejects.toThrow(/a task asks for 99 GPUs/);
    expect(validate({ nodes: 2 })).rejects.toThrow("--nodes 2 asks for more");
  });

  test("says which flags mean nothing to it", async () => {
    const notes: string[] = [];
    await validate({ partition: "gpu", account: "lab" }, notes);
    expect(notes).toEqual([
      "--partition gpu means nothing to local jobs",
      "--account lab means nothing to local jobs",
    ]);
  });

  test("submits, tells the status, finds by token, and cancels", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const context = contextOf(bench);
    const job = bench.job(["sleep", "100"]);
    const environment = { PATH: "/usr/bin:/bin", FROM: "the submitter" };
    const request = {
      spec: job.spec,
      dir: job.dir,
      elements: 1,
      worker: [],
      environment,
      inspect: false,
      accepted: () => {},
    };
    const { natives } = await local.submit(request, context);
    expect(natives[0]).toMatchObject({ id: `${hostname()}:${job.id}`, cluster: hostname(), elements: 1 });
    const reader = Reader.open(job.dir);
    await eventually(() => {
      reader?.refresh();
      return reader?.state(0) === "running";
    });
    expect((await local.status([refOf(job)], context))[0]).toMatchObject({
      job: job.id,
      element: 0,
      state: "running",
    });
    expect((await local.find?.(job.spec.token, context, job.spec))?.natives[0]?.id).toBe(
      `${hostname()}:${job.id}`,
    );
    expect(await local.find?.("another", context, job.spec)).toBeNull();
    const shell = await local.shell?.(refOf(job), 0, context);
    expect(shell?.env).toMatchObject({ FROM: "the submitter", JOBX_JOB: String(job.id), JOBX_TASK: "0" });
    await local.cancel([{ job: refOf(job), tasks: null }], context);
    await eventually(() => {
      reader?.refresh();
      return reader?.state(0) === "cancelled";
    });
    await eventually(async () => (await client.info()).jobs.length === 0);
    expect(local.shell?.(refOf(job), 0, context)).rejects.toThrow("cancelled, not running");
  });

  test("gives the queue a job that it does not know, as after a restart of the machine", async () => {
    const bench = new Bench();
    await bench.open();
    const job = bench.job(["true"]);
    const [status] = await local.status([refOf(job)], contextOf(bench));
    expect(status).toMatchObject({ state: "queued", reason: "the queue had lost it, and has it again" });
    const reader = Reader.open(job.dir);
    await eventually(() => {
      reader?.refresh();
      return reader?.state(0) === "succeeded";
    });
  });

  test("does not start again what was cancelled while no queue knew of it", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.job(["true"]);
    addCancelled(job.dir, null);
    expect((await local.status([refOf(job)], contextOf(bench)))[0]?.state).toBe("cancelled");
    expect((await client.info()).jobs).toEqual([]);
  });

  test("judges another host's jobs by its heartbeat, and names the host", async () => {
    const bench = new Bench();
    const context = contextOf(bench);
    const job = bench.job(["true"], { host: "elsewhere" });
    expect((await local.status([refOf(job)], context))[0]).toMatchObject({
      state: "queued",
      node: "elsewhere",
      reason: `belongs to elsewhere; jobx status ${job.id} there starts it again`,
    });
    const path = heartbeatPath(bench.home, "elsewhere");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
    const [alive] = await local.status([refOf(job)], context);
    expect(alive?.state).toBe("running");
    expect(alive?.reason).toContain("belongs to elsewhere, whose queue was last heard of");
    const old = new Date(Date.now() - 600_000);
    utimesSync(path, old, old);
    expect((await local.status([refOf(job)], context))[0]?.reason).toContain("10m ago; jobx status");
  });

  test("asks the queue that took a job, also from within a scheduler's allocation, which has its own", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 1 });
    addHeld(job.dir, null);
    const ref = await submitted(bench, job.dir);
    const inside = { ...contextOf(bench), env: { ...bench.env, SLURM_JOB_ID: "77" } };
    expect((await local.status([ref], inside))[0]).toMatchObject({
      state: "queued",
      reason: expect.stringContaining("held"),
    });
    await local.release?.([{ job: ref, tasks: null }], inside);
    await eventually(() => job.running.length === 1);
    expect((await local.status([ref], inside))[0]?.state).toBe("running");
    await local.cancel([{ job: ref, tasks: null }], inside);
    await eventually(async () => (await client.info()).jobs.length === 0);
    expect(existsSync(queuePaths(inside.env).dir)).toBe(false);
  });

  test("takes over a job whose queue is gone, and not one whose queue runs and does not answer", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 1 });
    const ref = await submitted(bench, job.dir);
    const folder = join(tempDir(), "queue");
    mkdirSync(folder, { mode: 0o700 });
    const natives = ref.natives.map((native) => ({ ...native, queue: folder }));
    const lock = takeLock(join(folder, "lock"));
    await expect(local.status([{ ...ref, natives }], contextOf(bench))).rejects.toThrow("does not answer");
    lock?.release();
    expect((await local.status([{ ...ref, natives }], contextOf(bench)))[0]?.state).not.toBe("unknown");
    job.end();
    await eventually(async () => (await client.info()).jobs.length === 0);
    expect(job.births).toHaveLength(1);
  });

  test("knows a job by whatever path its home is reached", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 1 });
    const link = join(tempDir(), "link");
    symlinkSync(bench.home, link);
    const linked = job.dir.replace(bench.home, link);
    await client.enqueue(job.request);
    await eventually(() => job.running.length === 1);
    expect((await client.status([linked]))[0]?.state).toBe("running");
    await client.enqueue({ ...job.request, dir: linked });
    expect((await client.info()).jobs).toHaveLength(1);
    await client.cancel(linked, null);
    await eventually(async () => (await client.info()).jobs.length === 0);
    expect((await client.status([job.dir, linked])).map(({ state }) => state)).toEqual(["ended", "ended"]);
    expect(job.births).toHaveLength(1);
  });

  test("knows a job by whatever path also after its queue was killed", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 1 });
    const link = join(tempDir(), "link");
    symlinkSync(bench.home, link);
    await client.enqueue(job.request);
    await eventually(() => job.running.length === 1);
    process.kill(await bench.pidOf(client), "SIGKILL");
    expect((await client.status([job.dir.replace(bench.home, link)]))[0]?.state).toBe("running");
    job.end();
    await eventually(() => job.isOver);
  });

  test("leaves a sign of life in the home of its jobs", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 1 });
    await client.enqueue(job.request);
    expect(await Bun.file(heartbeatPath(bench.home, hostname())).exists()).toBe(true);
    await eventually(() => job.running.length === 1);
    job.end();
    await eventually(() => job.isOver);
  });
});

describe.skipIf(!isRoot)("a job of another user on this host", () => {
  function foreignJob(bench: Bench) {
    const job = bench.job(["true"]);
    chownSync(job.dir, OTHER_USER, OTHER_USER);
    return job;
  }

  test("is judged by that user's queue, and not started by whoever looks at it", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = foreignJob(bench);
    expect((await local.status([refOf(job)], contextOf(bench)))[0]).toMatchObject({
      state: "queued",
      reason: `belongs to somebody; jobx status ${job.id} as somebody starts it again`,
    });
    const path = heartbeatPath(bench.home, hostname());
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
    expect((await local.status([refOf(job)], contextOf(bench)))[0]).toMatchObject({
      state: "running",
      reason: expect.stringContaining("belongs to somebody, whose queue was last heard of"),
    });
    expect((await client.info()).jobs).toEqual([]);
  });

  test("is left to that user when it is cancelled, which is said", async () => {
    const bench = new Bench();
    const notes: string[] = [];
    const job = foreignJob(bench);
    await local.cancel([{ job: refOf(job), tasks: null }], contextOf(bench, notes));
    expect(notes).toEqual([
      `Job ${job.id} belongs to somebody: its running tasks go on until this is asked as somebody`,
    ]);
  });

  test("is refused by the queue", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = foreignJob(bench);
    await expect(client.enqueue(job.request)).rejects.toThrow(`belongs to user ${OTHER_USER}`);
    expect((await client.info()).jobs).toEqual([]);
  });

  test("is let go where it was another's only after the queue had it", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 1 });
    addHeld(job.dir, null);
    await client.enqueue(job.request);
    chownSync(job.dir, OTHER_USER, OTHER_USER);
    await client.release(job.dir, null);
    await eventually(async () => (await client.info()).jobs.length === 0);
    expect(job.births).toEqual([]);
  });
});

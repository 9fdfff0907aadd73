import { describe, expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Dependency } from "../../src/model/job.ts";
import { Reader } from "../../src/queue/predecessors.ts";
import { readVerdicts } from "../../src/store/jobs.ts";
import { jobFiles } from "../../src/store/layout.ts";
import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import { Bench, damageVerdicts } from "./fixtures/bench.ts";

function stateOf(dir: string, task = 0) {
  const reader = Reader.open(dir);
  reader?.refresh();
  return reader?.fold.view(task);
}

/** A command that ends with this code once the file is there. */
function untilFile(path: string, code = 0): string[] {
  return ["/bin/sh", "-c", `while [ ! -e "$1" ]; do sleep 0.01; done; exit ${code}`, "sh", path];
}

function after(job: number, kind: Dependency["kind"], tasks?: number[]): { run: { after: Dependency[] } } {
  return { run: { after: [{ job, kind, tasks }] } };
}

describe("a job that waits for another", () => {
  test("starts once that one has succeeded", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const gate = join(tempDir(), "gate");
    const first = bench.job(untilFile(gate));
    const second = bench.job(["true"], after(first.id, "ok"));
    await client.enqueue(first.request);
    await client.enqueue(second.request);
    expect((await client.status([second.dir]))[0]).toMatchObject({
      state: "queued",
      reason: `waits for job ${first.id}`,
    });
    writeFileSync(gate, "");
    await eventually(() => stateOf(second.dir)?.state === "succeeded");
    expect(stateOf(first.dir)?.state).toBe("succeeded");
  });

  test("waits on while that one's records cannot be read", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const first = bench.job(["true"]);
    const second = bench.job(["true"], after(first.id, "ok"));
    damageVerdicts(first.dir);
    await client.enqueue(second.request);
    expect((await client.status([second.dir]))[0]?.reason).toBe(`waits for job ${first.id}`);
    rmSync(jobFiles.verdicts(first.dir), { recursive: true });
    await client.enqueue(first.request);
    await eventually(() => stateOf(second.dir)?.state === "succeeded");
  });

  test("ends as cancelled when that one fails, and names it", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const gate = join(tempDir(), "gate");
    const first = bench.job(untilFile(gate, 3));
    const second = bench.job(["true"], { tasks: 2, ...after(first.id, "ok") });
    const third = bench.job(["true"], after(second.id, "ok"));
    const fourth = bench.job(["true"], after(first.id, "fail"));
    for (const job of [first, second, third, fourth]) await client.enqueue(job.request);
    writeFileSync(gate, "");
    await eventually(() => stateOf(fourth.dir)?.state === "succeeded");
    expect(readVerdicts(second.dir).get(1)).toMatchObject({
      state: "cancelled",
      reason: `job ${first.id}, which it waits for, is failed`,
    });
    expect(stateOf(third.dir)?.reason).toBe(`job ${second.id}, which it waits for, is cancelled`);
  });

  test("starts task by task after that one's tasks, whatever people hold and release", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const folder = tempDir();
    const first = bench.job(
      [
        "/bin/sh",
        "-c",
        'while [ ! -e "$0/$JOBX_TASK" ]; do sleep 0.01; done; exit $((JOBX_TASK == 1))',
        folder,
      ],
      { tasks: 3 },
    );
    const second = bench.job(["true"], { tasks: 3, ...after(first.id, "each") });
    const limits = { cpus: 4, memBytes: null, gpus: null, nice: null };
    await client.enqueue({ ...first.request, limits });
    await client.enqueue({ ...second.request, limits });
    writeFileSync(join(folder, "2"), "");
    await eventually(() => stateOf(second.dir, 2)?.state === "succeeded");
    await client.release(second.dir, null);
    expect(stateOf(second.dir, 0)?.state).toBe("queued");
    writeFileSync(join(folder, "1"), "");
    await eventually(() => stateOf(second.dir, 1)?.state === "cancelled");
    expect(stateOf(second.dir, 1)?.reason).toContain(`task ${first.id}.1, which it waits for, is failed`);
    expect(stateOf(second.dir, 0)?.state).toBe("queued");
    writeFileSync(join(folder, "0"), "");
    await eventually(() => stateOf(second.dir, 0)?.state === "succeeded");
    await eventually(async () => (await client.info()).jobs.length === 0);
  });

  test("starts when the tasks that it names have ended, while others still run", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const folder = tempDir();
    const first = bench.job(
      ["/bin/sh", "-c", 'while [ ! -e "$0/$JOBX_TASK" ]; do sleep 0.01; done', folder],
      { tasks: 2 },
    );
    const second = bench.job(["true"], after(first.id, "any", [0]));
    await client.enqueue(first.request);
    await client.enqueue(second.request);
    writeFileSync(join(folder, "0"), "");
    await eventually(() => stateOf(second.dir)?.state === "succeeded");
    expect(stateOf(first.dir, 1)?.state).toBe("running");
    writeFileSync(join(folder, "1"), "");
    await eventually(async () => (await client.info()).jobs.length === 0);
  });

  test("does not start when that one is gone", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.job(["true"], after(4711, "any"));
    await client.enqueue(job.request);
    expect(stateOf(job.dir)).toMatchObject({
      state: "cancelled",
      reason: "job 4711, which it waits for, was removed",
    });
    expect(existsSync(join(job.dir, "results"))).toBe(false);
  });
});

describe("a real supervisor", () => {
  test("that is killed is followed by one that records what was lost, and leaves nothing running", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const file = join(tempDir(), "pid");
    const job = bench.job(["/bin/sh", "-c", 'echo $$ > "$0"; exec sleep 100', file]);
    await client.enqueue(job.request);
    await eventually(() => existsSync(file) && stateOf(job.dir)?.state === "running");
    const pid = Number(await Bun.file(file).text());
    const [status] = await client.status([job.dir]);
    process.kill(status?.supervisor ?? 0, "SIGKILL");
    await eventually(() => stateOf(job.dir)?.state === "lost");
    await eventually(() => !existsSync(`/proc/${pid}/fd/0`));
  });

  test("is told to cancel", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.job(["sleep", "100"]);
    await client.enqueue(job.request);
    await eventually(() => stateOf(job.dir)?.state === "running");
    await client.cancel(job.dir, null);
    await eventually(() => stateOf(job.dir)?.state === "cancelled");
    await eventually(async () => (await client.info()).jobs.length === 0);
  });
});

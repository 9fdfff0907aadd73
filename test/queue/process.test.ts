import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";

import { findQueue, openQueue } from "../../src/queue/client.ts";
import { startOf } from "../../src/queue/proc.ts";
import { readVerdicts } from "../../src/store/jobs.ts";
import { eventually } from "../helpers/eventually.ts";
import { Bench, damageVerdicts, RUNTIME } from "./fixtures/bench.ts";

const TWO = { cpus: 2, memBytes: null, gpus: null, nice: null };

describe("the queue's process", () => {
  test("starts by itself, and many starts at once elect one", async () => {
    const bench = new Bench();
    const clients = await Promise.all(Array.from({ length: 5 }, () => bench.open()));
    const pids = await Promise.all(clients.map(async (client) => (await client.info()).pid));
    expect(new Set(pids).size).toBe(1);
    expect(readFileSync(bench.paths.log, "utf8").match(/started, pid/g)).toHaveLength(1);
  });

  test("is not started by a mere look", async () => {
    const bench = new Bench();
    expect(await findQueue({ env: bench.env, runtime: RUNTIME })).toBeNull();
    expect(existsSync(bench.paths.socket)).toBe(false);
  });

  test("ends by itself when there is no job and no client, and another one takes its place", async () => {
    const bench = new Bench({ JOBX_QUEUE_IDLE_MS: "50" });
    const client = await bench.open();
    const pid = await bench.pidOf(client);
    client.close();
    await eventually(() => startOf(pid) === null);
    expect(existsSync(bench.paths.socket)).toBe(false);
    const next = await bench.open();
    expect(await bench.pidOf(next)).not.toBe(pid);
  });

  test("leaves the socket of its successor alone where its folder was removed", async () => {
    const bench = new Bench({ JOBX_QUEUE_IDLE_MS: "50" });
    const client = await bench.open();
    const pid = await bench.pidOf(client);
    rmSync(bench.paths.dir, { recursive: true });
    const successor = await bench.pidOf(await bench.open());
    expect(successor).not.toBe(pid);
    client.close();
    await eventually(() => startOf(pid) === null);
    expect(await bench.pidOf(await bench.open())).toBe(successor);
  });

  test("listens again where its socket was removed", async () => {
    const bench = new Bench({ JOBX_QUEUE_BEAT_MS: "50" });
    const client = await bench.open();
    const pid = await bench.pidOf(client);
    const job = bench.standIn({ tasks: 2 }, { limits: TWO });
    await client.enqueue(job.request);
    await eventually(() => job.running.length === 2);
    rmSync(bench.paths.socket);
    await eventually(() => existsSync(bench.paths.socket));
    expect(await bench.pidOf(await bench.open())).toBe(pid);
    expect(await bench.pidOf(client)).toBe(pid);
    job.end();
    await eventually(() => job.isOver);
    expect(job.births).toHaveLength(1);
  });

  test("stays while a job runs, and ends after it", async () => {
    const bench = new Bench({ JOBX_QUEUE_IDLE_MS: "20" });
    const client = await bench.open();
    const pid = await bench.pidOf(client);
    const job = bench.standIn({ tasks: 1 });
    await client.enqueue(job.request);
    client.close();
    await eventually(() => job.running.length === 1);
    expect(startOf(pid)).not.toBeNull();
    job.end();
    await eventually(() => startOf(pid) === null);
    expect(job.isOver).toBe(true);
  });

  test("runs no more at once than there are CPUs, and the rest as slots come back", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 5 }, { limits: TWO });
    await client.enqueue(job.request);
    await eventually(() => job.running.length === 2);
    const [status] = await client.status([job.dir]);
    expect(status).toMatchObject({ state: "running", slots: 2 });
    job.end(0);
    await eventually(() => job.running.includes(2));
    expect(job.running).toEqual([1, 2]);
    job.end();
    await eventually(() => job.isOver);
    await eventually(async () => (await client.info()).used.cpus === 0);
    expect((await client.status([job.dir]))[0]?.state).toBe("ended");
    expect((await client.status(["/nowhere"]))[0]?.state).toBe("unknown");
  });

  test("takes a job that it is given twice once", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 1 });
    await Promise.all([client.enqueue(job.request), client.enqueue(job.request)]);
    await eventually(() => job.running.length === 1);
    expect((await client.info()).jobs).toHaveLength(1);
    job.end();
    await eventually(() => job.isOver);
    expect(job.births).toHaveLength(1);
  });

  test("says why a job waits, and whom it waits for", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const first = bench.standIn({ tasks: 2 }, { limits: TWO });
    const second = bench.standIn({ tasks: 1 }, { limits: TWO });
    await client.enqueue(first.request);
    await eventually(() => first.running.length === 2);
    await client.enqueue(second.request);
    const [status] = await client.status([second.dir]);
    expect(status).toMatchObject({
      state: "queued",
      reason: `waits for 1 CPU: 2 of 2 are used by job ${first.request.job}`,
    });
    await client.cancel(second.dir, null);
    expect(readVerdicts(second.dir).get(0)).toMatchObject({ state: "cancelled" });
    first.end();
    await eventually(() => first.isOver);
    expect(second.births).toEqual([]);
  });

  test("keeps a held job back until it is released", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const blocker = bench.standIn({ tasks: 2 }, { limits: TWO });
    await client.enqueue(blocker.request);
    await eventually(() => blocker.running.length === 2);
    const job = bench.standIn({ tasks: 1 }, { limits: TWO });
    await client.enqueue(job.request);
    await client.hold(job.dir, null);
    blocker.end();
    await eventually(() => blocker.isOver);
    expect((await client.status([job.dir]))[0]?.reason).toContain("held");
    expect(job.births).toEqual([]);
    await client.release(job.dir, null);
    await eventually(() => job.running.length === 1);
    job.end();
    await eventually(() => job.isOver);
  });
});

describe("after a kill -9", () => {
  test("of the queue, supervisors go on with their slots and a new queue knows of them", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const running = bench.standIn({ tasks: 3 }, { limits: TWO });
    const waiting = bench.standIn({ tasks: 1 }, { limits: TWO });
    await client.enqueue(running.request);
    await client.enqueue(waiting.request);
    await eventually(() => running.running.length === 2);
    const pid = await bench.pidOf(client);
    process.kill(pid, "SIGKILL");

    // Nobody but the supervisor starts the next queue.
    const next = await eventually(() => findQueue({ env: bench.env, runtime: RUNTIME }));
    expect(await bench.pidOf(next)).not.toBe(pid);
    const info = await next.info();
    expect(info.used.cpus).toBe(2);
    expect(info.jobs.map((job) => job.job).sort()).toEqual([running.request.job, waiting.request.job].sort());
    expect(running.births).toHaveLength(1);
    running.end(0);
    await eventually(() => running.running.includes(2));
    expect(waiting.births).toEqual([]);
    running.end();
    await eventually(() => waiting.running.length === 1);
    waiting.end();
    await eventually(() => waiting.isOver && running.isOver);
    expect(running.births).toHaveLength(1);
    next.close();
  });

  test("of the queue, a client that asks starts the next one and gets its answer", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const pid = await bench.pidOf(client);
    process.kill(pid, "SIGKILL");
    const job = bench.standIn({ tasks: 1 });
    await client.enqueue(job.request);
    await eventually(() => job.running.length === 1);
    job.end();
    await eventually(() => job.isOver);
  });

  test("of a supervisor, another one takes up the job", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 3 }, { limits: TWO });
    await client.enqueue(job.request);
    await eventually(() => job.running.length === 2);
    job.end(0);
    await eventually(() => job.running.includes(2));
    process.kill(job.births[0] ?? 0, "SIGKILL");
    await eventually(() => job.births.length === 2);
    job.end();
    await eventually(() => job.isOver);
    await eventually(async () => (await client.info()).jobs.length === 0);
  });

  test("of a supervisor whose job's records cannot be read, another one takes up the job all the same", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 1 });
    await client.enqueue(job.request);
    await eventually(() => job.running.length === 1);
    damageVerdicts(job.dir);
    process.kill(job.births[0] ?? 0, "SIGKILL");
    await eventually(() => job.births.length === 2);
    job.end();
    await eventually(() => job.isOver);
    await eventually(async () => (await client.info()).jobs.length === 0);
  });

  test("of both, the next queue starts another supervisor", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 2 }, { limits: TWO });
    await client.enqueue(job.request);
    await eventually(() => job.running.length === 2);
    process.kill(await bench.pidOf(client), "SIGKILL");
    process.kill(job.births[0] ?? 0, "SIGKILL");
    const next = await openQueue({ env: bench.env, runtime: RUNTIME });
    await eventually(() => job.births.length === 2);
    job.end();
    await eventually(() => job.isOver);
    next.close();
  });

  test("of every supervisor of a job, the job is given up as lost after three", async () => {
    const bench = new Bench();
    const client = await bench.open();
    const job = bench.standIn({ tasks: 2, dies: true });
    await client.enqueue(job.request);
    await eventually(() => readVerdicts(job.dir).size === 2);
    expect(readVerdicts(job.dir).get(1)).toMatchObject({ state: "lost" });
    expect(readVerdicts(job.dir).get(1)?.reason).toContain("died 3 times (exit code 9)");
    expect(job.births).toHaveLength(3);
    expect((await client.info()).jobs).toEqual([]);
  });
});

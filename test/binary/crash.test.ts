import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { JOBX, TestJobx } from "../helpers/jobx.ts";
import { killProcess, processesOf } from "../helpers/processes.ts";

const jobx = new TestJobx({ JOBX_QUEUE_IDLE_MS: "2000" });

type Status = {
  state: string;
  counts: Record<string, number>;
  tasks: { state: string; reason: string | null; attempt: number }[];
};
const status = (id: string) => jobx.json<Status>(["status", "--tasks", id]);

const killOne = (word: string) => killProcess(jobx, word);

describe("after a process of jobx is killed", () => {
  test("the queue: running tasks go on, waiting ones start, nothing is lost", async () => {
    const id = await jobx.submit([
      "--array",
      "0-3",
      "--parallel",
      "1",
      "--",
      "sh",
      "-c",
      "while ! test -e go; do sleep 0.05; done",
    ]);
    const later = await jobx.submit(["--after", id, "--", "true"]);
    await jobx.until(id, ["running"]);
    await killOne("_queue");
    await jobx.file("go", "");
    expect((await jobx.run(["wait", later])).code).toBe(0);
    expect((await status(id)).counts).toMatchObject({ succeeded: 4 });
    expect((await status(id)).tasks.map((task) => task.attempt)).toEqual([0, 0, 0, 0]);
  }, 40_000);

  test("the supervisor: its task is reported lost with that reason, its process is gone, the others run", async () => {
    const pidFile = join(jobx.cwd, "victim");
    const id = await jobx.submit([
      "--array",
      "0-2",
      "--parallel",
      "1",
      "--",
      "sh",
      "-c",
      `if test {index} = 0; then echo $$ > ${pidFile}; sleep 1000; fi`,
    ]);
    const pid = await eventually(() => (existsSync(pidFile) ? readFileSync(pidFile, "utf8").trim() : null));
    await killOne("_worker");
    expect((await jobx.run(["wait", id])).code).toBe(1);
    const { tasks } = await status(id);
    expect(tasks.map((task) => task.state)).toEqual(["lost", "succeeded", "succeeded"]);
    expect(tasks[0]?.reason).toContain("supervisor");
    await eventually(() => !existsSync(`/proc/${pid}`));
  }, 40_000);

  test("the supervisor of a held job: its task is reported lost, and what was held stays so", async () => {
    const pidFile = join(jobx.cwd, "held");
    const script = `if test {index} = 0; then echo $$ > ${pidFile}; sleep 1000; fi`;
    const id = await jobx.submit(["--array", "0-2", "--parallel", "1", "--", "sh", "-c", script]);
    await eventually(() => existsSync(pidFile) && readFileSync(pidFile, "utf8").trim());
    await jobx.ok(["hold", id]);
    await killOne("_worker");
    await eventually(async () => (await status(id)).counts["lost"] === 1, { timeoutMs: 20_000 });
    expect((await status(id)).tasks.map((task) => task.state)).toEqual(["lost", "queued", "queued"]);
    await jobx.ok(["release", id]);
    expect((await jobx.run(["wait", id])).code).toBe(1);
    expect((await status(id)).counts).toMatchObject({ lost: 1, succeeded: 2 });
  }, 40_000);

  test("the supervisor, with --retries: its task runs again", async () => {
    const pidFile = join(jobx.cwd, "again");
    const id = await jobx.submit([
      "--retries",
      "1",
      "--",
      "sh",
      "-c",
      `test $JOBX_ATTEMPT = 1 || { echo $$ > ${pidFile}; sleep 1000; }`,
    ]);
    await eventually(() => (existsSync(pidFile) ? readFileSync(pidFile, "utf8").trim() : null));
    await killOne("_worker");
    expect((await jobx.run(["wait", id])).code).toBe(0);
    expect((await status(id)).tasks[0]).toMatchObject({ state: "succeeded", attempt: 1 });
  }, 40_000);

  test("queue and supervisor together: the next command notices and carries on", async () => {
    const marker = join(jobx.cwd, "both");
    const id = await jobx.submit([
      "--array",
      "0-1",
      "--parallel",
      "1",
      "--",
      "sh",
      "-c",
      `if test {index} = 0; then touch ${marker}; sleep 1000; fi`,
    ]);
    await eventually(() => existsSync(marker));
    const [queue] = processesOf(jobx, "_queue");
    const [worker] = processesOf(jobx, "_worker");
    if (queue) process.kill(queue, "SIGKILL");
    if (worker) process.kill(worker, "SIGKILL");
    expect((await jobx.run(["wait", id])).code).toBe(1);
    expect((await status(id)).tasks.map((task) => task.state)).toEqual(["lost", "succeeded"]);
  }, 40_000);

  test("jobx submit, at many points: its job runs, or is lost at once and never runs", async () => {
    const jobs = join(jobx.home, "jobs");
    let last = Number(await jobx.submit(["--", "true"]));
    for (const sign of ["job.msgpack", "logs", "logs", "native.msgpack"]) {
      const id = String(++last);
      const marker = join(jobx.cwd, `submitted-${id}`);
      const words = [...JOBX, "submit", "--", "touch", marker];
      const child = Bun.spawn(words, { cwd: jobx.cwd, env: jobx.env, stdout: "ignore", stderr: "ignore" });
      const path = join(jobs, id, sign);
      // Without a pause: from the one file to the next it takes less than a millisecond.
      for (const begin = performance.now(); performance.now() - begin < 10_000 && !existsSync(path););
      child.kill("SIGKILL");
      await child.exited;
      const { code } = await jobx.run(["wait", "--timeout", "20s", id]);
      const { state, tasks } = await status(id);
      expect([code, state]).toEqual(existsSync(marker) ? [0, "succeeded"] : [1, "lost"]);
      if (state === "succeeded") continue;
      expect(tasks[0]?.reason).toContain("the submission was cut off");
      const { out } = await jobx.run(["status", id]);
      expect(out).toContain(`jobx retry ${id}`);
      expect(out).not.toContain("jobx logs"); // it never ran
    }
  }, 60_000);

  test("at many points of an array: every task is accounted for and no value is wrong", async () => {
    const id = await jobx.submit([
      "--array",
      "0-199",
      "--retries",
      "20",
      "--capture",
      "--",
      "echo",
      "value {index}",
    ]);
    for (const word of ["_worker", "_queue", "_worker", "_worker", "_queue"]) {
      const before = (await status(id)).counts["succeeded"] ?? 0;
      if (before === 200) break;
      const [pid] = processesOf(jobx, word);
      if (pid) process.kill(pid, "SIGKILL");
      await eventually(async () => ((await status(id)).counts["succeeded"] ?? 0) > before, {
        timeoutMs: 20_000,
      });
    }
    expect((await jobx.run(["wait", id])).code).toBe(0);
    const values = await jobx.json<string[]>(["result", id]);
    expect(values).toEqual(Array.from({ length: 200 }, (_, index) => `value ${index}`));
  }, 90_000);

  test("at many points of functions: the same, and when all has ended nothing is left running", async () => {
    await jobx.file(
      "square.ts",
      "export default async ({ i }: { i: number }) => { await Bun.sleep(5); return { i, square: i * i }; };",
    );
    const id = await jobx.submit(["--sweep", "i=0..149", "--retries", "20", "square.ts"]);
    for (const word of ["_runner", "_worker", "_queue", "_runner", "_worker", "_runner"]) {
      const before = (await status(id)).counts["succeeded"] ?? 0;
      const [pid] = processesOf(jobx, word);
      if (pid) process.kill(pid, "SIGKILL");
      const further = async () => {
        const succeeded = (await status(id)).counts["succeeded"] ?? 0;
        return succeeded > before || succeeded === 150;
      };
      await eventually(further, { timeoutMs: 20_000 });
    }
    expect((await jobx.run(["wait", id])).code).toBe(0);
    expect(await jobx.json<unknown>(["result", id])).toEqual(
      Array.from({ length: 150 }, (_, i) => ({ i, square: i * i })),
    );
    const left = () => ["_queue", "_worker", "_runner", "1000"].flatMap((word) => processesOf(jobx, word));
    await eventually(() => left().length === 0, { timeoutMs: 20_000, what: "the end of every process" });
  }, 90_000);
});

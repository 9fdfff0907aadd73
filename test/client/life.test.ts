import { expect, test } from "bun:test";

import { tableOf } from "../../src/client/monitor.ts";
import { JobLostError, JobTimeoutError, monitor, TaskError, WaitTimeoutError } from "../../src/index.ts";
import { noCounts } from "../../src/model/states.ts";
import { eventually } from "../helpers/eventually.ts";
import { JOBX, TestJobx } from "../helpers/jobx.ts";
import { add, double } from "./functions.ts";
import { endTasks, memoryExecutor } from "./memory.ts";
import { runScript, valuesOf } from "./script.ts";

const jobx = new TestJobx();

test("a script that waits for nothing ends at once, and its job goes on without it", async () => {
  const began = performance.now();
  const [id] = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     const job = await executor.submit(command(["sleep", "60"]));
     await job.state();
     show(job.id);`,
  );
  expect(performance.now() - began).toBeLessThan(15_000);
  await jobx.until(String(id), ["running"]);
  await jobx.ok(["cancel", String(id)]);
});

test("a script that is interrupted or killed while it waits loses nothing", async () => {
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    const name = `waits-${signal}.ts`;
    await jobx.file(
      name,
      `import { command, createExecutor } from "jobx";
       const job = await (await createExecutor()).submit(command(["sh", "-c", "until [ -e go ]; do sleep 0.02; done; echo went"]));
       const result = job.result();
       await job.state();
       console.log(job.id);
       await result;`,
    );
    const child = Bun.spawn([...JOBX, "run", name], {
      cwd: jobx.cwd,
      env: jobx.env,
      stdout: "pipe",
      stderr: "pipe",
    });
    const { value } = await child.stdout.getReader().read();
    const id = new TextDecoder().decode(value).trim();
    child.kill(signal);
    await child.exited;
    const said = `Stopped waiting; job ${id} goes on\n  Wait again with jobx wait ${id}, or end it with jobx cancel ${id}\n`;
    expect((await child.stderr.text()).endsWith(`\n${said}`)).toBe(signal === "SIGINT");
    expect(child.signalCode === signal || child.exitCode === 130).toBe(true);
    await jobx.file("go", "");
    const [result] = await valuesOf(jobx, `show(await (await Job.attach("${id}")).result());`);
    expect(result).toBe("went");
    await Bun.file(`${jobx.cwd}/go`).delete();
  }
});

test("a task that runs into its limit, and one that its executor has forgotten, are told apart by their errors", async () => {
  const { values } = await runScript(
    jobx,
    `const executor = await createExecutor({ time: "1s", signalDelay: "0s" });
     const job = await executor.submit(command(["sleep", "60"]));
     const error = await job.exception();
     show([error instanceof api.JobTimeoutError, error?.code]);`,
  );
  expect(values).toEqual([[true, "JOB_TIMEOUT"]]);
  const { executor, memory } = memoryExecutor();
  memory.answer = "nothing";
  const job = await executor.submit(add, 1, 2);
  const error = await job.exception();
  expect(error).toBeInstanceOf(JobLostError);
  expect(error).toBeInstanceOf(TaskError);
  expect(error).not.toBeInstanceOf(JobTimeoutError);
  expect(error).toMatchObject({
    code: "JOB_LOST",
    selector: "1",
    name: "JobLostError",
    hint: expect.any(String),
  });
});

test("the debug executor runs in this very process, and its failure is shown with the code around it", async () => {
  const { values, err } = await runScript(
    jobx,
    `const executor = await createExecutor({ executor: "debug" });
     const job = await executor.submit((x: number) => [process.pid, x], 4);
     const [pid, x] = await job.result();
     show([pid === process.pid, x]);
     const bad = await executor.submit(fail);
     show((await bad.exception())?.message.includes("on purpose"));`,
    `export function fail(): number { throw new Error("on purpose"); }`,
  );
  expect(values).toEqual([[true, 4], true]);
  expect(err).toContain("on purpose");
});

test("progress is a line for each change in a log", async () => {
  const { executor, home } = memoryExecutor();
  const jobs = [await executor.map(double, [1, 2]), await executor.submit(add, 1, 2)];
  const written: string[] = [];
  const shown = monitor(jobs, { stream: { write: (text) => written.push(text) }, timeout: 20 });
  await eventually(() => written.length === 2);
  await endTasks(
    home,
    1,
    new Map([
      [0, 2],
      [1, 4],
    ]),
  );
  await endTasks(home, 2, new Map([[0, 3]]));
  await shown;
  expect(written).toEqual([
    "job 1 (double): 0 of 2 done\n",
    "job 2 (add): 0 of 1 done\n",
    "job 1 (double): 2 of 2 done\n",
    "job 2 (add): 1 of 1 done\n",
  ]);
  const endless = await executor.submit(add, 1, 2);
  await expect(monitor(endless, { stream: { write() {} }, timeout: 0 })).rejects.toBeInstanceOf(
    WaitTimeoutError,
  );
});

test("progress is a table that is redrawn in place on a terminal, no wider and no higher than that", async () => {
  const { executor, home } = memoryExecutor();
  const job = await executor.submit(add, 1, 2);
  const written: string[] = [];
  const stream = { isTTY: true, columns: 60, rows: 24, write: (text: string) => written.push(text) };
  const shown = monitor(job, { stream });
  await eventually(() => written.length > 0);
  await endTasks(home, job.id, new Map([[0, 3]]));
  await shown;
  expect(written[0]).toContain("job 1  add  memory  0 of 1 done");
  expect(written.at(-1)).toStartWith("\u001b[2A\r\u001b[J");
  expect(written.at(-1)).toContain("1 of 1 done");
  const row = (id: number, done: boolean) => ({
    id: String(id),
    name: "n".repeat(50),
    executor: "local",
    counts: { ...noCounts(), ...(done ? { succeeded: 1 } : { queued: 1 }) },
  });
  const lines = tableOf([row(1, true), row(2, true), row(3, false)], { width: 40, height: 2 });
  expect(lines).toHaveLength(3);
  expect(lines[0]).toStartWith("job 3");
  expect(lines[2]).toBe("… and 1 more");
  expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(40);
});

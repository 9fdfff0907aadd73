import { expect, test } from "bun:test";
import { copyFileSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { JOBX, TestJobx } from "../helpers/jobx.ts";

const demo = resolve(import.meta.dir, "../../scripts/demo");

/** What the study finds, whatever happens on its way. */
const BEST = /Best: (\{"back":2,"rate":0\.3,"loss":0\.55\d*,"right":0\.72\d*,"fits":4\})/;

/** A folder with nothing but the study. */
function inFolder(): TestJobx {
  const jobx = new TestJobx();
  for (const name of ["rain.ts", "study.ts", "seattle-weather.csv"]) {
    copyFileSync(join(demo, name), join(jobx.cwd, name));
  }
  return jobx;
}

const calm = inFolder();

test("the study fits a grid, tells of the fits that fail, and finds the best", async () => {
  const out = await calm.ok(["run", "study.ts"]);
  expect(out).toMatch(/^Job 1: 36 fits\n/);
  expect(out.match(/ fitted$/gm)).toHaveLength(24);
  expect(out.match(/Task 1\.\d+ failed: RangeError: diverged/g)).toHaveLength(12);
  expect(out).toMatch(/As today: 0\.72\d*/);
  expect(out).toMatch(BEST);
}, 60_000);

test("the study has no type error where jobx init wrote the types, nor with all of the runtime's", async () => {
  const jobx = inFolder();
  await jobx.ok(["init"]);
  const check = () => Bun.spawnSync([process.execPath, "check"], { cwd: jobx.cwd, stderr: "pipe" }).exitCode;
  expect(check()).toBe(0);
  const config = JSON.parse(readFileSync(join(jobx.cwd, "tsconfig.json"), "utf8"));
  config.compilerOptions.types = [resolve(import.meta.dir, "../../node_modules/bun-types")];
  await jobx.file("tsconfig.json", JSON.stringify(config));
  await jobx.file("more.ts", 'export const { size, type }: Blob = Bun.file("x", { type: "text/csv" });\n');
  expect(check()).toBe(0);
});

const rough = inFolder();

test("the study finds the same when it is interrupted, its fits are preempted, and a later run waits on", async () => {
  const child = Bun.spawn([...JOBX, "run", "study.ts"], {
    cwd: rough.cwd,
    env: rough.env,
    stdout: "pipe",
    stderr: "ignore",
  });
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    if (text.includes("fitted")) break;
  }
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  type Status = { state: string; tasks: { state: string; attempt: number }[] };
  let status: Status;
  do {
    await rough.run(["interrupt", "1"]);
    status = await rough.json<Status>(["status", "1", "--tasks"]);
  } while (!status.tasks.some((task) => task.attempt > 0) && /queued|running/.test(status.state));
  const out = await rough.ok(["run", "study.ts", "1"]);
  expect(out.match(/ fitted$/gm)).toHaveLength(24);
  expect(out).toMatch(BEST);
  const { tasks } = await rough.json<Status>(["status", "1", "--tasks"]);
  const resumed = tasks.filter((task) => task.state === "succeeded" && task.attempt > 0);
  expect(resumed.length).toBeGreaterThan(0);
}, 60_000);

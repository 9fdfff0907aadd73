import { expect, test } from "bun:test";

import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

test("a command without a value is told apart from one that gave null", async () => {
  const plain = await jobx.submit(["--", "true"]);
  await jobx.ok(["wait", plain]);
  const result = await jobx.run(["result", plain]);
  expect(result).toMatchObject({ code: 0, out: "null\n" });
  expect(result.err).toContain("--capture");
  const status = await jobx.ok(["status", plain]);
  expect(status).toContain(`jobx logs ${plain} shows the output`);
  expect(status).toContain(" on local: succeeded");
  expect((await jobx.run(["submit", "--", "true"])).err).not.toContain("jobx result");
  expect((await jobx.run(["submit", "--capture", "--", "true"])).err).toContain("jobx result");
});

test("a log without a word in it says so, on standard error", async () => {
  const id = await jobx.submit(["--", "false"]);
  await jobx.run(["wait", id]);
  const logs = await jobx.run(["logs", id]);
  expect(logs.out).toBe("");
  expect(logs.err).toContain(`No output of ${id}: 1 failed`);
  expect(logs.err).toContain("failed  exit code 1");
});

test("part of a job is told with its own times", async () => {
  const id = await jobx.submit(["--array", "0-1", "--parallel", "1", "--", "sleep", "{index}"]);
  await jobx.ok(["wait", id]);
  const whole = await jobx.json<{ seconds: number }>(["show", id]);
  const first = await jobx.json<{ seconds: number }>(["show", `${id}.0`]);
  expect(whole.seconds).toBeGreaterThan(1);
  expect(first.seconds).toBeLessThan(1);
  expect(await jobx.ok(["status", `${id}.0`])).not.toContain("values");
});

test("several jobs that have not ended in time are spoken of as several", async () => {
  const ids = [await jobx.submit(["--", "sleep", "60"]), await jobx.submit(["--", "sleep", "60"])];
  const { code, err } = await jobx.run(["wait", "--timeout", "0.1s", ...ids]);
  expect(code).toBe(5);
  expect(err).toContain(`jobs ${ids.join(", ")} have not ended\n  They go on`);
  await jobx.ok(["cancel", ...ids]);
});

test("jobs that are there are shown beside those that are not, which fail it", async () => {
  const id = await jobx.submit(["--wait", "--", "true"]);
  const some = await jobx.run(["status", "9998", id, "9999"]);
  expect(some).toMatchObject({ code: 4, out: expect.stringContaining(`Job ${id} `) });
  expect(some.err).toContain(`error: There is no job 9998 in ${jobx.home}`);
  expect(some.err).toContain(`There is no job 9999 in ${jobx.home}`);
  expect(await jobx.run(["status", "9998"])).toMatchObject({ code: 4, out: "" });
});

test("a dry run says what of a packed job runs at once", async () => {
  const told = await jobx.ok(["submit", "--dry-run", "--array", "0-9%2", "--pack", "3/2", "--", "true"]);
  expect(told).toContain("at most 2 tasks at once, in packs of 3 with 2 of each at once");
  const one = await jobx.ok(["submit", "--dry-run", "--array", "0-9", "--pack", "3", "--", "true"]);
  expect(one).toContain("in packs of 3, one after the other");
});

test("a dry run shows what is asked for and what would be run, and writes nothing", async () => {
  const before = await jobx.ok(["list", "-q"]);
  const options = ["--dry-run", "--mem", "1G", "-t", "10", "--env", "A={k}", "--setup", "module load gcc"];
  const plan = await jobx.ok(["submit", ...options, "--sweep", "k=1..9", "--", "echo", "{k}"]);
  for (const part of ["9 tasks to local", "10m", "1.0 GiB", "A={k}", "module load gcc", "echo 5", "4 more"]) {
    expect(plan).toContain(part);
  }
  expect(await jobx.ok(["list", "-q"])).toBe(before);
});

test("what the debug executor has run is not said to be submitted", async () => {
  const ran = await jobx.run(["submit", "-e", "debug", "--", "echo", "hi"]);
  expect(ran.out).toMatch(/^hi\nJob \d+ \(echo\) succeeded/);
});

import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { admin, describeSlurm, TestSlurm } from "../helpers/slurm.ts";

type Submitted = { id: number; executor: string; nativeIds: string[]; tasks: number };

describeSlurm("the executor", () => {
  test("is what auto takes where Slurm is, and runs a command", async () => {
    const jobx = new TestSlurm({ env: { JOBX_EXECUTOR: undefined } });
    const submitted = await jobx.json<Submitted>(
      ["submit", "--", "sh", "-c", "echo on $JOBX_NODE; echo $COLOUR"],
      {
        env: { COLOUR: "teal", SBATCH_PARTITION: undefined, SBATCH_EXCLUSIVE: "1", SLURM_ARRAY_TASK_ID: "9" },
      },
    );
    expect(submitted).toMatchObject({ executor: "slurm", tasks: 1 });
    const id = String(submitted.id);
    expect(await jobx.wait(id)).toBe(0);
    expect(jobx.log(id)).toMatch(/^on node\d\nteal\n$/);
  });

  test("runs a function, and its value is the result", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    await jobx.file("add.ts", "export default (a: number, b: number) => ({ sum: a + b });\n");
    const id = await jobx.submit(["add.ts", "--args", "[20,22]"]);
    expect(await jobx.wait(id)).toBe(0);
    expect(await jobx.json<unknown>(["result", id])).toEqual({ sum: 42 });
  });

  test("tells of a failure with its exit code, and of the whole array in one sbatch", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["--array", "0-49", "--", "sh", "-c", "echo {index}; test {index} != 7"]);
    expect(await jobx.wait(id)).toBe(1);
    const tasks = await jobx.tasks(id);
    expect(tasks.filter((task) => task.state !== "succeeded")).toMatchObject([
      { index: 7, state: "failed", exitCode: 1 },
    ]);
    expect(jobx.log(id, "31.out")).toBe("31\n");
    expect(jobx.calls("sbatch")).toBe(1);
    expect(jobx.calls("scancel")).toBe(0);
  });

  test("cancels tasks that wait and tasks that run, each kind in one call", async () => {
    const jobx = new TestSlurm();
    const waiting = await jobx.submit(["-o", "begin=now+1hour", "--array", "0-9", "--", "true"]);
    await jobx.ok(["cancel", `${waiting}.3-5`]);
    expect((await jobx.tasks(waiting)).map((task) => task.state).join(" ")).toBe(
      "queued queued queued cancelled cancelled cancelled queued queued queued queued",
    );
    await jobx.ok(["cancel", waiting]);
    expect(await jobx.wait(waiting, 20)).toBe(1);
    expect(jobx.calls("scancel")).toBe(2);
    const running = await jobx.submit(["--", "sh", "-c", "echo started; sleep 100"]);
    await jobx.untilLogged(running, "started");
    await jobx.ok(["cancel", running]);
    expect(await jobx.wait(running, 60)).toBe(1);
    expect(await jobx.tasks(running)).toMatchObject([{ state: "cancelled" }]);
  });

  test("holds and releases", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["-o", "begin=now+3", "--", "true"]);
    await jobx.ok(["hold", id]);
    expect(await jobx.ok(["status", id])).toContain("held");
    await jobx.ok(["release", id]);
    expect(await jobx.wait(id)).toBe(0);
  });

  test("releases what Slurm's own command held", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["-o", "begin=now+3", "-o", "extra=--hold", "--", "true"]);
    expect(await jobx.ok(["status", id])).toContain("jobx release lets it start");
    expect(await jobx.ok(["release", id])).toBe(`Released job ${id}\n`);
    expect(await jobx.wait(id)).toBe(0);
  });

  test("starts jobs after others of every kind, and after the failure of a job in several arrays", async () => {
    const jobx = new TestSlurm();
    const bad = await jobx.submit(["--array", "0-1", "--", "sh", "-c", "sleep 2; exit {index}"]);
    const good = await jobx.submit(["--", "sleep", "2"]);
    const large = ["-o", "begin=now+5", "--array", "0-1001", "--pack", "1", "--", "sh", "-c"];
    const split = await jobx.submit([...large, "test {index} != 1001"]);
    // Most of it need not run for this.
    await jobx.ok(["cancel", `${split}.0-999`]);
    const after = await Promise.all(
      [`${bad}:fail`, `${bad}:any`, `${bad}.1:fail`, `${good}:fail`, `${split}.1000,1001:fail`].map((one) =>
        jobx.submit(["--after", one, "--", "true"]),
      ),
    );
    await jobx.run(["wait", "--timeout", "200s", bad, good, ...after]);
    const states = await Promise.all(after.map(async (id) => (await jobx.tasks(id))[0]?.state));
    expect(states).toEqual(["succeeded", "succeeded", "succeeded", "cancelled", "succeeded"]);
    await jobx.run(["cancel", split]);
  });

  test("starts jobs after others, and says why one never will", async () => {
    const jobx = new TestSlurm();
    const good = await jobx.submit(["--", "sleep", "1"]);
    const bad = await jobx.submit(["--array", "0-1", "--", "sh", "-c", "sleep 1; exit {index}"]);
    const after = await jobx.submit(["--after", good, "--", "true"]);
    const never = await jobx.submit(["--after", bad, "--", "true"]);
    const each = await jobx.submit(["--array", "0-1", "--after", `${bad}:each`, "--", "true"]);
    await jobx.run(["wait", "--timeout", "100s", good, bad, after, never, each]);
    expect(await jobx.tasks(after)).toMatchObject([{ state: "succeeded" }]);
    const reason = `job ${bad} did not end as --after asks for`;
    expect(await jobx.tasks(never)).toMatchObject([{ state: "cancelled", reason }]);
    expect(await jobx.tasks(each)).toMatchObject([{ state: "succeeded" }, { state: "cancelled", reason }]);
  });

  test("pairs tasks with those of a job of which some had ended, and judges these by their records", async () => {
    const jobx = new TestSlurm();
    const script = "until [ {index} = 0 ] || [ -e go ]; do sleep 0.2; done; exit {index}";
    const first = await jobx.submit(["--array", "0-1", "--", "sh", "-c", script]);
    expect(await jobx.wait(`${first}.0`)).toBe(0);
    const each = await jobx.submit(["--array", "0-1", "--after", `${first}:each`, "--", "true"]);
    await jobx.file("go", "");
    expect(await jobx.wait(each)).toBe(1);
    expect(await jobx.tasks(each)).toMatchObject([
      { state: "succeeded" },
      { state: "cancelled", reason: expect.stringContaining(`${first}.1`) },
    ]);
  });

  test("waits for single tasks of packed elements, and pairs them with tasks that are packed otherwise", async () => {
    const jobx = new TestSlurm();
    const script = "until [ -e go ]; do sleep 0.2; done; exit $(({index} % 2))";
    const first = await jobx.submit(["--array", "0-3", "--pack", "4/4", "--", "sh", "-c", script]);
    const after = await Promise.all(
      [`${first}.0`, `${first}.1`, `${first}.0:fail`, `${first}.1:fail`].map((one) =>
        jobx.submit(["--after", one, "--", "true"]),
      ),
    );
    const each = await jobx.submit([
      "--array",
      "0-3",
      "--pack",
      "2",
      "--after",
      `${first}:each`,
      "--",
      "true",
    ]);
    await jobx.file("go", "");
    await jobx.run(["wait", "--timeout", "100s", first, ...after, each]);
    const states = await Promise.all(after.map(async (id) => (await jobx.tasks(id))[0]?.state));
    expect(states).toEqual(["succeeded", "cancelled", "cancelled", "succeeded"]);
    const paired = (await jobx.tasks(each)).map(({ state }) => state);
    expect(paired).toEqual(["succeeded", "cancelled", "succeeded", "cancelled"]);
  });

  test("releases an element for one of its tasks, and keeps the others back", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["-o", "begin=now+1hour", "--array", "0-1", "--pack", "2", "--", "true"]);
    await jobx.ok(["hold", id]);
    const [native = ""] = await jobx.natives(id);
    const priority = () => admin("scontrol", "-o", "show", "job", native);
    expect(await priority()).toContain("Priority=0 ");
    await jobx.ok(["release", `${id}.1`]);
    expect(await priority()).not.toContain("Priority=0 ");
    expect(await jobx.tasks(id)).toMatchObject([{ reason: expect.stringMatching(/^held/) }, {}]);
    await jobx.ok(["cancel", id]);
  });

  test("splits what is larger than an array may be, and cancels all of it in one call", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["-o", "begin=now+1hour", "--array", "0-2500%5", "--", "true"]);
    expect(await jobx.natives(id)).toHaveLength(3);
    expect(await jobx.json<object>(["status", id])).toMatchObject({ counts: { queued: 2501 } });
    await jobx.ok(["cancel", `${id}.0-1499`]);
    expect(await jobx.json<object>(["status", id])).toMatchObject({
      counts: { queued: 1001, cancelled: 1500 },
    });
    await jobx.ok(["cancel", id]);
    expect(await jobx.wait(id, 30)).toBe(1);
    expect(jobx.calls("scancel")).toBe(2);
  });

  test("opens a shell beside a running task", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["--array", "0-1", "--", "sh", "-c", "echo started; sleep 60"]);
    await jobx.untilLogged(id, "started", "1.out");
    const shell = await jobx.run(["shell", `${id}.1`], { input: "hostname; echo $JOBX_TASK in $PWD\n" });
    expect(shell.out).toMatch(/^node\d\n1 in /);
    expect(shell.out).toContain(jobx.cwd);
    await jobx.ok(["cancel", id]);
  });

  test("shows in a dry run what it would do, and does nothing", async () => {
    const jobx = new TestSlurm();
    const plan = await jobx.ok(["submit", "--dry-run", "--array", "0-2500", "--", "true"]);
    expect(plan).toContain("--array=0-999");
    expect(plan).toContain("2000+501");
    expect(plan).toContain("exec ");
    expect(jobx.calls("sbatch")).toBe(0);
  });

  test("shows Slurm's own words when it refuses, and leaves nothing", async () => {
    const jobx = new TestSlurm();
    const refused = await jobx.run(["submit", "-p", "nope", "--", "true"]);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain("invalid partition specified: nope");
    expect(await jobx.json<unknown[]>(["list"])).toEqual([]);
  });

  test("does without accounting", async () => {
    const jobx = new TestSlurm();
    const bin = join(jobx.root, "broken");
    mkdirSync(bin);
    await Bun.write(
      join(bin, "sacct"),
      "#!/bin/sh\necho 'Slurm accounting storage is disabled' >&2\nexit 1\n",
      {
        mode: 0o755,
      },
    );
    jobx.env["PATH"] = `${bin}:${jobx.env["PATH"]}`;
    const id = await jobx.submit(["--", "sh", "-c", "echo started; sleep 100"]);
    await jobx.untilLogged(id, "started");
    const [native = ""] = await jobx.natives(id);
    // The supervisor is killed with everything else: no record is left.
    expect((await jobx.run(["status", id])).code).toBe(0);
    Bun.spawnSync(["scancel", "--signal=KILL", "--full", native]);
    expect(await jobx.wait(id, 100)).toBe(1);
    const [task] = await jobx.tasks(id);
    expect(["failed", "cancelled"]).toContain(task?.state ?? "");
    expect(task?.reason).toMatch(/signal 9|cancelled/);
  });

  test("asks squeue no oftener for ten that wait than for one", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["--array", "0-19", "--", "sleep", "3"]);
    jobx.forgetCalls();
    const began = performance.now();
    await Promise.all(Array.from({ length: 10 }, () => jobx.wait(id)));
    const seconds = (performance.now() - began) / 1000;
    expect(jobx.calls("squeue")).toBeLessThanOrEqual(Math.ceil(seconds / 2) + 1);
    expect(jobx.calls("sacct")).toBe(0);
  });

  test("runs where the home's path has spaces, quotes and percent signs", async () => {
    const base = new TestSlurm();
    const home = join(base.root, 'it\'s 100%a "home"');
    const env = { JOBX_HOME: home };
    const id = await base.submit(["--array", "0-1", "--", "sh", "-c", "echo hi; echo oops >&2"], { env });
    expect((await base.run(["wait", "--timeout", "60s", id], { env })).code).toBe(0);
    expect(await base.ok(["logs", `${id}.1`], { env })).toContain("hi");
  });
});

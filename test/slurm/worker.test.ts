import { expect, test } from "bun:test";

import { eventually } from "../helpers/eventually.ts";
import { admin, describeSlurm, TestSlurm } from "../helpers/slurm.ts";
import { DEAF, RESUMES } from "./programs.ts";

describeSlurm("a worker in an allocation", () => {
  test("has Slurm run its element again after jobx interrupt, and never after a cancellation", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    const id = await jobx.submit(["--array", "0-1", "--", "sh", "-c", RESUMES]);
    await jobx.untilLogged(id, "run 0");
    await jobx.untilLogged(id, "run 0", "1.out");
    await jobx.ok(["cancel", `${id}.1`]);
    await jobx.ok(["interrupt", `${id}.0`]);
    await jobx.wait(id);
    const [first, second] = await jobx.tasks(id);
    expect(first).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(second).toMatchObject({ state: "cancelled", attempt: 0 });
    const [native = ""] = await jobx.natives(id);
    expect(jobx.callLines("scontrol").filter((line) => line.includes(`requeue ${native}_`))).toEqual([
      `scontrol requeue ${native}_0`,
    ]);
  });

  test("is warned once by jobx interrupt while other tasks of its array wait", async () => {
    const jobx = new TestSlurm();
    const script = "trap 'echo warned' USR2; echo ready; while :; do sleep 0.1; done";
    const id = await jobx.submit(["--array", "0-3", "--parallel", "1", "--", "sh", "-c", script]);
    await jobx.untilLogged(id, "ready", "0.out");
    expect(await jobx.ok(["interrupt", id])).toContain(`1 task of job ${id}`);
    await jobx.untilLogged(id, "warned", "0.out");
    expect(jobx.log(id, "0.out").match(/warned/g)).toHaveLength(1);
    await jobx.ok(["cancel", id]);
    expect(await jobx.wait(id, 60)).toBe(1);
  });

  test("counts a warning of its limit as a timeout", async () => {
    const jobx = new TestSlurm();
    const script = "trap 'exit 85' USR2; echo ready; while :; do sleep 0.1; done";
    const id = await jobx.submit(["--max-timeouts", "0", "--", "sh", "-c", script]);
    await jobx.untilLogged(id, "ready");
    await jobx.ok(["interrupt", "--timeout", id]);
    expect(await jobx.wait(id)).toBe(1);
    expect(await jobx.tasks(id)).toMatchObject([{ state: "timeout", attempt: 0 }]);
  });

  test("calls a function again that leaves when it is warned, with what it saved", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    const file = await jobx.file(
      "resumes.ts",
      `import { jobContext } from "jobx";
      import { existsSync, writeFileSync } from "node:fs";
      export default async function () {
        const { paths, signal, attempt } = jobContext();
        const saved = paths.checkpoint + "/saved";
        if (existsSync(saved)) return attempt;
        console.log("ready");
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        writeFileSync(saved, "");
        throw signal.reason;
      }`,
    );
    const id = await jobx.submit([file]);
    await jobx.untilLogged(id, "ready");
    await jobx.ok(["interrupt", id]);
    expect(await jobx.wait(id)).toBe(0);
    expect(await jobx.json(["result", id])).toBe(1);
  });

  test("ends one of several packed tasks that is cancelled, and no other", async () => {
    const jobx = new TestSlurm();
    const script = `echo ready; until test -e ${jobx.cwd}/go; do sleep 0.1; done`;
    const id = await jobx.submit(["--array", "0-2", "--pack", "3/3", "--", "sh", "-c", script]);
    await jobx.untilLogged(id, "ready", "1.out");
    await jobx.ok(["cancel", `${id}.1`]);
    await eventually(async () => (await jobx.tasks(id))[1]?.state === "cancelled");
    await jobx.file("go", "");
    expect(await jobx.wait(id)).toBe(1);
    expect((await jobx.tasks(id)).map(({ state }) => state)).toEqual(["succeeded", "cancelled", "succeeded"]);
    expect(jobx.calls("scancel")).toBe(0);
  });

  test("warns one of several packed tasks that is interrupted, and no other", async () => {
    const jobx = new TestSlurm();
    const script = `trap 'echo warned; exit 0' USR2; echo ready; until test -e ${jobx.cwd}/go; do sleep 0.1; done; exit 1`;
    const id = await jobx.submit(["--array", "0-2", "--pack", "3/3", "--", "sh", "-c", script]);
    for (const name of ["0.out", "1.out", "2.out"]) await jobx.untilLogged(id, "ready", name);
    // A task that has just begun has no record yet.
    await eventually(async () => (await jobx.tasks(id)).every(({ state }) => state === "running"));
    await jobx.ok(["interrupt", `${id}.1`]);
    await jobx.untilLogged(id, "warned", "1.out");
    await jobx.file("go", "");
    expect(await jobx.wait(id)).toBe(1);
    expect((await jobx.tasks(id)).map(({ state }) => state)).toEqual(["failed", "succeeded", "failed"]);
    expect(jobx.calls("scancel")).toBe(0);
  });

  test("takes up after scontrol requeue what has no record, and nothing else", async () => {
    const jobx = new TestSlurm();
    const script = `test {index} -lt 2 && { echo once; exit 0; }; ${DEAF}`;
    const id = await jobx.submit(["--array", "0-3", "--pack", "4/1", "--", "sh", "-c", script]);
    await jobx.untilLogged(id, "run 0", "2.out");
    const [native = ""] = await jobx.natives(id);
    await admin("scontrol", "requeue", native);
    await jobx.untilLogged(id, "run 0", "3.out");
    await admin("scontrol", "requeue", native);
    expect(await jobx.wait(id)).toBe(0);
    expect((await jobx.tasks(id)).map(({ attempt }) => attempt)).toEqual([0, 0, 1, 1]);
    expect([0, 1].map((task) => jobx.log(id, `${task}.out`))).toEqual(["once\n", "once\n"]);
  });

  test("leaves it to Slurm's own word when somebody else cancels the job", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["--requeue", "--", "sh", "-c", DEAF]);
    await jobx.untilLogged(id, "run 0");
    const [native = ""] = await jobx.natives(id);
    await admin("scancel", native);
    await eventually(async () => (await jobx.tasks(id))[0]?.state === "cancelled", { timeoutMs: 60_000 });
    expect(jobx.log(id)).not.toContain("run 1");
  });

  test("gives packed tasks GPUs of their own, and their records to one segment", async () => {
    const jobx = new TestSlurm();
    const script = `echo $CUDA_VISIBLE_DEVICES; touch ${jobx.cwd}/$JOBX_TASK; until test -e ${jobx.cwd}/0 -a -e ${jobx.cwd}/1; do sleep 0.05; done`;
    const id = await jobx.submit([
      "--array",
      "0-3",
      "--pack",
      "4/2",
      "--gpus",
      "2",
      "--",
      "sh",
      "-c",
      script,
    ]);
    expect(await jobx.wait(id)).toBe(0);
    const seen = [0, 1].map((task) => jobx.log(id, `${task}.out`).trim());
    expect(new Set(seen.join(",").split(",")).size).toBe(4);
    const segments = [...new Bun.Glob("results/**/*.seg").scanSync(`${jobx.home}/jobs/${id}`)];
    expect(segments).toEqual(["results/0/0.0.0.seg"]);
  });
});

import { expect, test } from "bun:test";

import { describeSlurm, TestSlurm } from "../helpers/slurm.ts";

const STATUS = ["squeue", "sacct", "scontrol", "sinfo"];

describeSlurm("what a job costs the controller", () => {
  test("is one sbatch, a status call every 2 s for twenty that wait, and one scancel, with a thousand tasks", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit([
      "--array",
      // Not more at once, so that there is room for other tests.
      "0-999%8",
      "--",
      "sh",
      "-c",
      "test {index} -lt 8 || exec sleep 600",
    ]);
    expect(jobx.calls("sbatch")).toBe(1);
    // The name of the cluster and the size of its arrays, once in the life of a home.
    expect(jobx.callLines("scontrol")).toEqual(["scontrol show config"]);
    jobx.forgetCalls();
    const began = performance.now();
    const waits = await Promise.all(
      Array.from({ length: 20 }, () => jobx.run(["wait", "--timeout", "15s", id])),
    );
    expect(waits.map(({ code }) => code)).toEqual(Array.from({ length: 20 }, () => 5));
    const looks = Math.ceil((performance.now() - began) / 2000) + 1;
    expect(jobx.calls("squeue")).toBeLessThanOrEqual(looks);
    expect(["sacct", "scontrol", "sinfo", "sbatch"].map((name) => jobx.calls(name))).toEqual([0, 0, 0, 0]);
    jobx.forgetCalls();
    await jobx.ok(["cancel", id]);
    expect(jobx.calls("scancel")).toBe(1);
    expect(await jobx.wait(id, 200)).toBe(1);
    expect(jobx.calls("scancel")).toBe(1);
    const counts = await jobx.json<{ counts: Record<string, number> }>(["status", id]);
    expect(counts.counts).toMatchObject({ succeeded: 8, cancelled: 992, queued: 0, running: 0 });
  });

  test("is nothing before sbatch, and nothing after it, for one more command", async () => {
    const jobx = new TestSlurm();
    await jobx.wait(await jobx.submit(["--", "true"]));
    jobx.forgetCalls();
    const id = await jobx.submit(["-t", "1m", "--", "true"]);
    expect(STATUS.map((name) => jobx.callLines(name)).flat()).toEqual([
      "sinfo -h -e -o %P|%l|%L|%c|%m|%s|%D",
    ]);
    jobx.forgetCalls();
    await jobx.submit(["-t", "1m", "--", "true"]);
    expect(jobx.calls("sbatch")).toBe(1);
    expect(STATUS.flatMap((name) => jobx.callLines(name))).toEqual([]);
    await jobx.wait(id);
  });
});

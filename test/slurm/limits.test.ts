import { expect, test } from "bun:test";

import { describeSlurm, TestSlurm } from "../helpers/slurm.ts";

/** The cluster's partition `short` gives a minute to those that ask for nothing, and five to nobody more. */
const SHORT = ["-p", "short"];

describeSlurm("a partition's limits", () => {
  test("end as timeouts what asked for no time, and are no preemptions that go on for ever", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    const script = "echo run >>$JOBX_CHECKPOINT_DIR/runs; exec sleep 600";
    const id = await jobx.submit([...SHORT, "--requeue", "--max-timeouts", "1", "--", "sh", "-c", script]);
    expect(await jobx.wait(id, 200)).toBe(1);
    expect(await jobx.tasks(id)).toMatchObject([
      { state: "timeout", attempt: 1, reason: expect.stringContaining("the scheduler's own time limit") },
    ]);
    expect(jobx.callLines("scontrol").filter((line) => line.includes("requeue"))).toHaveLength(1);
    expect(jobx.callLines("squeue").filter((line) => line.includes("%L"))).toHaveLength(2);
  });
});

import { expect, test } from "bun:test";

import { describeSlurm, sideBySide } from "../helpers/slurm.ts";

/** The cluster's partition `short` gives a minute to those that ask for nothing, and five to nobody more. */
const SHORT = ["-p", "short"];

describeSlurm("a partition's limits", () => {
  const nextJobx = sideBySide({ user: "jobxtest" }, {}, {}, {});

  test.concurrent(
    "end as timeouts what asked for no time, and are no preemptions that go on for ever",
    async () => {
      const jobx = nextJobx();
      const script = "echo run >>$JOBX_CHECKPOINT_DIR/runs; exec sleep 600";
      const id = await jobx.submit([...SHORT, "--requeue", "--max-timeouts", "1", "--", "sh", "-c", script]);
      expect(await jobx.wait(id, 200)).toBe(1);
      expect(await jobx.tasks(id)).toMatchObject([
        { state: "timeout", attempt: 1, reason: expect.stringContaining("the scheduler's own time limit") },
      ]);
      expect(jobx.callLines("scontrol").filter((line) => line.includes("requeue"))).toHaveLength(1);
      expect(jobx.callLines("squeue").filter((line) => line.includes("%L"))).toHaveLength(2);
    },
  );

  test.concurrent(
    "let a task's own limit count across requeues, until there were enough timeouts",
    async () => {
      const jobx = nextJobx();
      const script = "echo run >>$JOBX_CHECKPOINT_DIR/runs; sleep 300";
      // More than half of Slurm's minute, so that there is no time for a second attempt in it.
      const limits = ["--time", "31s", "--signal-delay", "1s", "--max-timeouts", "1"];
      const id = await jobx.submit([...SHORT, ...limits, "--", "sh", "-c", script]);
      expect(await jobx.wait(id, 180)).toBe(1);
      expect(await jobx.tasks(id)).toMatchObject([{ state: "timeout", attempt: 1 }]);
      expect(jobx.callLines("scontrol").filter((line) => line.includes("requeue"))).toHaveLength(1);
    },
  );

  test.concurrent("may be asked for in full", async () => {
    const jobx = nextJobx();
    const id = await jobx.submit([...SHORT, "-t", "5m", "--", "true"]);
    expect(await jobx.wait(id)).toBe(0);
    expect(jobx.callLines("sbatch")[0]).toContain("--time=5 ");
  });

  test.concurrent(
    "are what a submission is refused by, with the figures, before Slurm would let it wait for ever",
    async () => {
      const jobx = nextJobx();
      const packed = ["--array", "0-9", "--pack", "10/2", "-t", "2m"];
      const refused = await jobx.run(["submit", ...SHORT, ...packed, "--", "true"]);
      expect(refused.code).toBe(3);
      expect(refused.err).toContain(
        "An element of 10 tasks, 2 at once, asks for 10m 25s, and partition short allows 5m",
      );
      expect(await jobx.json<unknown[]>(["list"])).toEqual([]);
      expect(jobx.calls("sbatch")).toBe(0);
      const wide = await jobx.run(["submit", "-c", "9", "--", "true"]);
      expect(wide.err).toContain(
        "A task asks for 9 CPUs on a node, and partition main has nodes of 8 at most",
      );
      const many = await jobx.run(["submit", "-N", "4", "--", "true"]);
      expect(many.err).toContain("A task asks for 4 nodes, and partition main allows 3");
    },
  );
});

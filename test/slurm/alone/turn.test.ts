import { test } from "bun:test";

import { eventually } from "../../helpers/eventually.ts";
import { describeSlurm, TestSlurm } from "../../helpers/slurm.ts";

describeSlurm("a job that waits for its turn", () => {
  test("says how many jobs are ahead of it", async () => {
    const jobx = new TestSlurm();
    const full = await jobx.submit(["--array", "0-2", "-c", "8", "-t", "1m", "--", "sleep", "600"]);
    const jobs = [full];
    for (const _ of [1, 2, 3]) jobs.push(await jobx.submit(["-c", "8", "-t", "1m", "--", "true"]));
    await eventually(
      async () => {
        const [task] = await jobx.tasks(jobs[3] ?? "");
        return /^Priority: [1-3] jobs? ahead in partition main/.test(task?.reason ?? "");
      },
      { timeoutMs: 60_000, what: "its turn told" },
    );
    await jobx.ok(["cancel", ...jobs]);
  });
});

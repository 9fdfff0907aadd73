import { expect, test } from "bun:test";

import { admin } from "../helpers/cluster.ts";
import { eventually } from "../helpers/eventually.ts";
import { describeSge, TestSge } from "../helpers/sge.ts";

// Side by side, since each of them takes the half minute that a record may be late.
describeSge("a task that leaves no record", () => {
  const jobx = new TestSge();

  test.concurrent("tells why a job cannot be started, and does not wait for it for ever", async () => {
    const id = await jobx.submit(["-o", "extra=-i /nonexistent", "--", "true"]);
    expect(await jobx.wait(id, 60)).toBe(1);
    const [task] = await jobx.tasks(id);
    expect(task).toMatchObject({ state: "failed", native: "Eqw" });
    expect(task?.reason).toContain("/nonexistent");
    await admin("qdel", ...(await jobx.natives(id)));
  });

  test.concurrent("leaves it to Grid Engine's own word when all of it is killed at its limit", async () => {
    const id = await jobx.submit([
      "-o",
      "notify=false",
      "-o",
      "l=h_rt=2",
      "--no-requeue",
      "--",
      "sleep",
      "300",
    ]);
    await eventually(async () => (await jobx.tasks(id))[0]?.state === "timeout", { timeoutMs: 60_000 });
    expect((await jobx.tasks(id))[0]?.reason).toContain("time limit");
  });

  test.concurrent("is cancelled although ranks on several nodes are killed without a warning", async () => {
    const id = await jobx.submit(["-N", "2", "--", "sh", "-c", "echo ready; exec sleep 299"]);
    for (const name of ["0.out", "0.1.out"]) await jobx.untilLogged(id, "ready", name);
    await jobx.ok(["cancel", id]);
    expect(await jobx.wait(id, 60)).toBe(1);
    expect(await jobx.tasks(id)).toMatchObject([{ state: "cancelled" }]);
  });
});

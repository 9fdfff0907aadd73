import { expect, test } from "bun:test";

import { eventually } from "../helpers/eventually.ts";
import { describeSlurm, TestSlurm } from "../helpers/slurm.ts";
import { train } from "./programs.ts";

/** Several at once: whatever is requeued waits for seconds. */
function trainAll(tasks: string[], options: string[]) {
  return Promise.all(tasks.map((task) => train(new TestSlurm(), task, options)));
}

describeSlurm("a task that keeps a state", () => {
  test("goes on after jobx interrupt, also where it blocks its event loop", async () => {
    const trained = await trainAll(["polite", "asked", "blocked"], ["--signal-delay", "4s"]);
    for (const { jobx, id } of trained) await jobx.ok(["interrupt", id]);
    for (const { jobx, id, steps } of trained) {
      expect(await jobx.wait(id)).toBe(0);
      expect(await steps()).toBe("01234");
      expect(await jobx.tasks(id)).toMatchObject([{ state: "succeeded", attempt: 1 }]);
    }
  });

  test("goes on after its time limit, and that counts", async () => {
    const limits = ["--time", "12s", "--signal-delay", "5s", "--max-timeouts", "1"];
    for (const { jobx, id, steps } of await trainAll(["polite", "blocked"], limits)) {
      expect(await jobx.wait(id)).toBe(0);
      expect(await steps()).toBe("01234");
      const shown = JSON.stringify(await jobx.json(["show", id]));
      expect(shown.match(/"why":"timeout"/g)).toHaveLength(1);
    }
  });

  test("has rank 0 alone asked, and all ranks go on from its answer", async () => {
    const { jobx, id } = await train(new TestSlurm(), "ranked", ["--nodes", "2", "--ranks-per-node", "2"]);
    for (const rank of [1, 2, 3]) await jobx.untilLogged(id, "waits", `0.${rank}.out`);
    await jobx.ok(["interrupt", id]);
    expect(await jobx.wait(id)).toBe(0);
    await eventually(async () => {
      const values = await jobx.json<unknown>(["result", id]);
      expect(values).toEqual([0, 1, 2, 3].map((rank) => [rank, "by rank 0"]));
      return true;
    });
  });
});

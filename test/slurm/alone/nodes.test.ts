import { expect, test } from "bun:test";

import { eventually } from "../../helpers/eventually.ts";
import { describeSlurm, killNode, startNode, TestSlurm } from "../../helpers/slurm.ts";
import { DEAF, train } from "../programs.ts";

describeSlurm("a node that dies", () => {
  test("takes nothing along that was finished or saved, and what can go on does so elsewhere", async () => {
    const packed = new TestSlurm();
    const script = `test {index} = 0 && { echo once; exit 0; }; ${DEAF}`;
    const id = await packed.submit(["--array", "0-1", "--pack", "2/1", "--", "sh", "-c", script]);
    await packed.untilLogged(id, "run 0", "1.out");
    const trained = await train(new TestSlurm(), "deaf");
    const logs = () => [packed.log(id, "1.out"), trained.jobx.log(trained.id)];
    const nodes = new Set(logs().map((log) => /on (node\d)/.exec(log)?.[1] ?? ""));
    const plain = new TestSlurm({ user: "jobxtest" });
    const command = await plain.submit(["-o", `nodelist=${[...nodes][0]}`, "--", "sleep", "300"]);
    await eventually(async () => (await plain.tasks(command))[0]?.state === "running", { timeoutMs: 30_000 });
    for (const node of nodes) await killNode(node);
    try {
      expect(await packed.wait(id, 180)).toBe(0);
      expect(await trained.jobx.wait(trained.id, 180)).toBe(0);
    } finally {
      for (const node of nodes) await startNode(node);
    }
    expect(await plain.wait(command, 100)).toBe(1);
    expect(await plain.tasks(command)).toMatchObject([
      {
        state: "lost",
        reason: expect.stringMatching(/; with --requeue or --retries N it would run again by itself$/),
      },
    ]);
    expect(await packed.tasks(id)).toMatchObject([
      { state: "succeeded", attempt: 0 },
      { state: "succeeded", attempt: 1 },
    ]);
    expect(packed.log(id)).toBe("once\n");
    expect(await trained.steps()).toBe("01234");
    for (const node of nodes) for (const log of logs()) expect(log).not.toContain(`attempt 1 on ${node}`);
  });
});

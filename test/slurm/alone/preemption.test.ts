import { beforeAll, expect, test } from "bun:test";

import { describeSlurm, HAS_CLUSTER, TestSlurm } from "../../helpers/slurm.ts";
import { DEAF, RESUMES, train } from "../programs.ts";

/** All of them share a node, until a job takes the whole of it. */
const node = ["-o", "nodelist=node3"];
const low = ["-p", "low", ...node];

describeSlurm("a preemption", () => {
  const user = () => new TestSlurm({ user: "jobxtest" });
  const jobs = HAS_CLUSTER
    ? {
        polite: { jobx: user(), id: "" },
        deaf: { jobx: user(), id: "" },
        asked: { jobx: user(), id: "" },
        refusing: { jobx: user(), id: "" },
        listens: { jobx: new TestSlurm(), id: "" },
        ignores: { jobx: user(), id: "" },
      }
    : null;
  const job = (name: keyof NonNullable<typeof jobs>) => jobs?.[name] ?? { jobx: new TestSlurm(), id: "" };

  beforeAll(async () => {
    if (jobs === null) return;
    const { listens, ignores, ...tasks } = jobs;
    await Promise.all([
      ...Object.entries(tasks).map(async ([name, one]) => {
        one.id = (await train(one.jobx, name, low)).id;
      }),
      ...[listens, ignores].map(async (one) => {
        one.id = await one.jobx.submit([...low, "--", "sh", "-c", one === listens ? RESUMES : DEAF]);
        await one.jobx.untilLogged(one.id, "run 0 of attempt 0 on node3");
      }),
    ]);
    const high = await listens.jobx.submit(["-p", "high", ...node, "-c", "8", "--", "true"]);
    expect(await listens.jobx.wait(high)).toBe(0);
  }, 240_000);

  for (const name of ["polite", "deaf", "asked"] as const) {
    test(`lets a task go on from the state that it kept: ${name}`, async () => {
      const { jobx, id } = job(name);
      expect(await jobx.wait(id)).toBe(0);
      expect(await Bun.file(`${jobx.cwd}/steps`).text()).toBe("01234");
      expect(await jobx.json<unknown>(["result", id])).toBe(1);
      expect(jobx.log(id)).toMatch(/goes on from the state saved at \S+Z by attempt 0/);
      expect(JSON.stringify(await jobx.json(["show", id]))).not.toContain('"why":"timeout"');
    });
  }

  test("ends a task that asks for it, although Slurm runs it again", async () => {
    const { jobx, id } = job("refusing");
    expect(await jobx.wait(id)).toBe(1);
    expect(await Bun.file(`${jobx.cwd}/steps`).text()).toBe("012");
    const [task] = await jobx.tasks(id);
    expect(task?.reason).toContain("asked not to be run again");
  });

  test("lets a command leave, which goes on when Slurm runs it again", async () => {
    const { jobx, id } = job("listens");
    expect(await jobx.wait(id)).toBe(0);
    expect(jobx.log(id)).toContain("run 1 of attempt 1 on node3");
    expect(JSON.stringify(await jobx.json(["show", id]))).not.toContain('"why":"timeout"');
  });

  test("ends a command that does not hear the warning, which resumes from its checkpoint", async () => {
    const { jobx, id } = job("ignores");
    expect(await jobx.wait(id)).toBe(0);
    expect(jobx.log(id)).toContain("run 1 of attempt 1 on node3");
  });
});

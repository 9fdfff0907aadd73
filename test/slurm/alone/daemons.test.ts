import { expect, test } from "bun:test";

import { eventually } from "../../helpers/eventually.ts";
import { admin, describeSlurm, startDaemon, stopDaemon, TestSlurm } from "../../helpers/slurm.ts";

/** Takes one of Slurm's daemons away while something is done. */
async function without(name: "slurmctld" | "slurmdbd", act: () => Promise<void>): Promise<void> {
  await stopDaemon(name);
  try {
    await act();
  } finally {
    await startDaemon(name);
    await eventually(() => admin("sinfo", "-h"), { timeoutMs: 60_000, what: `${name} back` });
  }
}

describeSlurm("a controller that is away", () => {
  test("refuses a submission soon, with the reason, and nothing is left of it", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    await without("slurmctld", async () => {
      const began = performance.now();
      const refused = await jobx.run(["submit", "--", "true"]);
      expect(refused.code).toBe(3);
      expect(refused.err).toContain("Unable to contact slurm controller");
      expect(performance.now() - began).toBeLessThan(30_000);
      expect(await jobx.json<unknown[]>(["list"])).toEqual([]);
    });
    expect((await admin("squeue", "-h", "-u", "jobxtest", "-o", "%i")).trim()).toBe("");
  });

  test("costs neither the jobs that run meanwhile nor those that wait for them", async () => {
    const jobx = new TestSlurm();
    const script = `touch ${jobx.cwd}/{index}; until test -e ${jobx.cwd}/go; do sleep 0.1; done; echo done {index}`;
    const id = await jobx.submit(["--array", "0-3", "--", "sh", "-c", script]);
    const after = await jobx.submit(["--after", id, "--", "true"]);
    for (const task of [0, 1, 2, 3])
      await eventually(() => Bun.file(`${jobx.cwd}/${task}`).exists(), { timeoutMs: 60_000 });
    const waiting = jobx.wait(id);
    const waitingAfter = jobx.wait(after, 200);
    await without("slurmctld", async () => {
      // At first there is an answer that is not two seconds old.
      await eventually(async () => {
        const status = await jobx.run(["status", id]);
        expect(status.code).toBe(0);
        return status.err.includes("could not be asked");
      });
      await jobx.file("go", "");
      // The records are there without the controller.
      expect(await waiting).toBe(0);
    });
    expect(await waitingAfter).toBe(0);
  });

  test("is waited for when it is the database alone", async () => {
    const jobx = new TestSlurm();
    await without("slurmdbd", async () => {
      const id = await jobx.submit(["--array", "0-1", "--", "sh", "-c", "sleep 1; kill -9 $PPID; sleep 60"]);
      const good = await jobx.submit(["--", "true"]);
      expect(await jobx.wait(good)).toBe(0);
      expect(await jobx.wait(id, 200)).toBe(1);
      const tasks = await jobx.tasks(id);
      expect(tasks.map(({ state }) => state)).toEqual(["failed", "failed"]);
      expect(tasks[0]?.reason).toContain("signal 9");
    });
  });
});

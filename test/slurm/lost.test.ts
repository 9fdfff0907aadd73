import { expect, test } from "bun:test";

import { eventually } from "../helpers/eventually.ts";
import { admin, describeSlurm, sideBySide, TestSlurm } from "../helpers/slurm.ts";

/** Kills its own supervisor, so that nothing is left to tell of it. */
const LOSES_IT =
  "echo attempt $JOBX_ATTEMPT; test $JOBX_ATTEMPT -gt 0 || { sleep 1; kill -9 $PPID; sleep 60; }";

describeSlurm("a task whose supervisor dies without a word", () => {
  const nextJobx = sideBySide({ user: "jobxtest" }, {}, {});

  test.concurrent("is submitted again by those that wait, once, and by nobody else", async () => {
    const jobx = nextJobx();
    const script = `test {index} != 2 && exit 0; ${LOSES_IT}`;
    const id = await jobx.submit(["--array", "0-4", "--retries", "1", "--", "sh", "-c", script]);
    const lost = await eventually(
      async () => {
        const [task] = (await jobx.tasks(id)).filter(({ index }) => index === 2);
        return task?.state === "failed" ? task : null;
      },
      { timeoutMs: 60_000, what: "the loss seen" },
    );
    expect(lost.reason).toContain(`jobx wait ${id} submits it again (retry 1 of 1)`);
    await jobx.ok(["list"]);
    expect(jobx.calls("sbatch")).toBe(1);
    expect(await Promise.all(Array.from({ length: 5 }, () => jobx.wait(id)))).toEqual([0, 0, 0, 0, 0]);
    expect(jobx.callLines("sbatch")).toHaveLength(2);
    expect(jobx.callLines("sbatch")[1]).toContain(" --array=2 ");
    expect(await jobx.natives(id)).toHaveLength(2);
    expect((await jobx.tasks(id))[2]).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(jobx.log(id, "2.out")).toContain("attempt 1");
  });

  test.concurrent(
    "is submitted again no oftener than --retries allows, and not once it was cancelled",
    async () => {
      const jobx = nextJobx();
      const always = ["--retries", "1", "--", "sh", "-c", "sleep 1; kill -9 $PPID; sleep 60"];
      const ends = await jobx.submit(always);
      const cancelled = await jobx.submit(always);
      const isLost = (id: string) => async () => /jobx wait/.test((await jobx.tasks(id))[0]?.reason ?? "");
      await eventually(isLost(cancelled), { timeoutMs: 60_000 });
      await jobx.ok(["cancel", cancelled]);
      expect(await jobx.wait(cancelled)).toBe(1);
      expect(await jobx.tasks(cancelled)).toMatchObject([{ state: "cancelled" }]);
      expect(await jobx.wait(ends)).toBe(1);
      expect(["failed", "lost"]).toContain((await jobx.tasks(ends))[0]?.state ?? "");
      expect(jobx.calls("sbatch")).toBe(3);
    },
  );

  test.concurrent("can be cancelled in the array that took it up", async () => {
    const jobx = nextJobx();
    const script = `test {index} = 1 && ${LOSES_IT.replace("echo attempt $JOBX_ATTEMPT;", "{ true;")}; }; echo up; sleep 100`;
    const id = await jobx.submit(["--array", "0-1", "--retries", "1", "--", "sh", "-c", script]);
    const waiting = jobx.wait(id);
    await jobx.untilLogged(id, "up", "1.out", 90_000);
    await jobx.ok(["cancel", id]);
    expect(await waiting).toBe(1);
    expect((await jobx.tasks(id)).map(({ state }) => state)).toEqual(["cancelled", "cancelled"]);
    const [first = "", second = ""] = await jobx.natives(id);
    expect(jobx.callLines("scancel")).toEqual([`scancel ${first} ${second}`]);
  });
});

describeSlurm("a task that somebody cancels by scancel", () => {
  test("shows so at once, without the time that a record may be late", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit(["--requeue", "--", "sh", "-c", "echo up; sleep 100"]);
    await jobx.untilLogged(id, "up");
    const [native = ""] = await jobx.natives(id);
    await admin("scancel", native);
    const began = performance.now();
    await eventually(async () => (await jobx.tasks(id))[0]?.state === "cancelled", { timeoutMs: 20_000 });
    expect(performance.now() - began).toBeLessThan(15_000);
    expect((await jobx.tasks(id))[0]?.reason).toContain("cancelled outside of jobx");
  });

  test("while it waits is cancelled, and not submitted again", async () => {
    const jobx = new TestSlurm();
    const script = "echo up; until [ -e go ]; do sleep 0.2; done";
    const id = await jobx.submit(["--array", "0-2%1", "--retries", "1", "--", "sh", "-c", script]);
    await jobx.untilLogged(id, "up");
    const [native = ""] = await jobx.natives(id);
    await admin("scancel", `${native}_2`);
    await jobx.file("go", "");
    expect(await jobx.wait(id)).toBe(1);
    expect(await jobx.tasks(id)).toMatchObject([
      { state: "succeeded" },
      { state: "succeeded" },
      { state: "cancelled", reason: expect.stringContaining("cancelled outside of jobx") },
    ]);
    expect(jobx.calls("sbatch")).toBe(1);
  });
});

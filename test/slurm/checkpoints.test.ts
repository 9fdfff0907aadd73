import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { describeSlurm, killNode, startNode, TestSlurm } from "../helpers/slurm.ts";

/** Five steps, each noted in a file; the first attempt stops after three of them and waits. */
const TRAIN = `
import { again, defineTask } from "jobx";
import { appendFileSync } from "node:fs";

let latest = null;

async function steps(ctx, name, wait, save = true) {
  console.log("attempt", ctx.attempt, "on", ctx.node);
  for (let i = ctx.restored ?? 0; i < 5; i++) {
    appendFileSync(name, String(i));
    latest = i + 1;
    if (save) await ctx.save(i + 1);
    if (i === 2 && ctx.attempt === 0) {
      console.log("waits");
      await wait();
    }
  }
  return ctx.attempt;
}

const forever = () => Bun.sleep(1e8);

export const polite = defineTask({
  run: (ctx, name) => steps(ctx, name, async () => {
    for (;; await Bun.sleep(20)) ctx.signal.throwIfAborted();
  }),
});
export const deaf = defineTask({ run: (ctx, name) => steps(ctx, name, forever) });
export const blocked = defineTask({ run: (ctx, name) => steps(ctx, name, () => { while (true); }) });
export const asked = defineTask({ run: (ctx, name) => steps(ctx, name, forever, false), checkpoint: () => latest });
export const refusing = defineTask({ run: (ctx, name) => steps(ctx, name, forever), checkpoint: () => null });
export const ranked = defineTask({
  async run(ctx) {
    if (ctx.restored) return [ctx.rank, ctx.restored];
    console.log("waits");
    for (;; await Bun.sleep(20)) ctx.signal.throwIfAborted();
  },
  checkpoint: async (ctx) => (await Bun.sleep(500), "by rank " + ctx.rank),
});
`;

async function submit(jobx: TestSlurm, task: string, options: string[] = []) {
  await jobx.file("train.ts", TRAIN);
  const id = await jobx.submit([...options, "--args", '["steps"]', `train.ts#${task}`]);
  await jobx.untilLogged(id, "waits");
  return { id, steps: () => readFileSync(join(jobx.cwd, "steps"), "utf8") };
}

const node = (name: string) => ["-o", `nodelist=${name}`, "-c", "8"];

describeSlurm("a task that keeps a state", () => {
  for (const task of ["polite", "deaf", "asked"]) {
    test(`goes on from it after a preemption: ${task}`, async () => {
      const jobx = new TestSlurm({ user: "jobxtest" });
      const { id, steps } = await submit(jobx, task, ["-p", "low", ...node("node3")]);
      const high = await jobx.submit(["-p", "high", ...node("node3"), "--", "true"]);
      expect(await jobx.wait(high)).toBe(0);
      expect(await jobx.wait(id)).toBe(0);
      expect(steps()).toBe("01234");
      expect(await jobx.json<unknown>(["result", id])).toBe(1);
      expect(jobx.log(id)).toMatch(/goes on from the state saved at \S+Z by attempt 0/);
      expect(JSON.stringify(await jobx.json(["show", id]))).not.toContain('"why":"timeout"');
    });
  }

  test("goes on after jobx interrupt, also where it blocks its event loop", async () => {
    for (const task of ["polite", "asked", "blocked"]) {
      const jobx = new TestSlurm();
      const { id, steps } = await submit(jobx, task, ["--signal-delay", "4s"]);
      await jobx.ok(["interrupt", id]);
      expect(await jobx.wait(id)).toBe(0);
      expect(steps()).toBe("01234");
      expect(await jobx.tasks(id)).toMatchObject([{ state: "succeeded", attempt: 1 }]);
    }
  });

  test("goes on after its time limit, and that counts", async () => {
    const jobx = new TestSlurm();
    const limits = ["--time", "20s", "--signal-delay", "5s", "--max-timeouts", "1"];
    for (const task of ["polite", "blocked"]) {
      const { id } = await submit(jobx, task, limits);
      expect(await jobx.wait(id, 240)).toBe(0);
      const shown = JSON.stringify(await jobx.json(["show", id]));
      expect(shown.match(/"why":"timeout"/g)).toHaveLength(1);
    }
  });

  test("goes on from its last save on another node when its node dies", async () => {
    const jobx = new TestSlurm();
    const { id, steps } = await submit(jobx, "deaf");
    const name = /on (node\d)/.exec(jobx.log(id))?.[1] ?? "";
    await killNode(name);
    try {
      expect(await jobx.wait(id, 240)).toBe(0);
    } finally {
      await startNode(name);
    }
    expect(steps()).toBe("01234");
    expect(jobx.log(id)).not.toContain(`attempt 1 on ${name}`);
  });

  test("is not run again when it asks for that, although Slurm does so", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    const { id, steps } = await submit(jobx, "refusing", ["-p", "low", ...node("node3")]);
    const high = await jobx.submit(["-p", "high", ...node("node3"), "--", "true"]);
    expect(await jobx.wait(high)).toBe(0);
    expect(await jobx.wait(id)).toBe(1);
    expect(steps()).toBe("012");
    const [task] = await jobx.tasks(id);
    expect(task?.reason).toContain("asked not to be run again");
  });

  test("has rank 0 alone asked, and all ranks go on from its answer", async () => {
    const jobx = new TestSlurm();
    const { id } = await submit(jobx, "ranked", ["--nodes", "2", "--ranks-per-node", "2"]);
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

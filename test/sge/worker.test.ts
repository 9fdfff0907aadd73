import { expect, test } from "bun:test";

import { admin } from "../helpers/cluster.ts";
import { describeSge, killNode, startNode, TestSge, untilNativeState } from "../helpers/sge.ts";

/** Counts its runs in the checkpoint folder, leaves when it is warned, and ends by itself in its second run. */
const RESUMES = `
n=$(cat $JOBX_CHECKPOINT_DIR/n 2>/dev/null || echo 0)
echo $((n + 1)) >$JOBX_CHECKPOINT_DIR/n
echo "run $n of attempt $JOBX_ATTEMPT on $JOBX_NODE"
test $n -gt 0 && exit 0
trap 'exit 85' USR2
while :; do sleep 0.1; done
`;

/** Waits in its first attempt, and gives back in the next one what it has saved or was asked for. */
const TRAIN = `
import { defineTask } from "jobx";
async function untilWarned(ctx) {
  console.log("waits");
  for (;; await Bun.sleep(20)) ctx.signal.throwIfAborted();
}
export const polite = defineTask({
  async run(ctx) {
    if (ctx.restored) return [ctx.attempt, ctx.restored];
    await ctx.save("saved 0");
    await untilWarned(ctx);
  },
});
export const asked = defineTask({
  async run(ctx) {
    if (ctx.restored) return [ctx.attempt, ctx.restored];
    console.log("waits");
    await Bun.sleep(1e8);
  },
  checkpoint: () => "saved 1",
});
`;

describeSge("a worker in an allocation", () => {
  test("leaves when its job is rescheduled, and goes on from its checkpoint", async () => {
    const jobx = new TestSge({ user: "jobxsge" });
    const id = await jobx.submit(["--array", "0-1", "--", "sh", "-c", RESUMES]);
    await jobx.untilLogged(id, "run 0");
    await jobx.untilLogged(id, "run 0", "1.out");
    const [native = ""] = await jobx.natives(id);
    await admin("qmod", "-rj", `${native}.1`);
    await jobx.untilLogged(id, "run 1 of attempt 1");
    await jobx.ok(["cancel", `${id}.1`]);
    expect(await jobx.wait(id, 60)).toBe(1);
    expect(await jobx.tasks(id)).toMatchObject([{ state: "succeeded", attempt: 1 }, { state: "cancelled" }]);
    expect(jobx.log(id, "1.out")).not.toContain("run 1");
  });

  test("calls a function again with the state that it left behind", async () => {
    const jobx = new TestSge({ user: "jobxsge" });
    await jobx.file("train.ts", TRAIN);
    for (const [at, name] of ["polite", "asked"].entries()) {
      const id = await jobx.submit([`train.ts#${name}`]);
      await jobx.untilLogged(id, "waits");
      await admin("qmod", "-rj", ...(await jobx.natives(id)));
      expect(await jobx.wait(id)).toBe(0);
      expect(await jobx.json<unknown>(["result", id])).toEqual([1, `saved ${at}`]);
    }
  });

  test("moves away, when its queue is suspended, by its checkpointing environment", async () => {
    const jobx = new TestSge();
    const low = ["-o", "queue=ckpt.q", "-o", "l=ckpted,hostname=sge2", "-o", "ckpt=move"];
    const id = await jobx.submit([...low, "--", "sh", "-c", RESUMES]);
    await jobx.untilLogged(id, "run 0");
    // One that Grid Engine does not know to have started it suspends without moving it.
    const [native = ""] = await jobx.natives(id);
    await untilNativeState(native, "r");
    const high = await jobx.submit(["-o", "l=hostname=sge2", "--", "sleep", "300"]);
    await untilNativeState(native, "Rq");
    await jobx.ok(["cancel", high]);
    expect(await jobx.wait(id)).toBe(0);
    expect(await jobx.tasks(id)).toMatchObject([{ state: "succeeded", attempt: 1 }]);
  });

  test("goes on where it was after a suspension, which tasks need not know of", async () => {
    const jobx = new TestSge();
    const script = "echo started; sleep 1; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done; echo done";
    const id = await jobx.submit(["--", "sh", "-c", script]);
    await jobx.untilLogged(id, "started");
    const [native = ""] = await jobx.natives(id);
    await admin("qmod", "-sj", native);
    await untilNativeState(native, "s");
    await admin("qmod", "-usj", native);
    expect(await jobx.wait(id)).toBe(0);
    expect(jobx.log(id)).toBe("started\ndone\n");
  });

  test("is run again for want of time, and counts its timeouts", async () => {
    const jobx = new TestSge();
    const limits = ["--time", "3s", "--signal-delay", "1s", "--max-timeouts", "1"];
    const script = "echo run >>$JOBX_CHECKPOINT_DIR/runs; sleep 300";
    const id = await jobx.submit([...limits, "--", "sh", "-c", script]);
    expect(await jobx.wait(id, 60)).toBe(1);
    expect(await jobx.tasks(id)).toMatchObject([{ state: "timeout", attempt: 1 }]);
  });

  test("is followed by one on another node when its node dies", async () => {
    const jobx = new TestSge();
    const script = `test {index} = 0 && { echo once; exit 0; }; ${RESUMES}`;
    const id = await jobx.submit(["--array", "0-1", "--pack", "2/1", "--", "sh", "-c", script]);
    await jobx.untilLogged(id, "run 0", "1.out");
    // What Grid Engine does not know to have started it does not start elsewhere.
    const [native = ""] = await jobx.natives(id);
    await untilNativeState(native, "r");
    const node = /on (sge\d)/.exec(jobx.log(id, "1.out"))?.[1] ?? "";
    await killNode(node);
    try {
      expect(await jobx.wait(id)).toBe(0);
    } finally {
      await startNode(node);
    }
    expect(await jobx.tasks(id)).toMatchObject([
      { state: "succeeded", attempt: 0 },
      { state: "succeeded", attempt: 1 },
    ]);
    expect(jobx.log(id, "1.out")).not.toContain(`run 1 of attempt 1 on ${node}`);
  });
});

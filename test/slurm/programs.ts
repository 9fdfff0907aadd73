import type { TestSlurm } from "../helpers/slurm.ts";

/** Counts its runs in the checkpoint folder, leaves when it is warned, and ends by itself in its second run. */
export const RESUMES = `
n=$(cat $JOBX_CHECKPOINT_DIR/n 2>/dev/null || echo 0)
echo $((n + 1)) >$JOBX_CHECKPOINT_DIR/n
echo "run $n of attempt $JOBX_ATTEMPT on $JOBX_NODE"
test $n -gt 0 && exit 0
trap 'exit 85' USR2
while :; do sleep 0.1; done
`;
/** The same, but it listens to nothing. */
export const DEAF = RESUMES.replace("trap 'exit 85' USR2", "");

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

/** Submits one of the tasks above, and waits until its first attempt waits; `steps` are those that were made. */
export async function train(jobx: TestSlurm, task: string, options: string[] = []) {
  await jobx.file("train.ts", TRAIN);
  const id = await jobx.submit([...options, "--args", '["steps"]', `train.ts#${task}`]);
  await jobx.untilLogged(id, "waits");
  return { jobx, id, steps: () => Bun.file(`${jobx.cwd}/steps`).text() };
}

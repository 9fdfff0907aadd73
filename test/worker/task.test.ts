import { describe, expect, test } from "bun:test";

import { again, defineTask, isAgain, isTask, type Task, type TaskContext } from "../../src/worker/task.ts";

/** Submits nothing: what matters is what the compiler infers. */
function submit<Args extends unknown[], R>(_task: Task<Args, R>, ..._args: Args): R | null {
  return null;
}

describe("defineTask", () => {
  test("infers the arguments without ctx, and the result", () => {
    const train = defineTask({
      async run(ctx, args: { epochs: number }) {
        const { epoch } = ctx.restored ?? { epoch: 0 };
        return { epoch: Number(epoch) + args.epochs };
      },
    });
    const result: { epoch: number } | null = submit(train, { epochs: 3 });
    expect(result).toBeNull();
    // @ts-expect-error the argument has another name
    submit(train, { epoch: 3 });
    // @ts-expect-error ctx is not an argument
    submit(train, null, { epochs: 3 });
  });

  test("takes the state's type from the annotation of ctx", () => {
    const typed = defineTask({
      async run(ctx: TaskContext<{ n: number }>, times: number, word: string) {
        const n: number = ctx.restored?.n ?? 0;
        // @ts-expect-error the state has another shape
        if (times < 0) await ctx.save({ m: 1 });
        return word.repeat(n);
      },
      checkpoint: () => (Math.random() > 1 ? { n: 1 } : again(1, "x")),
    });
    const result: string | null = submit(typed, 1, "a");
    expect(result).toBeNull();
    defineTask({
      run: (ctx: TaskContext<{ n: number }>) => ctx.restored?.n,
      // @ts-expect-error this is not the state
      checkpoint: () => ({ m: 1 }),
    });
  });

  test("is known for a task whichever copy of the module made it", () => {
    expect(isTask(defineTask({ run: () => 1 }))).toBe(true);
    expect(isTask({ [Symbol.for("jobx.task")]: true, run: () => 1 })).toBe(true);
    for (const other of [null, { run: () => 1 }, () => 1, { [Symbol.for("jobx.task")]: true }]) {
      expect(isTask(other)).toBe(false);
    }
    expect(isAgain(again(1))).toBe(true);
    expect(isAgain({ args: [1] })).toBe(false);
  });
});

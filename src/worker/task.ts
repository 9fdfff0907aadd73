import { isMarkedTask, TASK } from "../code/task-mark.ts";
import { usageError } from "../errors.ts";
import type { JobContext } from "./context.ts";

// Registered too, so that it is known whichever copy of jobx made it.
const AGAIN: unique symbol = Symbol.for("jobx.again");

/**
 * What `run` and `checkpoint` of a task are given: the job's context, and the task's own state. Its type is
 * taken from the annotation, `run(ctx: TaskContext<{ epoch: number }>)`; without one the state is not checked.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- what an earlier attempt saved, like what JSON.parse gives
export type TaskContext<State = any> = JobContext & {
  /** The last saved state; null where there is none. The same on every rank. */
  readonly restored: State | null;
  /**
   * Keeps a state for the next attempt in place of the last one: whole or not at all, durable once the promise
   * resolves. The state is copied before `save` returns. Only rank 0 saves; on others this does nothing.
   * Rejects with PAYLOAD for what cannot be stored and STORAGE where the disk refuses; the last state then stays.
   */
  save(state: State): Promise<void>;
};

/** What `checkpoint` may answer: a state to save, null not to be run again, `again(...)`, or nothing to add to the last save. */
export type CheckpointAnswer<State, Args extends unknown[]> = State | Again<Args> | null | undefined | void;

export type TaskFunctions<Args extends unknown[], R, State> = {
  run(ctx: TaskContext<State>, ...args: Args): R | Promise<R>;
  /**
   * Asked on rank 0 when the task is preempted or its time limit is near, while `run` waits for something. Once
   * its answer is stored, the task is ended, unless it looks at `ctx.signal`: then it has 5 s to leave by itself.
   */
  checkpoint?(
    ctx: TaskContext<State>,
  ): CheckpointAnswer<State, Args> | Promise<CheckpointAnswer<State, Args>>;
};

/** A function that keeps a state across its attempts. It is called without `ctx`. */
export type Task<Args extends unknown[] = unknown[], R = unknown> = {
  readonly [TASK]: true;
  // oxlint-disable-next-line typescript/no-explicit-any -- only the task itself knows its state
  run(ctx: TaskContext<any>, ...args: Args): R | Promise<R>;
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  checkpoint?(ctx: TaskContext<any>): unknown;
};

/** The wish to be run again with other arguments. */
export type Again<Args extends unknown[] = unknown[]> = { readonly [AGAIN]: true; readonly args: Args };

/** Makes a task of a function that saves its state, and goes on from it when it is run again. */
export function defineTask<Args extends unknown[], R, State = any>( // oxlint-disable-line typescript/no-explicit-any
  functions: TaskFunctions<Args, R, State>,
): Task<Args, R> {
  checkFunctions(functions);
  return Object.freeze({ ...functions, [TASK]: true as const });
}

/** A slip would only be seen in the job, or never: a misspelt `checkpoint` is never asked. */
function checkFunctions(functions: object): void {
  const hint =
    "Write defineTask({ run(ctx, …args) { … }, checkpoint(ctx) { … } }); checkpoint may be left out";
  if (typeof functions !== "object" || functions === null)
    throw usageError(`defineTask was given ${Bun.inspect(functions)} and no object`, hint);
  for (const [name, value] of Object.entries({ run: undefined, ...functions })) {
    const isOptional = name === "checkpoint" && value === undefined;
    if (name !== "run" && name !== "checkpoint") throw usageError(`defineTask takes no ${name}`, hint);
    if (typeof value !== "function" && !isOptional)
      throw usageError(`${name} of defineTask is ${Bun.inspect(value)} and no function`, hint);
  }
}

/** From `checkpoint`: run again, with these arguments instead of those that the task was submitted with. */
export function again<Args extends unknown[]>(...args: Args): Again<Args> {
  return Object.freeze({ [AGAIN]: true as const, args });
}

/** Whether a value was made by `defineTask`. */
export function isTask(value: unknown): value is Task {
  return isMarkedTask(value) && typeof value.run === "function";
}

/** Whether a value was made by `again`. */
export function isAgain(value: unknown): value is Again {
  return (
    typeof value === "object" &&
    value !== null &&
    AGAIN in value &&
    "args" in value &&
    Array.isArray(value.args)
  );
}

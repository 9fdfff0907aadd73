import { JobxError, messageOf } from "../errors.ts";
import type { JobContext } from "./context.ts";
import { remoteErrorOf, reportError } from "./remote-error.ts";
import type { StateKeeper } from "./state-keeper.ts";
import { isAgain, type Task, type TaskContext } from "./task.ts";
import { InterruptedError, type Warning } from "./warning.ts";

export type TaskHost = {
  graph: Bun.ModuleGraph;
  context: JobContext;
  keeper: StateKeeper;
  warning: Warning;
  /** Seconds between a warning and the end. */
  noticeSeconds: number;
};

/**
 * Calls a task's `run`. On a warning its `checkpoint` is asked, and its answer stored; after that `run` has a
 * moment to leave, if it looks at its signal, and is given up. What it gives or throws by itself comes first.
 */
export async function callTask(task: Task, args: unknown[], host: TaskHost): Promise<unknown> {
  const { graph, warning } = host;
  const ctx = contextOf(host);
  const left = Promise.withResolvers<never>();
  left.promise.catch(() => {});
  let asked: Promise<void> | null = null;
  let timer: Timer | undefined;
  const running = graph.run(async () => task.run(ctx, ...args));
  warning.isAsked = task.checkpoint !== undefined;
  const forget = warning.onGiven((given) => {
    if (!task.checkpoint || ctx.rank !== 0) return;
    asked = ask(task, ctx, host, given).then((end) => {
      timer = setTimeout(() => left.reject(end), warning.isWatched ? LEAVE_MS : 0);
    });
  });
  try {
    return await Promise.race([
      running,
      left.promise.catch((error) => {
        warning.abandoned = true;
        throw error;
      }),
    ]);
  } catch (error) {
    // It has left: what it answered is to be stored before anybody hears of that.
    await asked;
    throw error;
  } finally {
    clearTimeout(timer);
    forget();
    warning.isAsked = true;
  }
}

function contextOf({ context, keeper }: TaskHost): TaskContext<unknown> {
  const own = { restored: keeper.restored, save: (state: unknown) => keeper.save(state) };
  // As descriptors: whether somebody looks at the signal matters.
  return Object.defineProperties(own, Object.getOwnPropertyDescriptors(context)) as TaskContext<unknown>;
}

/** Asks `checkpoint` and stores what it answers; gives what `run` ends with, if it has to be given up. Never rejects. */
async function ask(
  task: Task,
  ctx: TaskContext<unknown>,
  { graph, keeper, warning, noticeSeconds }: TaskHost,
  given: InterruptedError,
): Promise<InterruptedError> {
  try {
    const answer = await inTime(
      graph.run(async () => task.checkpoint?.(ctx)),
      noticeSeconds * ANSWER_SHARE,
    );
    if (answer === null) {
      warning.refused = true;
      return new InterruptedError(given.kind, `${given.message}, and checkpoint() asked not to be run again`);
    }
    if (isAgain(answer)) await keeper.callWith([...answer.args]);
    else if (answer !== undefined) await keeper.save(answer);
    return given;
  } catch (error) {
    reportError(remoteErrorOf(error));
    const what = `checkpoint() failed: ${messageOf(error)}`;
    return new InterruptedError(given.kind, `${given.message}, and ${what}`, error);
  }
}

async function inTime<T>(answer: Promise<T>, seconds: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new JobxError("WAIT_TIMEOUT", `it has not answered within ${seconds} s`)),
    seconds * 1000,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long a function that looks at its signal may take to leave once its state is stored. */
const LEAVE_MS = 5_000;
/** Of the notice, how much `checkpoint` may take to answer; the rest is for storing it and for the record. */
const ANSWER_SHARE = 0.8;

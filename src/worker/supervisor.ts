import { hostname } from "node:os";
import { resolve } from "node:path";

import type { JobSpec } from "../model/job.ts";
import { ranksOf } from "../model/resources.ts";
import { ensureDir } from "../store/files.ts";
import { readSpec } from "../store/jobs.ts";
import { jobFiles, segmentPath } from "../store/layout.ts";
import { claimElement } from "./claim.ts";
import { closeContext, type ElementContext, makeContext } from "./element-context.ts";
import { type ElementResult, ElementRun } from "./element-run.ts";
import { obeySignals } from "./element-signals.ts";
import { type Allocation, type Element, elementOf } from "./element.ts";
import { readLeftHistory } from "./handover.ts";
import { describeFailure, Recorder, STORAGE_EXIT_CODE } from "./recorder.ts";
import { takeUp } from "./recovery.ts";
import { requeueElement } from "./requeue.ts";
import { runSetup, runTeardown } from "./setup.ts";
import { openSlots } from "./slots.ts";
import { TaskLine, type Waiting } from "./task-line.ts";

/** Exit codes of a worker besides 0 (every task succeeded), 1 (some did not) and 74 (records could not be stored). */
const USAGE_EXIT_CODE = 2;
/** Tasks are left for another run of the element, or another supervisor runs it (EX_TEMPFAIL). */
const LEFT_EXIT_CODE = 75;

/**
 * Runs the tasks of one element of a job: `argv` is the job's directory. Returns the exit code, which is
 * 0 only when every task has a durable record of its success. Its own messages go to standard error, the
 * element's log.
 */
export async function runWorker(argv: string[]): Promise<number> {
  const [folder] = argv;
  if (folder === undefined) {
    say("usage: jobx _worker JOBDIR");
    return USAGE_EXIT_CODE;
  }
  const dir = resolve(folder);
  const spec = readSpec(dir);
  if (process.env.JOBX_LAUNCHED) {
    const { runLaunchedRank } = await import("./launched-rank.ts");
    return runLaunchedRank(dir, spec, process.env.JOBX_LAUNCHED);
  }
  const element = elementOf(spec, process.env);
  const claim = claimElement(dir, element.element);
  if (!claim) {
    say(`another worker already runs element ${element.element} of ${dir}`);
    return LEFT_EXIT_CODE;
  }
  try {
    return await supervise(dir, spec, element);
  } finally {
    claim.release();
  }
}

async function supervise(dir: string, spec: JobSpec, element: Element): Promise<number> {
  const node = hostname();
  const ranks = ranksOf(spec.resources);
  for (const path of [jobFiles.values(dir), jobFiles.logs(dir)]) ensureDir(path);
  const history = await readLeftHistory(dir, element, { ranks, node });
  const recorder = Recorder.create(segmentPath(dir, element.element, history.start, 0), say);
  const { waiting, result } = takeUp({ dir, spec, element, node, ranks }, history, recorder);
  const context = await makeContext(dir, spec, { node, ranks, recorder, allocation: element.allocation });

  let run: ElementRun | null = null;
  const settingUp = new AbortController();
  const slots = await openSlots({
    dir,
    spec,
    element,
    onOrder: (order) => {
      run?.obey(order);
      // A setup has nobody to set up for once every task was cancelled.
      if (run?.isOver) settingUp.abort();
    },
  });
  run = new ElementRun(context, new TaskLine(waiting), history, slots, result);
  const forget = obeySignals(run, context, settingUp);
  try {
    const outcome = await Promise.race([live(run, context, waiting, settingUp.signal), recorder.broken]);
    const failure = "record" in outcome ? outcome : await leave(run, context, result);
    if (failure) {
      context.family.signal("SIGKILL");
      say(describeFailure(failure));
      return STORAGE_EXIT_CODE;
    }
    // Without it the queue starts another supervisor for what is left.
    if (result.left === 0) await slots.done();
    return exitCodeOf(result, run, element.allocation);
  } finally {
    forget();
    await closeContext(context);
  }
}

/** Has all records on disk and, where tasks are left for another run, asks for one. */
async function leave(run: ElementRun, { recorder, allocation }: ElementContext, result: ElementResult) {
  if (result.left === 0 || !Array.isArray(allocation?.requeue) || run.isStopped) return stored(recorder);
  if (!(await recorder.settled())) return recorder.broken;
  const refusal = await requeueElement(allocation.requeue, () => run.isStopped);
  if (refusal !== null) {
    say(`the scheduler refused to run this element again: ${refusal}`);
    // After a warning the scheduler may start it again by itself.
    if (!run.isTaken) run.giveUp(refusal);
  }
  return stored(recorder);
}

/** Setup, the tasks, teardown. */
async function live(
  run: ElementRun,
  context: ElementContext,
  waiting: Waiting[],
  stop: AbortSignal,
): Promise<ElementResult> {
  const { spec, family } = context;
  const tasks = waiting.map(({ task }) => task);
  const limitSeconds = spec.resources.timeSeconds ?? null;
  const place = () => ({ environment: context.environment, cwd: context.cwd, family, limitSeconds });
  if (context.allocation?.judgesAfter) await heedPredecessors(run, context, tasks, stop);
  if (tasks.length > 0 && !run.isOver) {
    const setup = await runSetup(spec.run.setup, { ...place(), stop });
    if (setup.ok) {
      context.environment = setup.environment;
      context.cwd = setup.cwd;
    } else {
      say(setup.reason);
      // What a preemption leaves for the next run has not failed.
      if (!run.isOver) run.failAll(setup.reason);
    }
  }
  run.begin();
  const result = await run.finished;
  if (tasks.length > 0) for (const failure of await runTeardown(spec.run.teardown, place())) say(failure);
  return result;
}

/** Cancels the tasks whose predecessors did not end as they should have. */
async function heedPredecessors(
  run: ElementRun,
  { dir, spec }: ElementContext,
  waiting: number[],
  stop: AbortSignal,
): Promise<void> {
  const { judgeAfter } = await import("./judge-after.ts");
  const broken = await judgeAfter({ dir, spec, tasks: waiting }, stop);
  for (const { tasks, reason } of broken) run.obey({ type: "cancel", tasks, reason });
}

async function stored(recorder: Recorder) {
  try {
    if (await recorder.settled()) await recorder.close();
    else return await recorder.broken;
  } catch (error) {
    return { error, record: null };
  }
  return null;
}

function exitCodeOf(result: ElementResult, run: ElementRun, allocation: Allocation | null): number {
  const again =
    typeof allocation?.requeue === "number" && !run.isStopped ? allocation.requeue : LEFT_EXIT_CODE;
  if (result.left > 0) return again;
  return result.unsuccessful > 0 ? 1 : 0;
}

function say(text: string): void {
  process.stderr.write(`jobx: ${text}\n`);
}

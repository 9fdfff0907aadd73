import { JobxError, usageError } from "../errors.ts";
import type { Executor, ExecutorContext, ShellCommand, TaskSelection } from "../executor/contract.ts";
import { elementOfTask, packedTasks } from "../model/elements.ts";
import type { JobSpec } from "../model/job.ts";
import { isFinal } from "../model/states.ts";
import type { TaskView } from "../model/task-view.ts";
import { addCancelled, addHeld, addInterrupt, removeHeld } from "../store/jobs.ts";
import { isRequested } from "../store/requests.ts";
import { JobReader } from "./job-reader.ts";
import type { Selected } from "./select.ts";
import type { Services } from "./services.ts";
import { settle } from "./settle.ts";

/**
 * What a verb came to in one job: how many tasks it was asked for, how many it passed over because it means
 * nothing to them (a running one cannot be held), and how many had already ended.
 */
export type Control = { id: number; asked: number; passedOver: number; alreadyFinal: number };

/**
 * Cancels tasks that have not ended. The request is written down before the executor is told, so that
 * it holds whatever happens in between; what the executor did not hear it is told when this is asked for again.
 */
export async function cancelJobs(services: Services, selected: Selected[]): Promise<Control[]> {
  const open = await openTasks(services, selected, {
    lives: (task, reader) => !isFinal(reader.recordedState(task.index)),
  });
  for (const { one, tasks } of open) {
    if (tasks.length > 0) addCancelled(one.dir, one.tasks === null ? null : tasks);
  }
  await tell(services, open, (executor, selections, context) =>
    executor.cancel(selections, context).catch((error: unknown) => {
      throw isUnreachable(error) ? unheard(error, executor) : error;
    }),
  );
  return open.map(controlOf);
}

function isUnreachable(error: unknown): error is JobxError {
  return error instanceof JobxError && error.code === "UNREACHABLE";
}

function unheard(error: JobxError, { name }: Executor): JobxError {
  const hint = `It ends all the same, or never begins; jobx cancel again takes it out of the queue once ${name} answers`;
  return new JobxError(error.code, error.message, { hint, cause: error });
}

/** Keeps tasks that wait from starting. */
export async function holdJobs(services: Services, selected: Selected[]): Promise<Control[]> {
  const open = await openTasks(services, selected, { fits: (task) => task.state === "queued" });
  for (const { one, tasks } of open) {
    if (tasks.length > 0) addHeld(one.dir, one.tasks === null ? null : tasks);
  }
  await tell(services, open, (executor, selections, context) =>
    able(executor, executor.hold, "hold tasks").call(executor, selections, context),
  );
  return open.map(controlOf);
}

/** Lets held tasks start. */
export async function releaseJobs(services: Services, selected: Selected[]): Promise<Control[]> {
  const open = await openTasks(services, selected, { fits: isHeld });
  for (const { one, tasks } of open) {
    if (tasks.length > 0) removeHeld(one.dir, one.tasks === null ? null : tasks);
  }
  await tell(services, open, (executor, selections, context) =>
    able(executor, executor.release, "release tasks").call(executor, selections, context),
  );
  return open.map(controlOf);
}

/** Sends running tasks the warning that comes before a preemption or the time limit, to try out checkpointing. */
export async function interruptJobs(
  services: Services,
  selected: Selected[],
  kind: "preempted" | "timeout",
): Promise<Control[]> {
  const open = await openTasks(services, selected, { fits: (task) => task.state === "running" });
  if (open.every(({ tasks }) => tasks.length === 0)) {
    throw new JobxError("NOT_FOUND", "None of the selected tasks runs, so there is nothing to interrupt", {
      hint: `jobx status ${selected.map((one) => one.id).join(" ")} shows what they do`,
    });
  }
  const interrupt = (executor: Executor, selections: TaskSelection[], context: ExecutorContext) => {
    const verb = able(executor, executor.interrupt, "interrupt tasks");
    if (!executor.capabilities.wholeJob) for (const one of selections) addInterrupts(one, kind);
    return verb.call(executor, selections, kind, context);
  };
  // A scheduler has no signal for what waits: of a whole job it is told of the elements that run.
  await tell(services, open, interrupt, ({ one, tasks }) =>
    one.tasks === null ? tasksBeside(one.spec, tasks) : tasks,
  );
  return open.map(controlOf);
}

/** The tasks, with all that share an element with one of them. */
function tasksBeside(spec: JobSpec, tasks: number[]): number[] {
  const elements = new Set(tasks.map((task) => elementOfTask(spec, task)));
  return [...elements].flatMap((element) => [...packedTasks(spec, element)]);
}

/**
 * Tells the workers which tasks are meant: the scheduler's signal does not say that it comes of this, and reaches whole
 * elements alone. Of one that runs several tasks, its worker warns those that are meant.
 */
function addInterrupts({ job, tasks }: TaskSelection, kind: "preempted" | "timeout"): void {
  const { spec, dir } = job;
  const wanted = new Set(tasks);
  const isWhole = (task: number) =>
    [...packedTasks(spec, elementOfTask(spec, task))].every((other) => wanted.has(other));
  for (const [signalled, some] of Map.groupBy(wanted, isWhole)) {
    addInterrupt(dir, { tasks: some, kind, signalled });
  }
}

/** The command that opens a shell inside a running task. */
export async function shellFor(services: Services, selected: Selected): Promise<ShellCommand> {
  const reader = new JobReader(services.home, selected.id);
  // A task that has just begun has no record yet, but its executor knows.
  await settle(services, [reader]);
  const wanted = selected.tasks ?? Array.from({ length: selected.spec.tasks }, (_, index) => index);
  const task = wanted.find((index) => reader.task(index).state === "running");
  if (task === undefined) {
    throw new JobxError(
      "NOT_FOUND",
      `No task of job ${selected.id} runs, so there is nothing to open a shell in`,
      {
        hint: `jobx status ${selected.id} shows what it does`,
      },
    );
  }
  const executor = await services.executors.get(selected.spec.executor);
  const shell = able(executor, executor.shell, "open a shell");
  return await shell.call(executor, reader.ref, task, services.executors.contextFor(executor));
}

type Open = { one: Selected; reader: JobReader; tasks: number[]; passedOver: number; alreadyFinal: number };

type Judge = (task: TaskView, reader: JobReader) => boolean;

/** The selected tasks that have not ended and that the verb means something to, by job. */
async function openTasks(
  services: Services,
  selected: Selected[],
  { lives = isLiving, fits = () => true }: { lives?: Judge; fits?: Judge },
): Promise<Open[]> {
  const readers = selected.map((one) => new JobReader(services.home, one.id));
  await settle(services, readers);
  return selected.map((one, position) => {
    const reader = readers[position];
    if (!reader) throw new JobxError("BUG", `Job ${one.id} was not read`);
    const wanted = one.tasks ?? Array.from({ length: one.spec.tasks }, (_, index) => index);
    const living = wanted.map((index) => reader.task(index)).filter((task) => lives(task, reader));
    const tasks = living.filter((task) => fits(task, reader)).map((task) => task.index);
    return {
      one,
      reader,
      tasks,
      passedOver: living.length - tasks.length,
      alreadyFinal: wanted.length - living.length,
    };
  });
}

/** What was lost and may be submitted again can still be cancelled. */
function isLiving({ index, state }: TaskView, reader: JobReader): boolean {
  if (!isFinal(state)) return true;
  return (state === "lost" || state === "failed") && !isFinal(reader.recordedState(index));
}

/** By jobx hold, or by the scheduler's own command, which an executor's reason tells of. */
function isHeld({ index, state, reason }: TaskView, { held }: JobReader): boolean {
  return state === "queued" && (isRequested(held, index) || /\bheld\b/.test(reason ?? ""));
}

function controlOf({ one, tasks, passedOver, alreadyFinal }: Open): Control {
  return { id: one.id, asked: tasks.length, passedOver, alreadyFinal };
}

/** Calls a verb once per executor, with what is still open. */
async function tell(
  services: Services,
  open: Open[],
  verb: (executor: Executor, selections: TaskSelection[], context: ExecutorContext) => Promise<void>,
  meant: (open: Open) => number[] | null = ({ one, tasks }) => (one.tasks === null ? null : tasks),
): Promise<void> {
  const live = open.filter(({ tasks }) => tasks.length > 0);
  for (const [name, jobs] of Map.groupBy(live, ({ one }) => one.spec.executor)) {
    const executor = await services.executors.get(name);
    const selections = jobs.map((one) => ({ job: one.reader.ref, tasks: meant(one) }));
    await verb(executor, selections, services.executors.contextFor(executor));
  }
}

function able<T>(executor: Executor, verb: T | undefined, what: string): T {
  if (verb === undefined) throw usageError(`The ${executor.name} executor cannot ${what}`);
  return verb;
}

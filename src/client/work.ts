import { type CapturedFunction, captureFunction, type CaptureOptions } from "../code/capture.ts";
import { JobxError, usageError } from "../errors.ts";
import type { TaskPayload } from "../model/job.ts";
import type { SubmitInput } from "../orchestrator/submit.ts";
import { isInFunction } from "../worker/context.ts";
import { type Call, type Command, isCall, isCommand, isSequence, type Sequence, type Work } from "./calls.ts";
import { currentDriver } from "./driver.ts";

/** What the tasks of one job are: its code, and the arguments of each. */
export type TaskSet = {
  entry: SubmitInput["entry"];
  tasks: Iterable<TaskPayload>;
  count: number;
  /** What all commands say of themselves; null for functions. */
  command: Pick<Command, "cwd" | "env" | "capture"> | null;
};

/** One function called with each of the argument lists. Writes nothing. Throws USAGE or NOT_FOUND. */
export async function mapTasks(
  fn: unknown,
  rows: readonly unknown[][],
  snapshot: CaptureOptions["snapshot"],
): Promise<TaskSet> {
  const functions = await captureAll([fn], snapshot);
  const tasks = rows.map((args) => ({ params: null, line: null, args }));
  return { entry: { kind: "captured", functions }, tasks, count: rows.length, command: null };
}

/** A task for each call, command or sequence. Writes nothing. Throws USAGE or NOT_FOUND. */
export async function workTasks(
  works: readonly Work[],
  snapshot: CaptureOptions["snapshot"],
): Promise<TaskSet> {
  const commands = works.filter(isCommand);
  if (commands.length === works.length) return commandTasks(commands);
  if (commands.length > 0) {
    throw usageError(
      `${commands.length} of the ${works.length} tasks are commands, and the others functions`,
      "Submit them as two jobs: a job is one or the other",
    );
  }
  const calls: (Call | Sequence)[] = works.filter((work) => isCall(work) || isSequence(work));
  const numbers = new Map<unknown, number>();
  const numberOf = (fn: unknown) => {
    const known = numbers.get(fn) ?? numbers.size;
    numbers.set(fn, known);
    return known;
  };
  const tasks = calls.map((work): TaskPayload => {
    if (isCall(work)) return { params: null, line: null, args: [...work.args], fn: numberOf(work.fn) };
    const steps = work.calls.map((step) => ({ fn: numberOf(step.fn), args: [...step.args] }));
    return { params: null, line: null, args: [], steps };
  });
  const functions = await captureAll([...numbers.keys()], snapshot);
  return { entry: { kind: "captured", functions }, tasks, count: tasks.length, command: null };
}

/** One job has one folder, one environment and one way to treat output. */
function commandTasks(commands: readonly Command[]): TaskSet {
  const [first] = commands;
  if (!first) throw usageError("There is nothing to submit", "Give it at least one call or command");
  for (const key of ["cwd", "env", "capture"] as const) {
    const other = commands.find((each) => JSON.stringify(each[key]) !== JSON.stringify(first[key]));
    if (!other) continue;
    throw usageError(
      `The commands of one job have one ${key}, and these have ${JSON.stringify(first[key])} and ${JSON.stringify(other[key])}`,
      "Submit them as two jobs",
    );
  }
  const { cwd, env, capture } = first;
  const alone = commands.length === 1;
  return {
    entry: { kind: "command", argv: alone ? [...first.words] : [] },
    tasks: commands.map(({ words }) => ({ params: null, line: null, args: alone ? [] : [...words] })),
    count: commands.length,
    command: { cwd, env, capture },
  };
}

async function captureAll(
  functions: unknown[],
  snapshot: CaptureOptions["snapshot"],
): Promise<CapturedFunction[]> {
  const { script, modules } = currentDriver();
  const options: CaptureOptions = { cwd: process.cwd(), snapshot, modules, script };
  try {
    return await Promise.all(functions.map((fn) => captureFunction(fn, options)));
  } catch (error) {
    if (!isInFunction() || !(error instanceof JobxError) || error.code !== "USAGE") throw error;
    throw new JobxError(error.code, error.message, {
      hint: `${error.hint ?? ""}\nWithin a job only what the task's own file exports is found: export it there as well (export { f } from "./lib.ts"), or name its place: submit("lib.ts#f", …)`.trim(),
      cause: error,
    });
  }
}

import { inspect } from "node:util";

import { usageError } from "../errors.ts";
import { planJob } from "../orchestrator/plan.ts";
import { chooseExecutor, type SubmitInput, submitJob } from "../orchestrator/submit.ts";
import { isImporting } from "../worker/context.ts";
import { type Batch, type BatchOptions, runBatch } from "./batch.ts";
import { type Callable, isWork, type ValueOf, type Work } from "./calls.ts";
import { named } from "./errors.ts";
import { readOptions, show } from "./given.ts";
import { type AnyHandle, attachIn, Job } from "./job.ts";
import type { ExecutorOptions } from "./options.ts";
import { JobFiles, ready, Scope } from "./scope.ts";
import { openSession, type Session, SESSION_OPTIONS } from "./session.ts";
import { checkTables, inputFrom } from "./submit.ts";
import { mapTasks, type TaskSet, workTasks } from "./work.ts";

/**
 * Makes an executor: what submits jobs, with the options that they shall have. The configuration is read once,
 * here: files < profile < `JOBX_*` variables < these options. Throws USAGE that names every wrong option.
 */
export function createExecutor(options: ExecutorOptions = {}): Promise<Executor> {
  return named(async () => {
    const { tables } = readOptions(options);
    const session = openSession(options);
    await checkTables(session.services, tables);
    await chooseExecutor(session.services, executorOf(session, options));
    return new Executor(session, options);
  });
}

/** Submits jobs. It has no connection and nothing to close: what it submitted goes on without it. */
export class Executor {
  /** Class names are shorter in the binary. */
  protected static readonly name: string = "Executor";
  readonly #session: Session;
  readonly #options: ExecutorOptions;

  /** Use `createExecutor`. @internal */
  constructor(session: Session, options: ExecutorOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** The folder that holds its jobs. */
  get home(): string {
    return this.#session.services.home;
  }

  /** The options it was made with, those of `with` included. */
  get options(): Readonly<ExecutorOptions> {
    return this.#options;
  }

  /**
   * A new executor with some options replaced, this one unchanged. Variables of `env` and executors' tables are
   * merged; an option that is undefined is as in the configuration. Throws USAGE that names every wrong option.
   */
  with(options: ExecutorOptions): Executor {
    readOptions(options);
    const merged = merge(this.#options, options);
    const isElsewhere = SESSION_OPTIONS.some((key) => Object.hasOwn(options, key));
    return new Executor(isElsewhere ? openSession(merged) : this.#session, merged);
  }

  /** Submits a job of one task: a function and its arguments, `"file.ts#name"`, a command or a sequence. */
  submit<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Promise<Job<Awaited<R>>>;
  submit<R>(work: Work<R>): Promise<Job<R>>;
  submit<R = unknown>(reference: string, ...args: unknown[]): Promise<Job<R>>;
  submit(what: unknown, ...args: unknown[]): Promise<Job> {
    return this.#submit((snapshot) => tasksOf(what, args, snapshot));
  }

  /**
   * Submits one job with a task for each element: `map(f, [1, 2])` calls `f(1)` and `f(2)`. Further iterables give
   * further arguments; all must have the same length, and at least one element, else it throws USAGE.
   */
  map<A extends unknown[], R>(
    fn: Callable<A, R>,
    ...iterables: { [I in keyof A]: Iterable<A[I]> }
  ): Promise<Job<Awaited<R>>>;
  map<R = unknown>(reference: string, ...iterables: Iterable<unknown>[]): Promise<Job<R>>;
  map(fn: unknown, ...iterables: (Iterable<unknown> | undefined)[]): Promise<Job> {
    return this.#submit((snapshot) => mapTasks(fn, zip(iterables), snapshot));
  }

  /** Submits one job with a task for each call, command or sequence: `submitAll([call(f, 1), call(g)])`. */
  submitAll<const W extends readonly Work[]>(works: W): Promise<Job<ValueOf<W[number]>>>;
  submitAll(works: readonly Work[]): Promise<Job> {
    return this.#submit((snapshot) => workTasks(checkWorks(works), snapshot));
  }

  /**
   * Collects what is submitted in `body` and submits it as one job when that ends; gives what `body` gives. The
   * handles can be used after it: before, they throw USAGE, or with `implicit: true` what is there is submitted
   * then. A throw submits nothing.
   */
  batch<R>(body: (batch: Batch) => R | Promise<R>, options: BatchOptions = {}): Promise<R> {
    return named(() =>
      runBatch(body, options, (works) => this.#place((snapshot) => workTasks(works, snapshot))),
    );
  }

  /** What `submit` would do, as text: the request, the script and commands of the scheduler. Nothing is written. */
  plan<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Promise<string>;
  plan(what: Work | string, ...args: unknown[]): Promise<string>;
  plan(what: unknown, ...args: unknown[]): Promise<string> {
    return named(async () => {
      const input = await this.#input((snapshot) => tasksOf(what, args, snapshot));
      const { title, lines } = await planJob(this.#session.services, input);
      return [title, ...lines].join("\n");
    });
  }

  /** Finds a job of this home again, as `Job.attach` does. */
  attach<T = unknown>(selector: string | number): Promise<AnyHandle<T>> {
    return named(() => attachIn<T>(this.#session, String(selector)));
  }

  /** What a console shows. @internal */
  [inspect.custom](): string {
    return `Executor ${inspect({ home: this.home, options: this.options })}`;
  }

  #submit<T>(tasks: Tasks): Promise<Job<T>> {
    return named(async () => new Job<T>(ready(await this.#place(tasks))));
  }

  async #place(tasks: Tasks): Promise<Scope> {
    refuseWhileImporting();
    const { id } = await submitJob(this.#session.services, await this.#input(tasks));
    return new Scope(new JobFiles(this.#session, id));
  }

  async #input(tasks: Tasks): Promise<SubmitInput> {
    const { snapshot = this.#session.config.values.snapshot !== false } = this.#options;
    return inputFrom(this.#session, this.#options, await tasks(snapshot));
  }
}

/** Captures the functions of a submission. */
type Tasks = (snapshot: NonNullable<ExecutorOptions["snapshot"]>) => Promise<TaskSet>;

function executorOf({ config }: Session, { executor }: ExecutorOptions): string {
  return executor ?? (typeof config.values.executor === "string" ? config.values.executor : "auto");
}

function merge(above: ExecutorOptions, below: ExecutorOptions): ExecutorOptions {
  const merged: Record<string, unknown> = { ...above };
  for (const [key, value] of Object.entries(below)) {
    const old = merged[key];
    merged[key] = isTable(old) && isTable(value) && key !== "snapshot" ? { ...old, ...value } : value;
  }
  return merged;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

async function tasksOf(
  what: unknown,
  args: unknown[],
  snapshot: NonNullable<ExecutorOptions["snapshot"]>,
): Promise<TaskSet> {
  if (!isWork(what)) return mapTasks(what, [args], snapshot);
  if (args.length === 0) return workTasks([what], snapshot);
  throw usageError("A call, command or sequence was submitted with further arguments", "Leave them out");
}

function checkWorks(works: unknown): Work[] {
  const hint = "Write submitAll([call(f, 1), call(g)])";
  if (!Array.isArray(works)) throw usageError("submitAll was given no array", hint);
  return works.map((work: unknown) => {
    if (isWork(work)) return work;
    throw usageError(`submitAll was given ${show(work)}, which is no call, command or sequence`, hint);
  });
}

/** A job's own module must not submit it again when the job imports it. */
function refuseWhileImporting(): void {
  if (!isImporting()) return;
  throw usageError(
    "A job's module submits jobs when it is imported, so that each job would submit itself again: put that under `if (import.meta.main) { … }`",
    "Or put what submits into a file of its own",
  );
}

/** The arguments of each task. */
function zip(iterables: readonly (Iterable<unknown> | undefined)[]): unknown[][] {
  const columns = iterables.map((each, at) => {
    if (typeof each?.[Symbol.iterator] === "function") return [...each];
    const later = Reflect.has(Object(each), Symbol.asyncIterator);
    throw usageError(
      `Argument ${at + 2} of map is ${show(each)}, which cannot be iterated${later ? " without waiting" : ""}`,
      later
        ? "Collect its elements first: map(f, await Array.fromAsync(rows))"
        : "Give it an array per argument of the function: map(f, [1, 2])",
    );
  });
  const [first] = columns;
  if (!first) throw usageError("map has nothing to map over", "Give it an array: map(f, [1, 2])");
  const other = columns.find((column) => column.length !== first.length);
  if (other) {
    throw usageError(
      `map was given iterables of ${columns.map((column) => column.length).join(" and ")} elements`,
      "Each task takes one element of each: give them one length",
    );
  }
  if (first.length === 0)
    throw usageError("map was given no elements", "Leave the call out where there are none");
  return first.map((_, row) => columns.map((column) => column[row]));
}

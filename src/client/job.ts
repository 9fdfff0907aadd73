import { JobxError, usageError } from "../errors.ts";
import { formatTaskId } from "../model/selectors.ts";
import { resolveOne } from "../orchestrator/select.ts";
import { checkpointDir, jobFiles, logPath } from "../store/layout.ts";
import { named } from "./errors.ts";
import { readOptions, show } from "./given.ts";
import { Handle } from "./handle.ts";
import { infoOfJob, infoOfRank, infoOfTask, type JobInfo, type RankInfo, type TaskInfo } from "./info.ts";
import type { RetryOptions } from "./retry.ts";
import { JobFiles, ready, Scope, type ScopeSource } from "./scope.ts";
import { openSession, type Session, type SessionOptions } from "./session.ts";
import { type Submission, submissionOf } from "./submission.ts";

/** Where a job keeps what belongs to it. */
export type JobPaths = {
  dir: string;
  /** The folder of the logs of its tasks. */
  logs: string;
  /** The folder of the checkpoints of its tasks. */
  checkpoints: string;
};

/** Where a task or rank keeps what belongs to it. The files exist once it has begun. */
export type TaskPaths = {
  dir: string;
  stdout: string;
  stderr: string;
  /** Lasts across its attempts. */
  checkpoint: string;
};

/** A submitted job of one task or many. Its values are of type `T`. */
export class Job<T = unknown> extends Handle<T> {
  /** Class names are shorter in the binary. */
  protected static override readonly name: string = "Job";
  #tasks: readonly Task<T>[] | null = null;

  /** Its number within its home. */
  get id(): number {
    return this.scope.files.id;
  }

  get name(): string {
    return this.scope.reader.spec.name;
  }

  /** The name of the executor that runs it. */
  get executor(): string {
    return this.scope.reader.spec.executor;
  }

  /** The ids that the scheduler gave. */
  get nativeIds(): string[] {
    return (this.scope.reader.natives ?? []).map((native) => native.id);
  }

  /** How many tasks it has. */
  get length(): number {
    const { tasks, reader } = this.scope;
    return tasks?.length ?? reader.spec.tasks;
  }

  /** Its tasks in order. */
  get tasks(): readonly Task<T>[] {
    this.#tasks ??= this.scope.indices.map(
      (index) => new Task<T>(ready(new Scope(this.scope.files, [index]))),
    );
    return this.#tasks;
  }

  /** Its tasks in order: `for (const task of job)`. */
  [Symbol.iterator](): Iterator<Task<T>> {
    return this.tasks[Symbol.iterator]();
  }

  /** One of its tasks, by its index. Throws NOT_FOUND. */
  task(index: number): Task<T> {
    const { files, reader } = this.scope;
    reader.task(index);
    return new Task<T>(ready(new Scope(files, [index])));
  }

  get paths(): JobPaths {
    const { dir } = this.scope.files;
    return { dir, logs: jobFiles.logs(dir), checkpoints: jobFiles.checkpoints(dir) };
  }

  /** What is known of it now. */
  info(): Promise<JobInfo> {
    return this.read(infoOfJob);
  }

  /** What was submitted: its only task's command, or function and arguments. Throws USAGE for several tasks. */
  submission(): Promise<Submission> {
    return this.read((scope) => submissionOf(scope));
  }

  /** Submits it again as a new job: the same code and arguments, the given resources replaced. */
  async retry(options: RetryOptions = {}): Promise<Job<T>> {
    return new Job<T>(ready(await this.again(options)));
  }

  /**
   * Finds a job again, from any process at any time: by its id, `"last"`, or a native id (`"slurm:4211"`). A task or
   * rank is found as such (`"12.3"`, `"12.3:1"`), several tasks as a job of these (`"12.0-9"`). Throws NOT_FOUND.
   */
  static attach<T = unknown>(selector: `${bigint}.${bigint}`, options?: SessionOptions): Promise<Task<T>>;
  static attach<T = unknown>(
    selector: `${bigint}.${bigint}:${bigint}`,
    options?: SessionOptions,
  ): Promise<Rank<T>>;
  static attach<T = unknown>(
    selector: number | `${bigint}` | "last",
    options?: SessionOptions,
  ): Promise<Job<T>>;
  static attach<T = unknown>(selector: string | number, options?: SessionOptions): Promise<AnyHandle<T>>;
  static attach<T>(selector: string | number, options: SessionOptions = {}): Promise<AnyHandle<T>> {
    return named(() => {
      readOptions(options);
      if (typeof selector !== "string" && typeof selector !== "number")
        throw usageError(
          `Job.attach was given ${show(selector)}`,
          'Give it an id or selector: Job.attach("12.3")',
        );
      return attachIn<T>(openSession(options), String(selector));
    });
  }
}

/** What `attach` finds. */
export type AnyHandle<T = unknown> = Job<T> | Task<T> | Rank<T>;

/** One task of a job. */
export class Task<T = unknown> extends Handle<T> {
  /** Class names are shorter in the binary. */
  protected static override readonly name: string = "Task";
  /** As it would be typed: `"12.3"`. */
  get id(): string {
    return formatTaskId(this.scope.files.id, this.index);
  }

  /** Its place in the job, from 0. */
  get index(): number {
    return this.scope.tasks?.[0] ?? 0;
  }

  get job(): Job<T> {
    return new Job<T>(ready(new Scope(this.scope.files)));
  }

  /** Its ranks in order; mostly one. */
  get ranks(): readonly Rank<T>[] {
    const { files, tasks, ranks } = this.scope;
    return Array.from({ length: ranks }, (_, rank) => new Rank<T>(ready(new Scope(files, tasks, rank))));
  }

  /** One of its ranks. Throws NOT_FOUND. */
  rank(rank: number): Rank<T> {
    const found = this.ranks[rank];
    if (found) return found;
    throw new JobxError(
      "NOT_FOUND",
      `Task ${this.id} has no rank ${rank}: its ranks are 0 to ${this.scope.ranks - 1}`,
    );
  }

  get paths(): TaskPaths {
    return pathsOf(this.scope);
  }

  /** What is known of it now. */
  info(): Promise<TaskInfo> {
    return this.read(infoOfTask);
  }

  /** What was submitted: its command, or function and arguments. */
  submission(): Promise<Submission> {
    return this.read((scope) => submissionOf(scope));
  }

  /** Submits it again as a new job of one task. */
  async retry(options: RetryOptions = {}): Promise<Job<T>> {
    return new Job<T>(ready(await this.again(options)));
  }
}

/** One process of a task that has several. */
export class Rank<T = unknown> extends Handle<T> {
  /** Class names are shorter in the binary. */
  protected static override readonly name: string = "Rank";
  /** As it would be typed: `"12.3:1"`. */
  get id(): string {
    return this.scope.selector;
  }

  get rank(): number {
    return this.scope.rank ?? 0;
  }

  get task(): Task<T> {
    const { files, tasks } = this.scope;
    return new Task<T>(ready(new Scope(files, tasks)));
  }

  get paths(): TaskPaths {
    return pathsOf(this.scope);
  }

  /** What is known of it now. */
  info(): Promise<RankInfo> {
    return this.read(infoOfRank);
  }
}

/** What a selector names in a session's home. */
export async function attachIn<T>(session: Session, selector: string): Promise<AnyHandle<T>> {
  const { id, tasks, rank } = await resolveOne(session.services, [selector]);
  const source: ScopeSource = ready(new Scope(new JobFiles(session, id), tasks, rank));
  if (rank !== null) return new Rank<T>(source);
  // `12.3` is a task; `12.0-0` as well, since nobody can tell them apart.
  return tasks?.length === 1 ? new Task<T>(source) : new Job<T>(source);
}

function pathsOf({ files, reader, tasks, rank }: Scope): TaskPaths {
  const { dir } = files;
  const [index = 0] = tasks ?? [];
  const count = reader.spec.tasks;
  const stdout = logPath(dir, count, index, rank ?? 0, "out");
  const stderr = reader.spec.run.mergeOutput ? stdout : logPath(dir, count, index, rank ?? 0, "err");
  return { dir, stdout, stderr, checkpoint: checkpointDir(dir, count, index) };
}

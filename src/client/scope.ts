import { ranksOf } from "../model/resources.ts";
import { formatTaskId } from "../model/selectors.ts";
import { JobReader } from "../orchestrator/job-reader.ts";
import type { Selected } from "../orchestrator/select.ts";
import { jobDir } from "../store/layout.ts";
import type { Session } from "./session.ts";

/** A job's files, opened when they are first looked at, and shared by all handles of the job. */
export class JobFiles {
  readonly session: Session;
  readonly id: number;
  readonly dir: string;
  #reader: JobReader | null = null;

  constructor(session: Session, id: number) {
    this.session = session;
    this.id = id;
    this.dir = jobDir(session.services.home, id);
  }

  get reader(): JobReader {
    this.#reader ??= new JobReader(this.session.services.home, this.id);
    return this.#reader;
  }
}

/** The part of a job that a handle stands for: all of it, some of its tasks, or one rank of one task. */
export class Scope {
  readonly files: JobFiles;
  /** null: all of them. */
  readonly tasks: readonly number[] | null;
  /** null: all of them. */
  readonly rank: number | null;

  constructor(files: JobFiles, tasks: readonly number[] | null = null, rank: number | null = null) {
    this.files = files;
    this.tasks = tasks;
    this.rank = rank;
  }

  get reader(): JobReader {
    return this.files.reader;
  }

  /** The tasks that are meant, in order. */
  get indices(): readonly number[] {
    return this.tasks ?? Array.from({ length: this.reader.spec.tasks }, (_, index) => index);
  }

  /** As it would be typed. */
  get selector(): string {
    const { files, tasks, rank } = this;
    const [first] = tasks ?? [];
    if (tasks === null || first === undefined) return String(files.id);
    return tasks.length === 1
      ? formatTaskId(files.id, first, rank)
      : `${formatTaskId(files.id)}.${tasks.join(",")}`;
  }

  /** How many ranks a task has. */
  get ranks(): number {
    return ranksOf(this.reader.spec.resources);
  }

  /** As the orchestrator's verbs take it. */
  get selected(): Selected {
    const { files, tasks, rank } = this;
    const { id, dir } = files;
    return { id, dir, spec: this.reader.spec, tasks: tasks && [...tasks], rank };
  }
}

/** The scope of a handle: there already, or, in a batch, once that has been submitted. */
export type ScopeSource = {
  /** Throws where there is none yet. */
  now(): Scope;
  /** null where there is none yet. */
  peek(): Scope | null;
  get(): Promise<Scope>;
};

export function ready(scope: Scope): ScopeSource {
  return { now: () => scope, peek: () => scope, get: async () => scope };
}

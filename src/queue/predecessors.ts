import { ranksOf } from "../model/resources.ts";
import { finalOf, isFinal, type TaskState } from "../model/states.ts";
import { TaskFold } from "../model/task-fold.ts";
import { readSpec, readVerdicts } from "../store/jobs.ts";
import { JobTail } from "../store/segment-tail.ts";
import type { QueuedDependency } from "./protocol.ts";

/** What a dependency comes to: met, still open, or broken for good with the sentence that says why. */
export type Judgement = { state: "met" } | { state: "open" } | { state: "broken"; reason: string };

/** What dependencies task by task come to: tasks that may start, and those that never will, with why. */
export type Pairing = { ready: number[]; broken: Map<number, string> };

const MET: Judgement = { state: "met" };
const OPEN: Judgement = { state: "open" };

/** The records of jobs that others wait for, read as they grow. */
export class Predecessors {
  readonly #readers = new Map<string, Reader>();

  /** Judges a dependency on a whole job or on some of its tasks by the records there are now. */
  judge(dependency: QueuedDependency): Judgement {
    const { job, kind } = dependency;
    const reader = this.#open(dependency.dir);
    if (!reader) return { state: "broken", reason: `job ${job}, which it waits for, was removed` };
    const states = reader.states(dependency.tasks);
    const bad = states.find((state) => isFinal(state) && state !== "succeeded");
    if (kind === "ok" && bad) return { state: "broken", reason: `job ${job}, which it waits for, is ${bad}` };
    if (states.some((state) => !isFinal(state))) return OPEN;
    if (kind !== "fail" || bad) return MET;
    return { state: "broken", reason: `job ${job} succeeded, and it waits for that job's failure` };
  }

  /** Of the tasks in `waiting`, those whose counterpart is final. */
  pair(dependency: QueuedDependency, waiting: Iterable<number>): Pairing {
    const { dir, job } = dependency;
    const reader = this.#open(dir);
    const pairing: Pairing = { ready: [], broken: new Map() };
    for (const task of waiting) {
      const state = reader?.state(task) ?? "lost";
      if (state === "succeeded") pairing.ready.push(task);
      else if (!reader) pairing.broken.set(task, `job ${job}, which it waits for, was removed`);
      else if (isFinal(state))
        pairing.broken.set(task, `task ${job}.${task}, which it waits for, is ${state}`);
    }
    return pairing;
  }

  /** Forgets the records of all jobs but these. */
  keep(dirs: Set<string>): void {
    for (const dir of this.#readers.keys()) if (!dirs.has(dir)) this.#readers.delete(dir);
  }

  #open(dir: string): Reader | null {
    let reader = this.#readers.get(dir);
    if (!reader) {
      const made = Reader.open(dir);
      if (!made) return null;
      reader = made;
      this.#readers.set(dir, reader);
    }
    try {
      reader.refresh();
    } catch {
      // Judged by what was read before: what cannot be read now is looked at again.
    }
    return reader;
  }
}

/** One job's records and verdicts. */
export class Reader {
  readonly fold: TaskFold;
  readonly #dir: string;
  readonly #tail: JobTail;

  private constructor(dir: string, fold: TaskFold) {
    this.#dir = dir;
    this.fold = fold;
    this.#tail = new JobTail(dir);
  }

  /** Null when the job is gone or cannot be read. */
  static open(dir: string): Reader | null {
    try {
      const spec = readSpec(dir);
      return new Reader(dir, new TaskFold(spec.tasks, ranksOf(spec.resources)));
    } catch {
      return null;
    }
  }

  refresh(): void {
    for (const record of this.#tail.poll().records) this.fold.add(record);
    for (const verdict of readVerdicts(this.#dir).values()) this.fold.addVerdict(verdict);
  }

  state(task: number): TaskState {
    return this.fold.stateOf(task);
  }

  states(tasks: number[] | null): TaskState[] {
    const indices = tasks ?? Array.from({ length: this.fold.tasks }, (_, index) => index);
    return indices.map((task) => this.fold.stateOf(task));
  }

  get finals(): number {
    return finalOf(this.fold.counts());
  }
}

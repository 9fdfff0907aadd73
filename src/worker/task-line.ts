import type { AgainRecord } from "../model/records.ts";

/** Tasks of a job; null means all, as on the wire. */
type Tasks = number[] | null;

/** A set of tasks that may be "all of them, but for these". */
class TaskSet {
  #all = false;
  readonly #exceptions = new Set<number>();

  has(task: number): boolean {
    return this.#all !== this.#exceptions.has(task);
  }

  add(tasks: Tasks): void {
    this.#change(tasks, true);
  }

  delete(tasks: Tasks): void {
    this.#change(tasks, false);
  }

  get isEmpty(): boolean {
    return !this.#all && this.#exceptions.size === 0;
  }

  #change(tasks: Tasks, member: boolean): void {
    if (tasks === null) {
      this.#all = member;
      this.#exceptions.clear();
      return;
    }
    for (const task of tasks) {
      if (this.#all === member) this.#exceptions.delete(task);
      else this.#exceptions.add(task);
    }
  }
}

/** A task and the attempt to be made at it; `why` is how the one before ended, and `after` its records where it ran here. */
export type Waiting = { task: number; attempt: number; why?: string; after?: AgainRecord[] };

/** The tasks that wait for a slot, in order, and which of them may not start. */
export class TaskLine {
  #waiting: Waiting[];
  #head = 0;
  /** Tasks whose turn came while they were held. */
  #parked: Waiting[] = [];
  readonly #held = new TaskSet();
  /** Those that wait for a task of another job: apart from what people hold and release. */
  readonly #blocked = new TaskSet();

  constructor(waiting: Waiting[]) {
    this.#waiting = waiting;
  }

  /** How many could start, if nothing stood in their way but slots. At most `enough` are counted. */
  startable(enough: number): number {
    if (this.#held.isEmpty && this.#blocked.isEmpty)
      return Math.min(enough, this.#waiting.length - this.#head);
    let count = 0;
    for (let index = this.#head; index < this.#waiting.length && count < enough; index++) {
      const entry = this.#waiting[index];
      if (entry && this.#mayStart(entry)) count++;
    }
    return count;
  }

  /** Whether any task waits, held ones included. */
  get isEmpty(): boolean {
    return this.#head >= this.#waiting.length && this.#parked.length === 0;
  }

  /** Whether all that wait are held. */
  get isHeld(): boolean {
    return !this.isEmpty && this.startable(1) === 0;
  }

  next(): Waiting | null {
    for (;;) {
      const entry = this.#waiting[this.#head];
      if (!entry) return null;
      this.#head++;
      if (this.#head > TRIM_AFTER) this.#trim();
      if (this.#mayStart(entry)) return entry;
      this.#parked.push(entry);
    }
  }

  /** Lines a task up behind the others. */
  push(entry: Waiting): void {
    this.#waiting.push(entry);
  }

  /** Takes these tasks out of the line. */
  remove(includes: (task: number) => boolean): Waiting[] {
    const all = [...this.#parked, ...this.#waiting.slice(this.#head)];
    this.#parked = [];
    this.#head = 0;
    this.#waiting = all.filter((entry) => !includes(entry.task));
    return all.filter((entry) => includes(entry.task));
  }

  hold(tasks: Tasks): void {
    this.#held.add(tasks);
  }

  /** Lets held tasks start: those whose turn had come go first. */
  release(tasks: Tasks): void {
    this.#held.delete(tasks);
    this.#unpark();
  }

  /** Keeps tasks back whatever people hold and release. */
  block(tasks: number[]): void {
    this.#blocked.add(tasks);
  }

  unblock(tasks: number[]): void {
    this.#blocked.delete(tasks);
    this.#unpark();
  }

  #mayStart(entry: Waiting): boolean {
    return !this.#held.has(entry.task) && !this.#blocked.has(entry.task);
  }

  #unpark(): void {
    const due = this.#parked.filter((entry) => this.#mayStart(entry));
    if (due.length === 0) return;
    this.#parked = this.#parked.filter((entry) => !this.#mayStart(entry));
    this.#waiting = [...due, ...this.#waiting.slice(this.#head)];
    this.#head = 0;
  }

  /** Sets what is held to exactly these tasks. */
  setHeld(tasks: Tasks | "none"): void {
    this.#held.delete(null);
    if (tasks !== "none") this.#held.add(tasks);
    this.release([]);
  }

  #trim(): void {
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }
}

const TRIM_AFTER = 10_000;

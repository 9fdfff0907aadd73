import type { SegmentRecord, Verdict } from "./records.ts";
import { type Counts, isFinal, noCounts, TASK_STATES, type TaskState } from "./states.ts";
import { later, rankView, stateOfRanks, viewOfTask } from "./task-state.ts";
import type { TaskView } from "./task-view.ts";

/**
 * What the records of a job say, in whatever order they come: of each rank the first success, else the latest
 * attempt. It keeps one record per rank that has any and one byte per
 * task, and its counts are always current. Records and verdicts of tasks or ranks that the job does not
 * have are passed over.
 */
export class TaskFold {
  readonly tasks: number;
  readonly ranks: number;
  /** The record that counts, by task x ranks + rank. */
  readonly #best = new Map<number, SegmentRecord>();
  /** When a task first began, where other attempts followed. */
  readonly #began = new Map<number, string>();
  readonly #verdicts = new Map<number, Verdict>();
  /** Index into TASK_STATES, by task. */
  readonly #states: Uint8Array;
  readonly #counts = noCounts();

  constructor(tasks: number, ranks: number) {
    this.tasks = tasks;
    this.ranks = ranks;
    this.#states = new Uint8Array(tasks);
    this.#counts.queued = tasks;
  }

  add(record: SegmentRecord): void {
    if (!this.#has(record.task) || record.rank < 0 || record.rank >= this.ranks) return;
    const key = record.task * this.ranks + record.rank;
    const before = this.#best.get(key);
    if (before && before.startedAt !== record.startedAt) this.#keepBegan(before, record);
    const now = later(before, record);
    if (now === before) return;
    this.#best.set(key, now);
    this.#update(record.task);
  }

  /** A final state from the scheduler; it counts as long as the records give none, and none began after it. */
  addVerdict(verdict: Verdict): void {
    if (!this.#has(verdict.task)) return;
    this.#verdicts.set(verdict.task, verdict);
    this.#update(verdict.task);
  }

  /** How many tasks are in each state: a copy. */
  counts(): Counts {
    return { ...this.#counts };
  }

  /** The state of one task, without the cost of its view. */
  stateOf(index: number): TaskState {
    return TASK_STATES[this.#states[index] ?? 0] ?? "queued";
  }

  view(index: number): TaskView {
    const ranks = this.#ranksOf(index);
    const view = viewOfTask(index, ranks);
    const verdict = this.#verdicts.get(index);
    if (!verdict) return view;
    if (isFinal(view.state)) return { ...view, native: verdict.native };
    if (!this.#counted(index, verdict)) return view;
    const { state, reason, native, endedAt } = verdict;
    const seconds = view.startedAt === null ? null : secondsBetween(view.startedAt, endedAt);
    // The one that it waited for never began.
    const attempt = Math.max(0, ...ranks.map(({ record }) => record?.attempt ?? 0));
    return { ...view, state, attempt, reason, native, node: verdict.node ?? view.node, endedAt, seconds };
  }

  /**
   * When the first attempt of a task began, and when the last one ended where it has, without the cost of its view where
   * that can be.
   */
  timesOf(index: number): Pick<TaskView, "startedAt" | "endedAt"> {
    const { startedAt, endedAt } = this.#lastTimesOf(index);
    return { startedAt: this.#began.get(index) ?? startedAt, endedAt };
  }

  #lastTimesOf(index: number): Pick<TaskView, "startedAt" | "endedAt"> {
    if (this.ranks > 1 || this.#verdicts.has(index)) return this.view(index);
    const record = this.#best.get(index);
    return {
      startedAt: record?.startedAt ?? null,
      endedAt: record?.kind === "result" ? record.endedAt : null,
    };
  }

  #keepBegan(...records: SegmentRecord[]): void {
    for (const { task, startedAt } of records) {
      const known = this.#began.get(task);
      if (known === undefined || startedAt < known) this.#began.set(task, startedAt);
    }
  }

  #has(task: number): boolean {
    return Number.isInteger(task) && task >= 0 && task < this.tasks;
  }

  #update(task: number): void {
    const before = this.stateOf(task);
    let now = this.ranks === 1 ? rankView(this.#best.get(task), 0).state : stateOfRanks(this.#ranksOf(task));
    const verdict = this.#verdicts.get(task);
    if (verdict && !isFinal(now) && this.#counted(task, verdict)) now = verdict.state;
    if (now === before) return;
    this.#counts[before]--;
    this.#counts[now]++;
    this.#states[task] = TASK_STATES.indexOf(now);
  }

  #ranksOf(task: number) {
    return Array.from({ length: this.ranks }, (_, rank) =>
      rankView(this.#best.get(task * this.ranks + rank), rank),
    );
  }

  /** Whether no attempt began after the verdict: the task may have been submitted once more since. */
  #counted(task: number, verdict: Verdict): boolean {
    const end = Date.parse(verdict.endedAt);
    for (let rank = 0; rank < this.ranks; rank++) {
      const record = this.#best.get(task * this.ranks + rank);
      if (record && Date.parse(record.startedAt) > end) return false;
    }
    return true;
  }
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

import { JobxError } from "../errors.ts";
import type { JobRef } from "../executor/contract.ts";
import { packedTasks } from "../model/elements.ts";
import type { JobSpec, NativeId } from "../model/job.ts";
import type { Verdict } from "../model/records.ts";
import { ranksOf } from "../model/resources.ts";
import {
  type Counts,
  finalOf,
  type FinalState,
  isFinal,
  jobStateOf,
  type TaskState,
} from "../model/states.ts";
import { TaskFold } from "../model/task-fold.ts";
import type { TaskView } from "../model/task-view.ts";
import {
  readCancelled,
  readHeld,
  readNative,
  readSpec,
  readVerdicts,
  verdictsVersion,
} from "../store/jobs.ts";
import { jobDir } from "../store/layout.ts";
import type { RequestedTasks } from "../store/requests.ts";
import type { Damage } from "../store/segment-reader.ts";
import { JobTail } from "../store/segment-tail.ts";

/** What the executor said of a task that has no final record, laid over what the records say. */
export type Overlay = {
  state: TaskState;
  reason: string | null;
  native: string | null;
  node: string | null;
  /** Of a lost task that a running wait would submit again: why it was lost, which is its end should nobody do so. */
  lost?: { state: FinalState; reason: string };
};

/**
 * One job as its files tell it, kept current by `refresh`, which reads only what is new. The records
 * beat the executor, so what the executor says is an overlay for tasks that are not final.
 */
export class JobReader {
  readonly id: number;
  readonly dir: string;
  readonly spec: JobSpec;
  readonly damage: Damage[] = [];
  natives: NativeId[] | null;
  /** Tasks that somebody asked to cancel; "all" for the whole job. */
  cancelled: RequestedTasks = null;
  held: RequestedTasks = null;
  /** By task, for tasks without a final record. */
  readonly overlays = new Map<number, Overlay>();
  /** For every other task that, by the records, waits. */
  rest: Overlay | null = null;
  /** Whether the job's end has been written down. */
  summarised = false;
  readonly #fold: TaskFold;
  readonly #tail: JobTail;
  #verdictsSeen = "";
  readonly #missingSince = new Map<number, number>();

  constructor(home: string, id: number) {
    this.id = id;
    this.dir = jobDir(home, id);
    this.spec = readSpec(this.dir);
    this.natives = readNative(this.dir)?.natives ?? null;
    this.#fold = new TaskFold(this.spec.tasks, ranksOf(this.spec.resources));
    this.#tail = new JobTail(this.dir);
    this.refresh();
  }

  /** Reads what has been written since the last time, `afresh` as `JobTail` has it; true when something was new. */
  refresh(options: { afresh?: boolean } = {}): boolean {
    this.natives ??= readNative(this.dir)?.natives ?? null;
    const { records, damage } = this.#tail.poll(options);
    for (const record of records) {
      this.#fold.add(record);
      // What the executor said of the task is older than its record.
      this.overlays.delete(record.task);
    }
    this.damage.push(...damage);
    return this.#refreshVerdicts() || records.length > 0;
  }

  /** Reads the requests that stand beside the records: cancelled and held tasks. */
  refreshRequests(): void {
    this.cancelled = readCancelled(this.dir);
    this.held = readHeld(this.dir);
  }

  /** Reads the native ids anew: another process may have submitted what was lost. */
  refreshNatives(): void {
    this.natives = readNative(this.dir)?.natives ?? this.natives;
  }

  addVerdict(verdict: Verdict): void {
    this.#fold.addVerdict(verdict);
    this.overlays.delete(verdict.task);
  }

  /** The executor knows the element: nothing of it is missing. */
  seen(element: number): void {
    this.#missingSince.delete(element);
  }

  /** Whether an element has been over, with records missing, for longer than `graceSeconds`. */
  overdue(element: number, graceSeconds: number): boolean {
    const now = performance.now();
    const since = this.#missingSince.get(element) ?? now;
    this.#missingSince.set(element, since);
    return now - since >= graceSeconds * 1000;
  }

  /** Others give verdicts too, the local queue among them: a wait that began earlier must see them. */
  #refreshVerdicts(): boolean {
    const version = verdictsVersion(this.dir);
    if (version === this.#verdictsSeen) return false;
    this.#verdictsSeen = version;
    for (const verdict of readVerdicts(this.dir).values()) this.addVerdict(verdict);
    return true;
  }

  get ref(): JobRef {
    const { id, dir, spec } = this;
    return { id, dir, spec, natives: this.natives ?? [], isOpen: (element) => this.#isOpen(element) };
  }

  /** Whether an element of a job with an array still has tasks without a final record. */
  #isOpen(element: number): boolean {
    for (const task of packedTasks(this.spec, element)) {
      if (!isFinal(this.#fold.stateOf(task))) return true;
    }
    return false;
  }

  /** Counts by state, from records and verdicts and, for the rest, from the overlays. */
  get counts(): Counts {
    const counts = { ...this.#fold.counts() };
    let waiting = counts.queued;
    for (const [task, overlay] of this.overlays) {
      const recorded = this.#fold.stateOf(task);
      if (recorded === "queued") waiting--;
      counts[recorded]--;
      counts[overlay.state]++;
    }
    if (this.rest) {
      counts.queued -= waiting;
      counts[this.rest.state] += waiting;
    }
    return counts;
  }

  get state(): TaskState {
    return jobStateOf(this.counts);
  }

  get isFinal(): boolean {
    return finalOf(this.#fold.counts()) === this.spec.tasks;
  }

  /** The state that records and verdicts alone give a task. */
  recordedState(task: number): TaskState {
    return this.#fold.stateOf(task);
  }

  /** What its last attempt left it for, by the records, where it waits for another; null otherwise. */
  partingReason(task: number): string | null {
    const { state, attempt, reason } = this.#fold.view(task);
    return state === "queued" && attempt > 0 ? reason : null;
  }

  /** When the first attempt of a task began and its last one ended, by its records and verdicts. */
  timesOf(task: number): Pick<TaskView, "startedAt" | "endedAt"> {
    return this.#fold.timesOf(task);
  }

  task(index: number): TaskView {
    if (!Number.isInteger(index) || index < 0 || index >= this.spec.tasks) {
      throw new JobxError(
        "NOT_FOUND",
        `Job ${this.id} has no task ${index}: its tasks are 0 to ${this.spec.tasks - 1}`,
      );
    }
    const view = this.#fold.view(index);
    const overlay = this.overlays.get(index) ?? (view.state === "queued" ? this.rest : null);
    if (!overlay) return view;
    const { state, native, node } = overlay;
    // What it goes on from is in its record; why it does not yet is the executor's to say.
    const told = [state === "queued" ? view.reason : null, overlay.reason].filter((each) => each !== null);
    const reason = told.length > 0 ? told.join("; ") : null;
    return { ...view, state, reason, native, node: node ?? view.node };
  }
}

import { unreachable } from "../errors.ts";
import type { AgainRecord, ResultRecord } from "../model/records.ts";
import type { Slot, SlotSource, Tasks, WorkerOrder } from "../queue/protocol.ts";
import { isRequested } from "../store/requests.ts";
import { Attempt, type AttemptEnd } from "./attempt.ts";
import type { ElementContext } from "./element-context.ts";
import { type Allocation, secondsUntilEnd } from "./element.ts";
import type { ElementHistory } from "./history.ts";
import { judge } from "./outcome.ts";
import { type History, NO_HISTORY } from "./policy.ts";
import { neverRan, type RankEnd } from "./rank.ts";
import type { TaskLine, Waiting } from "./task-line.ts";
import { WishReader } from "./wishes.ts";

/** How the tasks of an element have ended, counted. `left`: tasks that another run must take up. */
export type ElementResult = { succeeded: number; unsuccessful: number; left: number };

/** Runs an element's tasks in order, one per slot, until every one has its record or it is told to stop. */
export class ElementRun {
  readonly finished: Promise<ElementResult>;
  readonly #result: ElementResult;
  #finish: (result: ElementResult) => void = () => undefined;
  readonly #running = new Map<number, Attempt>();
  readonly #histories = new Map<number, History>();
  /** Attempts to be followed by one in another run of the element. */
  readonly #left: AgainRecord[] = [];
  #idle: Slot[] = [];
  #reclaim = 0;
  #wanted = -1;
  readonly #wishes: WishReader;
  #preempted = false;
  #stopped = false;
  /** Nothing starts any more: the allocation is about to end, and what waits is for its next run. */
  #leaving = false;
  #begun = false;
  #looking = false;

  readonly #context: ElementContext;
  readonly #line: TaskLine;
  readonly #slots: SlotSource;

  constructor(
    context: ElementContext,
    line: TaskLine,
    history: ElementHistory,
    slots: SlotSource,
    result: ElementResult,
  ) {
    this.#context = context;
    this.#line = line;
    this.#slots = slots;
    this.#result = result;
    this.#wishes = new WishReader(context.dir);
    for (const [task, { failures, timeouts, losses }] of history.tasks) {
      this.#histories.set(task, { failures, timeouts, losses });
    }
    this.finished = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Lets tasks start; orders that came earlier are kept. */
  begin(): void {
    this.#begun = true;
    this.#heedWishes();
    this.#pump();
  }

  /** Gives every task that waits this end: the element cannot run any. */
  failAll(reason: string): void {
    this.#endWaiting(() => true, { cause: null, causeReason: null, end: neverRan(reason) });
  }

  obey(order: WorkerOrder): void {
    switch (order.type) {
      case "grant":
        this.#idle.push(...order.slots);
        break;
      case "reclaim":
        this.#reclaim += order.count;
        break;
      case "cancel":
        this.#cancel(includes(order.tasks), order.reason ?? "cancelled");
        break;
      case "hold":
        this.#line.hold(order.tasks);
        break;
      case "release":
        this.#line.release(order.tasks);
        break;
      case "block":
        this.#line.block(order.tasks);
        break;
      case "unblock":
        this.#line.unblock(order.tasks);
        break;
      case "interrupt":
        for (const attempt of this.#select(order.tasks)) attempt.interrupt(order.kind);
        break;
      default:
        unreachable(order);
    }
    this.#pump();
  }

  /** The node is about to be taken away, or the limit is near: tasks may save their state and leave. */
  preempt(kind: "preempted" | "timeout" = "preempted"): void {
    const { allocation } = this.#context;
    this.#leaving = allocation !== null;
    // Some schedulers warn of a cancellation as well.
    if (allocation) this.#heedWishes();
    if (kind === "preempted" && allocation?.endsAt === null && allocation.timeLeft) {
      void this.#learnLimit(allocation, allocation.timeLeft).then(() => this.#warn(kind));
    } else this.#warn(kind);
  }

  #warn(kind: "preempted" | "timeout"): void {
    const { spec } = this.#context;
    const limitIsNear = this.#timeLeft() < (spec.run.signalDelaySeconds + EARLY_SECONDS) * 1000;
    const why = limitIsNear ? "timeout" : kind;
    this.#preempted ||= why === "preempted";
    for (const attempt of this.#running.values()) {
      attempt.warn(why);
      if (limitIsNear) attempt.endWithin(this.#context.allocation);
    }
    this.#pump();
  }

  /** A limit that nobody asked for is the site's, and only the scheduler knows it. */
  async #learnLimit(allocation: Allocation, words: string[]): Promise<void> {
    const { askTimeLeft } = await import("./time-left.ts");
    const seconds = await askTimeLeft(words);
    allocation.endsAt = performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000;
  }

  /**
   * Ends everything. After a preemption what waits is left for the next run, else it is cancelled. In an
   * allocation only what jobx was asked to cancel is: the scheduler may have ended it for any reason.
   */
  stop(): void {
    const reason = "the supervisor was asked to end (SIGTERM)";
    this.#stopped = true;
    this.#begun = true;
    if (this.#context.allocation) return this.#leaveAllocation();
    for (const attempt of this.#running.values()) {
      attempt.stop(this.#preempted ? "preempted" : "cancelled", this.#preempted ? "preempted" : reason);
    }
    if (!this.#preempted) this.#endWaiting(() => true, cancelledEnd(reason));
    this.#pump();
  }

  #leaveAllocation(): void {
    this.#heedWishes();
    for (const attempt of this.#running.values()) attempt.stop("ended", "ended by the scheduler (SIGTERM)");
    this.#pump();
  }

  /** Whether the allocation was ended, or will be: to run again is the scheduler's to decide. */
  get isTaken(): boolean {
    return this.#stopped || this.#preempted;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Records that what was left to another run has ended, since there will be none, and why. */
  giveUp(why: string): void {
    for (const { kind: _kind, why: cause, reason, ...record } of this.#left) {
      this.#context.recorder.ended([
        {
          ...record,
          kind: "result",
          status: cause === "timeout" ? "timeout" : "failed",
          reason: `${reason}; it could not be run again: ${why}`,
          value: null,
          error: null,
          usage: null,
        },
      ]);
    }
  }

  /** Whether no task runs: before the first, while setup runs, and after the last. */
  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Whether nothing is left to run: every task has its record, or is left for another run. */
  get isOver(): boolean {
    return this.isIdle && (this.#line.isEmpty || this.#isClosed);
  }

  get #isClosed(): boolean {
    return this.#stopped || this.#leaving;
  }

  #pump(): void {
    if (!this.#begun) return;
    if (!this.#isClosed) while (this.#startOne());
    if (this.isOver) return this.#conclude();
    this.#settleSlots();
    this.#lookAtFolder();
  }

  #startOne(): boolean {
    const { parallel } = this.#context.spec.run;
    if (this.#idle.length === 0 || (parallel !== null && this.#running.size >= parallel)) return false;
    if (this.#line.startable(1) === 0) return false;
    this.#heedWishes();
    const next = this.#line.next();
    const slot = this.#idle.pop();
    if (!next || !slot) {
      if (slot) this.#idle.push(slot);
      return false;
    }
    this.#start(next, slot);
    return true;
  }

  #start({ task, attempt: number, why }: Waiting, slot: Slot): void {
    const attempt = new Attempt(this.#context, task, number, slot, why);
    this.#running.set(task, attempt);
    void attempt
      .run(() => this.#running.size === 1)
      .then((end) => {
        this.#running.delete(task);
        this.#settleAttempt(attempt, end);
        this.#idle.push(slot);
        this.#pump();
      });
  }

  #settleAttempt(attempt: Attempt, end: AttemptEnd): void {
    const context = this.#context;
    const { task } = attempt;
    const history = this.#histories.get(task) ?? NO_HISTORY;
    const { decision, records } = judge({ ...context, task, attempt: attempt.attempt }, end, history);
    context.recorder.ended(records);
    if (!("again" in decision)) {
      context.spares.collect(task);
      return this.#count(decision.final === "succeeded", 1);
    }
    this.#histories.set(task, added(history, decision.again));
    if (this.#stopped || !this.#mayRunAgainHere()) this.#left.push(...records.filter(isAgain));
    else this.#line.push({ task, attempt: attempt.attempt + 1, why: records[0]?.reason ?? undefined });
  }

  /** Whether another attempt has its time before the allocation ends; else the element is to be started again. */
  #mayRunAgainHere(): boolean {
    const { allocation, spec } = this.#context;
    if (!allocation?.requeue) return true;
    return !this.#leaving && secondsUntilEnd(allocation) >= (spec.resources.timeSeconds ?? 0);
  }

  /** Milliseconds until the scheduler ends the allocation, as far as that is known. */
  #timeLeft(): number {
    return (this.#context.allocation?.endsAt ?? Infinity) - performance.now();
  }

  #cancel(includesTask: (task: number) => boolean, reason = "cancelled"): void {
    const cancelled = cancelledEnd(reason);
    this.#endWaiting(includesTask, cancelled);
    for (const [task, attempt] of this.#running) {
      if (includesTask(task)) attempt.stop(cancelled.cause, cancelled.causeReason);
    }
  }

  /** Records tasks that never started as ended. */
  #endWaiting(
    includesTask: (task: number) => boolean,
    { cause, causeReason, end }: { cause: "cancelled" | null; causeReason: string | null; end: RankEnd },
  ): void {
    const context = this.#context;
    const now = new Date().toISOString();
    const ranks = Array.from({ length: context.ranks }, () => end);
    const run = { ...context.spec.run, retries: 0 };
    const place = { ...context, spec: { ...context.spec, run } };
    for (const { task, attempt } of this.#line.remove(includesTask)) {
      const ended: AttemptEnd = { cause, causeReason, ranks, startedAt: now, endedAt: now };
      context.recorder.ended(judge({ ...place, task, attempt }, ended, NO_HISTORY).records);
      this.#count(false, 1);
    }
  }

  /** Keeps the slots that can be used, gives the others back, and says how many are wanted. */
  #settleSlots(): void {
    const limit = this.#context.spec.run.parallel ?? Infinity;
    const startable = this.#stopped ? 0 : this.#line.startable(MOST_WANTED);
    const wanted = Math.min(limit, this.#running.size + startable, MOST_WANTED);
    while (this.#idle.length > 0 && (this.#reclaim > 0 || this.#running.size + this.#idle.length > wanted)) {
      const slot = this.#idle.pop();
      if (slot) this.#giveBack(slot);
    }
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#slots.want(wanted);
  }

  /** Others learn of a free slot once the records of what ran in it are durable. */
  #giveBack(slot: Slot): void {
    this.#reclaim = Math.max(0, this.#reclaim - 1);
    void this.#context.recorder.settled().then(() => this.#slots.release(slot));
  }

  #heedWishes(): void {
    const wishes = this.#wishes.changed();
    if (!wishes) return;
    const { cancelled, held, interrupts } = wishes;
    for (const { tasks, kind } of interrupts) {
      for (const attempt of this.#select(tasks)) attempt.interrupt(kind);
    }
    if (cancelled) this.#cancel((task) => isRequested(cancelled, task));
    this.#line.setHeld(held === null ? "none" : held === "all" ? null : [...held]);
  }

  /**
   * Where no queue sends orders, only the job's folder tells when held tasks may start, and which tasks of an
   * element of several are cancelled.
   */
  #lookAtFolder(): void {
    const { allocation, spec } = this.#context;
    const isShared = allocation !== null && spec.run.pack.tasks > 1;
    if (this.#looking || !(isShared || this.#line.isHeld)) return;
    this.#looking = true;
    this.#context.alarms.after(WISH_POLL_MS, () => {
      this.#looking = false;
      this.#heedWishes();
      this.#pump();
    });
  }

  #select(tasks: Tasks): Attempt[] {
    const wanted = includes(tasks);
    return [...this.#running.values()].filter((attempt) => wanted(attempt.task));
  }

  #count(succeeded: boolean, tasks: number): void {
    if (succeeded) this.#result.succeeded += tasks;
    else this.#result.unsuccessful += tasks;
  }

  #conclude(): void {
    const left = this.#left.filter((record) => record.rank === 0).length;
    this.#result.left += this.#line.remove(() => true).length + left;
    this.#finish(this.#result);
  }
}

function isAgain(record: ResultRecord | AgainRecord): record is AgainRecord {
  return record.kind === "again";
}

function includes(tasks: Tasks): (task: number) => boolean {
  if (tasks === null) return () => true;
  const set = new Set(tasks);
  return (task) => set.has(task);
}

function cancelledEnd(causeReason: string): { cause: "cancelled"; causeReason: string; end: RankEnd } {
  return { cause: "cancelled", causeReason, end: neverRan(causeReason) };
}

function added(history: History, why: "failed" | "timeout" | "preempted" | "lost"): History {
  if (why === "failed") return { ...history, failures: history.failures + 1 };
  if (why === "timeout") return { ...history, timeouts: history.timeouts + 1 };
  return why === "lost" ? { ...history, losses: history.losses + 1 } : history;
}

/** More slots than any host has CPUs for. */
const MOST_WANTED = 4096;
/** A scheduler's warning of the allocation's limit comes up to a minute early on Slurm (sbatch(1), --signal). */
const EARLY_SECONDS = 65;
/** How often the job's folder is looked at while all that waits is held. */
const WISH_POLL_MS = 2_000;

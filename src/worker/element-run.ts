import { messageOf, unreachable } from "../errors.ts";
import type { Slot, SlotSource, Tasks, WorkerOrder } from "../queue/protocol.ts";
import { isRequested } from "../store/requests.ts";
import { Attempt } from "./attempt.ts";
import { clock } from "./clock.ts";
import type { ElementContext } from "./element-context.ts";
import { secondsUntilEnd } from "./element.ts";
import { type FollowUp, FollowUps } from "./follow-ups.ts";
import { FreeSlots } from "./free-slots.ts";
import type { ElementHistory } from "./history.ts";
import type { TaskLine, Waiting } from "./task-line.ts";
import { learnEnd } from "./time-left.ts";
import { recordsOfUnrun, type Unrun } from "./unrun.ts";
import { WishReader } from "./wishes.ts";

/** How the tasks of an element have ended, counted. `left`: tasks that another run must take up. */
export type ElementResult = { succeeded: number; unsuccessful: number; left: number };

/** Runs an element's tasks in order, one per slot, until every one has its record or it is told to stop. */
export class ElementRun {
  readonly finished: Promise<ElementResult>;
  readonly #result: ElementResult;
  #finish: (result: ElementResult) => void = () => undefined;
  readonly #running = new Map<number, Attempt>();
  readonly #wishes: WishReader;
  #preempted = false;
  #warned = false;
  #stopped = false;
  /** Nothing starts any more: the allocation is about to end, and what waits is for its next run. */
  #leaving = false;
  #begun = false;
  #looking = false;

  readonly #context: ElementContext;
  readonly #line: TaskLine;
  readonly #free: FreeSlots;
  readonly #followUps: FollowUps;

  constructor(
    context: ElementContext,
    line: TaskLine,
    history: ElementHistory,
    slots: SlotSource,
    result: ElementResult,
  ) {
    this.#context = context;
    this.#line = line;
    this.#free = new FreeSlots(slots, context.recorder);
    this.#result = result;
    this.#wishes = new WishReader(context.dir);
    this.#followUps = new FollowUps(context, history);
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
    this.#endWaiting(() => true, { cause: null, reason });
  }

  obey(order: WorkerOrder): void {
    switch (order.type) {
      case "grant":
        this.#free.add(...order.slots);
        break;
      case "reclaim":
        this.#free.reclaim(order.count);
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
  preempt(kind: "preempted" | "timeout"): void {
    const { allocation } = this.#context;
    this.#warned = true;
    // Where nothing starts the element again, what waits would be lost.
    if (allocation && allocation.requeue !== null) this.#leaving = true;
    // It may come of jobx interrupt, and some schedulers warn of a cancellation as well.
    if (allocation) this.#heedWishes();
    if (kind === "preempted" && allocation?.endsAt === null && allocation.timeLeft) {
      void learnEnd(allocation, allocation.timeLeft).then(() => this.#warn(kind));
    } else this.#warn(kind);
  }

  #warn(kind: "preempted" | "timeout"): void {
    const { spec } = this.#context;
    const limitIsNear = this.#timeLeft() < (spec.run.signalDelaySeconds + EARLY_SECONDS) * 1000;
    const why = limitIsNear ? "timeout" : kind;
    this.#preempted ||= why === "preempted";
    this.#leaving ||= limitIsNear;
    for (const attempt of this.#running.values()) {
      attempt.warn(why);
      if (limitIsNear) attempt.endWithin(this.#context.allocation);
    }
    this.#pump();
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
    if (!this.#preempted) this.#endWaiting(() => true, { cause: "cancelled", reason });
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
    this.#followUps.giveUp(why);
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
    if (this.#free.isEmpty || (parallel !== null && this.#running.size >= parallel)) return false;
    if (this.#line.startable(1) === 0) return false;
    this.#heedWishes();
    const next = this.#line.next();
    const slot = this.#free.take();
    if (!next || !slot) {
      if (slot) this.#free.add(slot);
      return false;
    }
    // Others went first, and may have taken the time that there was for it.
    if (next.after && !this.#mayRunAgainHere()) {
      this.#followUps.leave(next.after);
      this.#free.add(slot);
    } else this.#start(next, slot);
    return true;
  }

  #start(waiting: Waiting, slot: Slot): void {
    const { task, attempt: number, why } = waiting;
    let attempt: Attempt;
    try {
      attempt = new Attempt(this.#context, task, number, slot, why ?? null);
    } catch (error) {
      this.#free.add(slot);
      return this.#endBroken(waiting, error);
    }
    this.#running.set(task, attempt);
    void attempt
      .run(() => this.#running.size === 1)
      .then((end) => this.#follow(this.#followUps.of(attempt, end, this.#mayRunAgainHere())))
      .catch((error: unknown) => this.#endBroken(waiting, error))
      .then(() => {
        this.#running.delete(task);
        this.#free.add(slot);
        this.#pump();
      });
  }

  /** An error that belongs to one task, such as damage to its arguments, is its end and costs the others nothing. */
  #endBroken(waiting: Waiting, error: unknown): void {
    this.#endUnrun([waiting], { cause: null, reason: messageOf(error) });
  }

  #follow({ final, next }: FollowUp): void {
    if (next) this.#line.push(next);
    else if (final === "succeeded") this.#result.succeeded++;
    else if (final !== null) this.#result.unsuccessful++;
  }

  /** Whether another attempt has its time before the allocation ends; else the element is to be started again. */
  #mayRunAgainHere(): boolean {
    const { allocation, spec } = this.#context;
    if (this.#stopped) return false;
    if (!allocation?.requeue) return true;
    return !this.#leaving && secondsUntilEnd(allocation) >= (spec.resources.timeSeconds ?? 0);
  }

  /** Milliseconds until the scheduler ends the allocation, as far as that is known. */
  #timeLeft(): number {
    return (this.#context.allocation?.endsAt ?? Infinity) - clock.now();
  }

  #cancel(includesTask: (task: number) => boolean, reason = "cancelled"): void {
    this.#endWaiting(includesTask, { cause: "cancelled", reason });
    for (const [task, attempt] of this.#running) if (includesTask(task)) attempt.stop("cancelled", reason);
  }

  /** Records tasks that never started as ended. */
  #endWaiting(includesTask: (task: number) => boolean, why: Unrun): void {
    this.#endUnrun(this.#line.remove(includesTask), why);
  }

  #endUnrun(waiting: Waiting[], why: Unrun): void {
    this.#context.recorder.ended(recordsOfUnrun(this.#context, waiting, why));
    this.#result.unsuccessful += waiting.length;
  }

  /** Keeps the slots that can be used, and says how many these are. */
  #settleSlots(): void {
    const limit = this.#context.spec.run.parallel ?? Infinity;
    const startable = this.#stopped ? 0 : this.#line.startable(MOST_WANTED);
    this.#free.settle(this.#running.size, Math.min(limit, this.#running.size + startable, MOST_WANTED));
  }

  #heedWishes(): void {
    const wishes = this.#wishes.changed();
    if (!wishes) return;
    const { cancelled, held, interrupts } = wishes;
    for (const { tasks, kind, signalled } of interrupts) {
      for (const attempt of this.#select(tasks)) attempt.interrupt(kind, signalled);
    }
    if (cancelled) this.#cancel((task) => isRequested(cancelled, task));
    this.#line.setHeld(held === null ? "none" : held === "all" ? null : [...held]);
  }

  /**
   * Where no queue sends orders, only the job's folder tells when held tasks may start, which tasks of an element of
   * several are cancelled, and whether a warning was asked for: it may show that later than the signal comes.
   */
  #lookAtFolder(): void {
    const { allocation, spec } = this.#context;
    const isAlone = allocation !== null && (this.#warned || spec.run.pack.tasks > 1);
    if (this.#looking || !(isAlone || this.#line.isHeld)) return;
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

  #conclude(): void {
    this.#result.left += this.#line.remove(() => true).length + this.#followUps.left;
    this.#finish(this.#result);
  }
}

function includes(tasks: Tasks): (task: number) => boolean {
  if (tasks === null) return () => true;
  const set = new Set(tasks);
  return (task) => set.has(task);
}

/** More slots than any host has CPUs for. */
const MOST_WANTED = 4096;
/** A scheduler's warning of the allocation's limit comes up to a minute early on Slurm (sbatch(1), --signal). */
const EARLY_SECONDS = 65;
/** How often the job's folder is looked at while all that waits is held. */
const WISH_POLL_MS = 2_000;

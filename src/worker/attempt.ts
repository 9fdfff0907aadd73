import type { Slot } from "../queue/protocol.ts";
import { AttemptRanks } from "./attempt-ranks.ts";
import type { MemoryGroup } from "./cgroup.ts";
import type { ElementContext } from "./element-context.ts";
import { type Allocation, secondsUntilEnd } from "./element.ts";
import { heldPayload } from "./large-payload.ts";
import { armLimit } from "./limits.ts";
import { endMemoryLimit, limitMemory } from "./memory-limit.ts";
import type { AttemptEnd } from "./outcome.ts";
import type { Cause } from "./policy.ts";
import { type RankEnd, type Unheard, withValue } from "./rank.ts";
import { blockedReason, memoryReason, timeoutReason } from "./reasons.ts";
import { judgeUnheard, mayRunAgain } from "./unheard.ts";
import { isCancelled } from "./wishes.ts";

const ALLOCATION_ENDS = "it reached the scheduler's own time limit; ask for more with --time";

/** One attempt of one task, from its start to the last process's end: what it is told, and why it is ended. */
export class Attempt {
  readonly task: number;
  readonly attempt: number;
  readonly #context: ElementContext;
  readonly #startedAt = new Date().toISOString();
  readonly #memory: MemoryGroup | null;
  readonly #ranks: AttemptRanks;
  #cause: Cause | null = null;
  #causeReason: string | null = null;
  #warned: "preempted" | "timeout" | null = null;
  /** Every rank has given what was asked of it, and at most its value is still to be stored. */
  #succeeded = false;
  /** The function has not heard a warning, since it blocks its event loop. */
  #blocked = false;

  /** `why` is how the attempt before this one ended. */
  constructor(context: ElementContext, task: number, attempt: number, slot: Slot, why: string | null) {
    const { spec } = context;
    this.#context = context;
    this.task = task;
    this.attempt = attempt;
    const payload = heldPayload(spec, context.payload, task);
    this.#memory = limitMemory(spec, task, attempt);
    this.#ranks = new AttemptRanks(context, {
      task,
      attempt,
      slot,
      payload,
      why,
      startedAt: this.#startedAt,
      cgroup: this.#memory?.path ?? null,
      onExceeded: (usedBytes) => this.#exceeded(usedBytes),
    });
  }

  /** Runs it; resolves when nothing of it is left. `alone` tells at its end whether it is the only one. */
  async run(alone: () => boolean): Promise<AttemptEnd> {
    const { alarms, spec, family, dir, node } = this.#context;
    const limitSeconds = this.#limitSeconds();
    const disarm = armLimit(
      alarms,
      { limitSeconds, warnSeconds: spec.run.signalDelaySeconds },
      { warn: () => this.warn("timeout"), expire: () => this.#expire(limitSeconds ?? 0) },
    );
    const ends = await this.#ranks.run();
    this.#succeeded = ends.every((end) => end.ok);
    disarm();
    await family.sweep(this.#ranks.groups, dir, this.task, alone());
    const outOfMemory = this.#memory && endMemoryLimit(this.#memory, spec, node);
    if (outOfMemory !== null && this.#cause === null) {
      this.#cause = "memory";
      this.#causeReason = outOfMemory;
    }
    const ranks: RankEnd[] = [];
    for (const end of ends) ranks.push(end.store ? await withValue(end) : end);
    const cause = this.#cause ?? this.#causeOfLeaving(ranks);
    return {
      cause,
      causeReason: this.#causeReason ?? (cause === "cancelled" ? "cancelled" : null),
      ranks,
      startedAt: this.#startedAt,
      endedAt: new Date().toISOString(),
    };
  }

  /** Ends every rank. The first cause counts, but for a cancellation: nothing may follow it, whatever came before. */
  stop(cause: Cause, reason: string): void {
    if (this.#succeeded && this.#cause === null) return;
    if (this.#ranks.areEnding && cause !== "cancelled") return;
    this.#cause = cause;
    this.#causeReason = reason;
    this.#ranks.end(cause);
  }

  /** Passes a warning on. Where nobody listens, a task that may simply run again is ended instead. */
  warn(kind: "preempted" | "timeout"): void {
    if (this.#ranks.areEnding) return;
    // One that is leaving for its limit is not leaving for a preemption.
    if (this.#warned !== "timeout") this.#warned = kind;
    const listeners = this.#ranks.warn(kind, (rank, how) => this.#unheard(rank, kind, how));
    const asked = kind === "preempted" && this.#context.spec.run.requeue === true;
    if (asked && listeners === 0) this.stop("preempted", "preempted");
  }

  /**
   * As `warn`, for somebody who asked for it: once the usual notice is over, what may run again is ended. Where the
   * warning is `signalled`, `warn` is called for that, before or after this.
   */
  interrupt(kind: "preempted" | "timeout", signalled = false): void {
    if (!signalled) this.warn(kind);
    this.#context.alarms.after(this.#context.spec.run.signalDelaySeconds * 1000, () => {
      if (this.#warned === null || !this.#ranks.areLive || !mayRunAgain(this.#place)) return;
      this.stop(kind, this.#blocked ? blockedReason(kind) : `${kind} (asked for with interrupt)`);
    });
  }

  /** Ends it in time for its record, where the allocation turned out to have a limit. */
  endWithin(allocation: Allocation | null): void {
    const seconds = secondsUntilEnd(allocation);
    if (!Number.isFinite(seconds)) return;
    this.#context.alarms.after(seconds * 1000, () => {
      if (this.#ranks.areLive) this.stop("timeout", ALLOCATION_ENDS);
    });
  }

  /** A function that does nothing about a preemption loses nothing when it is ended at once, if it may run again. */
  #unheard(rank: number, kind: "preempted" | "timeout", how: Unheard): void {
    // Other ranks wait for the first: it alone has a state.
    if (rank !== 0 || this.#ranks.areEnding) return;
    this.#blocked = how === "blocked";
    const reason = judgeUnheard(this.#place, kind, how);
    if (reason !== null) this.stop("preempted", reason);
  }

  get #place() {
    const { dir, spec } = this.#context;
    return { dir, spec, task: this.task };
  }

  #exceeded(usedBytes: number): void {
    const { memBytes } = this.#context.spec.resources;
    if (this.#ranks.areEnding || memBytes === undefined) return;
    this.stop("memory", memoryReason(this.#context.node, usedBytes, memBytes));
    this.#ranks.kill();
  }

  /** The task's own limit, or what is left of an allocation that has less. */
  #limitSeconds(): number | null {
    const { allocation, spec } = this.#context;
    const own = spec.resources.timeSeconds ?? Number.POSITIVE_INFINITY;
    const limit = Math.min(own, secondsUntilEnd(allocation));
    return Number.isFinite(limit) ? limit : null;
  }

  #expire(limitSeconds: number): void {
    const reason = timeoutReason(limitSeconds);
    this.stop("timeout", this.#blocked ? `${reason}; ${blockedReason("timeout")}` : reason);
  }

  #causeOfLeaving(ranks: RankEnd[]): Cause | null {
    // Some schedulers warn every process of a job by themselves, and one that does not listen dies of it.
    const warned = this.#context.allocation !== null && ranks.some((rank) => rank.signal === "SIGUSR2");
    if ((this.#warned === null && !warned) || ranks.every((rank) => rank.ok)) return null;
    // It may be dead before this process hears the same signal, by which it looks at what is cancelled.
    if (isCancelled(this.#context.dir, this.task)) return "cancelled";
    return this.#warned === "timeout" ? "warned" : "preempted";
  }
}

import type { TaskPayload } from "../model/job.ts";
import type { StartedRecord } from "../model/records.ts";
import { startOf } from "../queue/proc.ts";
import type { Slot } from "../queue/protocol.ts";
import { checkpointDir } from "../store/layout.ts";
import { listStates } from "../store/task-state.ts";
import { createMemoryGroup, type MemoryGroup } from "./cgroup.ts";
import type { ElementContext } from "./element-context.ts";
import { type Allocation, type RankLauncher, secondsUntilEnd } from "./element.ts";
import { heldPayload } from "./large-payload.ts";
import { armLimit, FUNCTION_GRACE_MS, GRACE_MS } from "./limits.ts";
import type { Cause } from "./policy.ts";
import { neverRan, type RankEnd, type RankProcess, type Unheard } from "./rank.ts";
import { blockedReason, memoryReason, siblingReason, timeoutReason } from "./reasons.ts";
import type { Watched } from "./sampler.ts";
import { startRank } from "./start-rank.ts";
import { judgeUnheard, mayRunAgain } from "./unheard.ts";

/** What came of one attempt: one end per rank, and what the supervisor did to it. */
export type AttemptEnd = {
  cause: Cause | null;
  causeReason: string | null;
  ranks: RankEnd[];
  startedAt: string;
  endedAt: string;
};

const ALLOCATION_ENDS = "it reached the scheduler's own time limit; ask for more with --time";

/** One attempt of one task: all its ranks, from their start to the last process's end. */
export class Attempt {
  readonly #payload: TaskPayload;
  #cause: Cause | null = null;
  #causeReason: string | null = null;
  #warned: "preempted" | "timeout" | null = null;
  /** The function has not heard a warning, since it blocks its event loop. */
  #blocked = false;
  #stopping = false;
  /** Why the ranks that still run are ended, when it is another rank's fault. */
  #siblingReason: string | null = null;
  readonly #live = new Map<number, Omit<RankProcess, "ended">>();
  #memory: MemoryGroup | null = null;

  readonly #context: ElementContext;
  readonly #why: string | null;
  readonly task: number;
  readonly attempt: number;
  readonly slot: Slot;

  /** `why` is how the attempt before this one ended. */
  constructor(context: ElementContext, task: number, attempt: number, slot: Slot, why?: string) {
    this.#context = context;
    this.task = task;
    this.attempt = attempt;
    this.slot = slot;
    this.#why = why ?? null;
    this.#payload = heldPayload(context.spec, context.payload, task);
  }

  /** Runs it; resolves when nothing of it is left. `alone` tells at its end whether it is the only one. */
  async run(alone: () => boolean): Promise<AttemptEnd> {
    const { alarms, spec, family, dir } = this.#context;
    const startedAt = new Date().toISOString();
    const limitSeconds = this.#limitSeconds();
    const disarm = armLimit(
      alarms,
      { limitSeconds, warnSeconds: spec.run.signalDelaySeconds },
      { warn: () => this.warn("timeout"), expire: () => this.#expire(limitSeconds ?? 0) },
    );
    const groups: number[] = [];
    this.#memory = this.#limitMemory();
    const ranks = await this.#runRanks(startedAt, groups);
    disarm();
    await family.sweep(groups, dir, this.task, alone());
    this.#judgeMemory();
    return {
      cause: this.#cause ?? this.#causeOfLeaving(ranks),
      causeReason: this.#causeReason,
      ranks,
      startedAt,
      endedAt: new Date().toISOString(),
    };
  }

  /** Ends every rank: SIGTERM, and SIGKILL to what is left after a grace. The first cause counts. */
  stop(cause: Cause | null, reason: string | null): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#cause = cause;
    this.#causeReason = reason;
    for (const rank of this.#live.values()) rank.end(cause);
    const asked = cause === "ended" && this.#context.spec.entry.kind === "function";
    this.#context.alarms.after(asked ? FUNCTION_GRACE_MS : GRACE_MS, () => {
      for (const rank of this.#live.values()) rank.kill();
    });
  }

  /** Passes a warning on. Where nobody listens, a task that may simply run again is ended instead. */
  warn(kind: "preempted" | "timeout"): void {
    if (this.#stopping) return;
    // One that is leaving for its limit is not leaving for a preemption.
    if (this.#warned !== "timeout") this.#warned = kind;
    let listeners = 0;
    for (const [index, rank] of this.#live) {
      listeners += rank.warn(kind, (how) => this.#unheard(index, kind, how));
    }
    const asked = kind === "preempted" && this.#context.spec.run.requeue === true;
    if (asked && listeners === 0) this.stop("preempted", "preempted");
  }

  /** As `warn`, for somebody who asked for it: once the usual notice is over, what may run again is ended. */
  interrupt(kind: "preempted" | "timeout"): void {
    this.warn(kind);
    const cause = kind === "timeout" ? "timeout" : "preempted";
    this.#context.alarms.after(this.#context.spec.run.signalDelaySeconds * 1000, () => {
      if (this.#live.size === 0 || !mayRunAgain(this.#place)) return;
      this.stop(cause, this.#blocked ? blockedReason(kind) : `${kind} (asked for with interrupt)`);
    });
  }

  /** A function that does nothing about a preemption loses nothing when it is ended at once, if it may run again. */
  #unheard(rank: number, kind: "preempted" | "timeout", how: Unheard): void {
    // Other ranks wait for the first: it alone has a state.
    if (rank !== 0 || this.#stopping) return;
    this.#blocked = how === "blocked";
    const reason = judgeUnheard(this.#place, kind, how);
    if (reason !== null) this.stop("preempted", reason);
  }

  get #place() {
    const { dir, spec } = this.#context;
    return { dir, spec, task: this.task };
  }

  /** Ends it in time for its record, where the allocation turned out to have a limit. */
  endWithin(allocation: Allocation | null): void {
    const seconds = secondsUntilEnd(allocation);
    if (!Number.isFinite(seconds)) return;
    this.#context.alarms.after(seconds * 1000, () => {
      if (this.#live.size > 0) this.stop("timeout", ALLOCATION_ENDS);
    });
  }

  /** Ranks start one after the other, and the first may have saved before the last has begun. */
  #latestState(): number | null {
    const { dir, spec, ranks } = this.#context;
    if (ranks === 1 || spec.entry.kind !== "function") return null;
    return listStates(checkpointDir(dir, spec.tasks, this.task))[0] ?? 0;
  }

  async #runRanks(startedAt: string, groups: number[]): Promise<RankEnd[]> {
    const count = this.#context.ranks;
    const launcher = this.#context.allocation?.ranks;
    if (launcher && count > 1) return this.#launch(launcher, startedAt, groups);
    const upTo = this.#latestState();
    const ends: Promise<RankEnd>[] = [];
    let failed = false;
    for (let rank = 0; rank < count; rank++) {
      if (failed) {
        ends.push(Promise.resolve(neverRan("not started because another rank did not start")));
        continue;
      }
      const started = this.#begin(rank, upTo, startedAt, groups);
      ends.push(Promise.resolve(started));
      if (started instanceof Promise) continue;
      failed = true;
      this.#stopSiblings(rank, started);
    }
    return Promise.all(ends);
  }

  /** Starts all ranks by the scheduler's launcher: one process here, with one end per rank. */
  async #launch(launcher: RankLauncher, startedAt: string, groups: number[]): Promise<RankEnd[]> {
    const { family, recorder, node, ranks } = this.#context;
    const { task, attempt } = this;
    const { launchRanks } = await import("./launched.ts");
    const all = Array.from({ length: ranks }, (_, rank) => rank);
    const launched = launchRanks(this.#context, launcher, {
      task,
      attempt,
      payload: this.#payload,
      why: this.#why,
      upTo: this.#latestState(),
    });
    if (!("pid" in launched)) return all.map(() => launched);
    const { pid } = launched;
    family.add(pid);
    groups.push(pid);
    this.#live.set(0, launched);
    const notes = all.map((rank) => recorder.started(() => this.#startedRecord(rank, pid, startedAt, node)));
    // What ended it while it was being loaded.
    if (this.#stopping) launched.end(this.#cause);
    const ends = await launched.ended;
    for (const noteEnd of notes) noteEnd();
    this.#live.delete(0);
    family.delete(pid);
    return ends;
  }

  /** Starts one rank, records it, and follows it to its end. */
  #begin(rank: number, upTo: number | null, startedAt: string, groups: number[]): Promise<RankEnd> | RankEnd {
    const { recorder, family, sampler, node, spec } = this.#context;
    const watched: Watched = {
      pid: 0,
      peakBytes: 0,
      limitBytes: this.#memory ? null : (spec.resources.memBytes ?? null),
      onExceeded: (used) => this.#exceeded(used),
    };
    const { task, attempt, slot } = this;
    const payload = this.#payload;
    const cgroup = this.#memory?.path ?? null;
    const why = this.#why;
    const place = { task, attempt, rank, slot, payload, why, upTo, watched, cgroup };
    const started = startRank(this.#context, place);
    if (!("pid" in started)) return started;
    watched.pid = started.pid;
    family.add(started.pid);
    if (started.ownsGroup) groups.push(started.pid);
    this.#live.set(rank, started);
    const noteEnd = recorder.started(() => this.#startedRecord(rank, started.pid, startedAt, node));
    sampler.add(watched);
    return started.ended.then((end) => {
      noteEnd();
      this.#live.delete(rank);
      sampler.delete(watched);
      if (started.ownsGroup) family.delete(started.pid);
      if (end.ok) return end;
      if (this.#siblingReason !== null) return { ...end, reason: this.#siblingReason };
      if (this.#live.size > 0 && !this.#stopping) this.#leaveSiblings(rank, end);
      return end;
    });
  }

  #startedRecord(rank: number, pid: number, startedAt: string, node: string): StartedRecord {
    const { task, attempt } = this;
    return { kind: "started", task, rank, attempt, pid, pidStart: startOf(pid), node, startedAt };
  }

  /** A rank that leaves after a warning lets the first one, which may be saving its state, have the rest of the notice. */
  #leaveSiblings(rank: number, end: RankEnd): void {
    if (this.#warned === null || !this.#live.has(0)) return this.#stopSiblings(rank, end);
    this.#context.alarms.after(this.#context.spec.run.signalDelaySeconds * 1000, () => {
      if (this.#live.size > 0 && !this.#stopping) this.#stopSiblings(rank, end);
    });
  }

  #stopSiblings(rank: number, end: RankEnd): void {
    this.#siblingReason = siblingReason(rank, end);
    this.stop(null, null);
  }

  #exceeded(usedBytes: number): void {
    const { memBytes } = this.#context.spec.resources;
    if (this.#stopping || memBytes === undefined) return;
    this.stop("memory", memoryReason(this.#context.node, usedBytes, memBytes));
    for (const rank of this.#live.values()) rank.kill();
  }

  /** Commands start inside a control group where one may be made; a runner lives longer than its task. */
  #limitMemory(): MemoryGroup | null {
    const { spec } = this.#context;
    if (spec.resources.memBytes === undefined || spec.entry.kind !== "command") return null;
    const name = `jobx-${process.pid}-${this.task}-${this.attempt}`;
    return createMemoryGroup(name, spec.resources.memBytes);
  }

  /**
   * The kernel has killed a process of the group for want of memory: that is why the task failed, and one
   * whose command ended well all the same has lost a part of itself.
   */
  #judgeMemory(): void {
    const memory = this.#memory;
    if (!memory) return;
    const limit = this.#context.spec.resources.memBytes ?? 0;
    if (this.#cause === null && memory.outOfMemoryKills() > 0) {
      this.#cause = "memory";
      this.#causeReason = memoryReason(this.#context.node, memory.peakBytes() ?? limit, limit);
    }
    memory.remove();
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
    return this.#warned === "timeout" ? "warned" : "preempted";
  }
}

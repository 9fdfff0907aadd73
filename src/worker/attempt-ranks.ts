import type { TaskPayload } from "../model/job.ts";
import type { StartedRecord } from "../model/records.ts";
import { startOf } from "../queue/proc.ts";
import type { Slot } from "../queue/protocol.ts";
import { checkpointDir } from "../store/layout.ts";
import { listStates } from "../store/task-state.ts";
import type { ElementContext } from "./element-context.ts";
import type { RankLauncher } from "./element.ts";
import { FUNCTION_GRACE_MS, GRACE_MS } from "./limits.ts";
import type { Cause } from "./policy.ts";
import { neverRan, type RankEnd, type RankProcess, type Unheard } from "./rank.ts";
import { siblingReason } from "./reasons.ts";
import type { ProcessTree, Watched } from "./sampler.ts";
import { startRank } from "./start-rank.ts";

/** What the ranks of an attempt are started with. */
export type RanksStart = {
  task: number;
  attempt: number;
  slot: Slot;
  payload: TaskPayload;
  /** How the attempt before this one ended; null for the first. */
  why: string | null;
  startedAt: string;
  /** A control group for them, which limits their memory. */
  cgroup: string | null;
  /** Called when they are seen to use more memory than the job's limit. */
  onExceeded: (usedBytes: number) => void;
};

/** The ranks of one attempt: starts them, has them recorded and watched, and ends them all once one has failed. */
export class AttemptRanks {
  /** The process groups that they lead, also once they have ended. */
  readonly groups: number[] = [];
  readonly #context: ElementContext;
  readonly #start: RanksStart;
  readonly #live = new Map<number, Omit<RankProcess, "ended">>();
  /** Together, since --mem is for a task's ranks on one host; a control group limits them by itself. */
  readonly #watched: Watched;
  #warned = false;
  #ending: { cause: Cause | null } | null = null;
  /** Why the ranks that still run are ended, when it is another rank's fault. */
  #siblingReason: string | null = null;

  constructor(context: ElementContext, start: RanksStart) {
    this.#context = context;
    this.#start = start;
    const { cgroup, onExceeded } = start;
    const limitBytes = cgroup === null ? (context.spec.resources.memBytes ?? null) : null;
    this.#watched = { trees: new Set(), limitBytes, onExceeded };
  }

  /** Whether they were asked to end. */
  get areEnding(): boolean {
    return this.#ending !== null;
  }

  /** Whether any of them runs. */
  get areLive(): boolean {
    return this.#live.size > 0;
  }

  /** Runs them; resolves with one end per rank. Called once. */
  async run(): Promise<RankEnd[]> {
    const { ranks: count, allocation } = this.#context;
    if (allocation?.ranks && count > 1) return this.#launch(allocation.ranks);
    const upTo = this.#latestState();
    const ends: Promise<RankEnd>[] = [];
    let failed = false;
    for (let rank = 0; rank < count; rank++) {
      if (failed) {
        ends.push(Promise.resolve(neverRan("not started because another rank did not start")));
        continue;
      }
      const started = this.#begin(rank, upTo);
      ends.push(Promise.resolve(started));
      if (started instanceof Promise) continue;
      failed = true;
      this.#endSiblings(rank, started);
    }
    return Promise.all(ends);
  }

  /** Passes a warning on; returns how many processes listen. `unheard` is told of functions that do not. */
  warn(kind: "preempted" | "timeout", unheard: (rank: number, how: Unheard) => void): number {
    this.#warned = true;
    let listeners = 0;
    for (const [index, rank] of this.#live) listeners += rank.warn(kind, (how) => unheard(index, how));
    return listeners;
  }

  /** Ends every rank: SIGTERM, and SIGKILL to what is left after a grace. */
  end(cause: Cause | null): void {
    if (this.#ending) return;
    this.#ending = { cause };
    for (const rank of this.#live.values()) rank.end(cause);
    const asked = cause === "ended" && this.#context.spec.entry.kind === "function";
    this.#context.alarms.after(asked ? FUNCTION_GRACE_MS : GRACE_MS, () => this.kill());
  }

  kill(): void {
    for (const rank of this.#live.values()) rank.kill();
  }

  /** Ranks start one after the other, and the first may have saved before the last has begun. */
  #latestState(): number | null {
    const { dir, spec, ranks } = this.#context;
    if (ranks === 1 || spec.entry.kind !== "function") return null;
    return listStates(checkpointDir(dir, spec.tasks, this.#start.task))[0] ?? 0;
  }

  /** Starts all ranks by the scheduler's launcher: one process here, with one end per rank. */
  async #launch(launcher: RankLauncher): Promise<RankEnd[]> {
    const { family, recorder, ranks } = this.#context;
    const { launchRanks } = await import("./launched.ts");
    const all = Array.from({ length: ranks }, (_, rank) => rank);
    const { task, attempt, payload, why } = this.#start;
    const launch = { task, attempt, payload, why, upTo: this.#latestState() };
    const launched = launchRanks(this.#context, launcher, launch);
    if (!("pid" in launched)) return all.map(() => launched);
    const { pid } = launched;
    family.add(pid);
    this.groups.push(pid);
    this.#live.set(0, launched);
    const notes = all.map((rank) => recorder.started(() => this.#startedRecord(rank, pid)));
    // What ended it while it was being loaded.
    if (this.#ending) launched.end(this.#ending.cause);
    const ends = await launched.ended;
    for (const noteEnd of notes) noteEnd();
    this.#live.delete(0);
    family.delete(pid);
    return ends;
  }

  /** Starts one rank, records it, and follows it to its end. */
  #begin(rank: number, upTo: number | null): Promise<RankEnd> | RankEnd {
    const { recorder, family } = this.#context;
    const { task, attempt, slot, payload, why, cgroup } = this.#start;
    const watched: ProcessTree = { pid: 0, peakBytes: 0 };
    const place = { task, attempt, rank, slot, payload, why, upTo, watched, cgroup };
    const started = startRank(this.#context, place);
    if (!("pid" in started)) return started;
    const { pid, ownsGroup } = started;
    watched.pid = pid;
    family.add(pid);
    if (ownsGroup) this.groups.push(pid);
    this.#live.set(rank, started);
    const noteEnd = recorder.started(() => this.#startedRecord(rank, pid));
    this.#watch(watched);
    return started.ended.then((end) => {
      noteEnd();
      this.#live.delete(rank);
      this.#unwatch(watched);
      if (ownsGroup) family.delete(pid);
      if (end.ok) return end;
      if (this.#siblingReason !== null) return { ...end, reason: this.#siblingReason };
      if (this.areLive && !this.#ending) this.#leaveSiblings(rank, end);
      return end;
    });
  }

  #watch(tree: ProcessTree): void {
    const { trees } = this.#watched;
    if (trees.size === 0) this.#context.sampler.add(this.#watched);
    trees.add(tree);
  }

  #unwatch(tree: ProcessTree): void {
    const { trees } = this.#watched;
    trees.delete(tree);
    if (trees.size === 0) this.#context.sampler.delete(this.#watched);
  }

  #startedRecord(rank: number, pid: number): StartedRecord {
    const { task, attempt, startedAt } = this.#start;
    const { node } = this.#context;
    return { kind: "started", task, rank, attempt, pid, pidStart: startOf(pid), node, startedAt };
  }

  /** A rank that leaves after a warning lets the first one, which may be saving its state, have the rest of the notice. */
  #leaveSiblings(rank: number, end: RankEnd): void {
    if (!this.#warned || !this.#live.has(0)) return this.#endSiblings(rank, end);
    this.#context.alarms.after(this.#context.spec.run.signalDelaySeconds * 1000, () => {
      if (this.areLive && !this.#ending) this.#endSiblings(rank, end);
    });
  }

  #endSiblings(rank: number, end: RankEnd): void {
    this.#siblingReason = siblingReason(rank, end);
    this.end(null);
  }
}

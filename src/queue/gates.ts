import type { Entry } from "./entry.ts";
import { giveOrder, ordersToCancel } from "./orders.ts";
import { Predecessors } from "./predecessors.ts";
import type { QueuedDependency } from "./protocol.ts";

/** What the gates ask of the queue. */
export type GateOwner = {
  /** Whether the queue still has this job. */
  has(dir: string): boolean;
  /** A job whose dependencies are met, at least for some of its tasks. */
  opened(entry: Entry): void;
  /** A job that can never start. */
  broken(entry: Entry, reason: string): void;
};

const POLL_MS = 200;

/**
 * Jobs that wait for others. Whole jobs of this queue are judged when they end; dependencies on some of a
 * job's tasks, task by task, or on jobs that are not here, by looking at records as they grow.
 */
export class Gates {
  readonly #owner: GateOwner;
  readonly #predecessors = new Predecessors();
  readonly #waiting = new Set<Entry>();
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(owner: GateOwner) {
    this.#owner = owner;
  }

  /** Takes a job in; it is opened at once when nothing keeps it waiting. */
  admit(entry: Entry): void {
    if (entry.request.after.length === 0) return this.#owner.opened(entry);
    this.#waiting.add(entry);
    this.#judge(entry);
    this.#setTimer();
  }

  forget(entry: Entry): void {
    if (this.#waiting.delete(entry)) this.#setTimer();
  }

  /** A job has left the queue: judges those that wait for it. */
  ended(dir: string): void {
    if (this.#waiting.size === 0) return;
    for (const entry of this.#waiting) {
      if (entry.request.after.some((dependency) => dependency.dir === dir)) this.#judge(entry);
    }
    this.#setTimer();
  }

  #judge(entry: Entry): void {
    for (const dependency of entry.request.after) {
      if (dependency.kind === "each") continue;
      if (!this.#needsLook(dependency)) {
        entry.waitsFor = `waits for job ${dependency.job}`;
        return;
      }
      const judgement = this.#predecessors.judge(dependency);
      if (judgement.state === "broken") {
        this.#waiting.delete(entry);
        return this.#owner.broken(entry, judgement.reason);
      }
      if (judgement.state === "open") {
        entry.waitsFor = `waits for job ${dependency.job}`;
        return;
      }
    }
    if (!entry.waiting) {
      this.#waiting.delete(entry);
      entry.waitsFor = null;
      return this.#owner.opened(entry);
    }
    this.#pair(entry, entry.waiting);
  }

  #pair(entry: Entry, waiting: Set<number>): void {
    const ready = new Set(waiting);
    const broken = new Map<number, string>();
    for (const dependency of entry.request.after) {
      if (dependency.kind !== "each") continue;
      const pairing = this.#predecessors.pair(dependency, waiting);
      for (const [task, reason] of pairing.broken) broken.set(task, reason);
      const met = new Set(pairing.ready);
      for (const task of ready) if (!met.has(task)) ready.delete(task);
    }
    for (const [task, reason] of broken) {
      waiting.delete(task);
      entry.broken ??= new Map();
      entry.broken.set(task, reason);
    }
    for (const task of ready) waiting.delete(task);
    if (waiting.size === 0) this.#waiting.delete(entry);
    if (entry.broken?.size === entry.request.tasks) {
      return this.#owner.broken(entry, [...entry.broken.values()][0] ?? "");
    }
    tell(entry, [...ready], broken);
    const first = entry.request.after.find((dependency) => dependency.kind === "each");
    const startable = entry.request.tasks - waiting.size - (entry.broken?.size ?? 0);
    entry.waitsFor = startable === 0 ? `waits for the tasks of job ${first?.job}` : null;
    if (startable > 0) this.#owner.opened(entry);
  }

  /** Whether its end is not simply the moment when the job leaves this queue. */
  #needsLook(dependency: QueuedDependency): boolean {
    return dependency.tasks !== null || dependency.kind === "each" || !this.#owner.has(dependency.dir);
  }

  #setTimer(): void {
    const looked = [...this.#waiting]
      .flatMap((entry) => entry.request.after)
      .filter((one) => this.#needsLook(one));
    this.#predecessors.keep(new Set(looked.map((dependency) => dependency.dir)));
    if (looked.length > 0 === (this.#timer !== null)) return;
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = looked.length > 0 ? setInterval(() => this.#look(), POLL_MS) : null;
  }

  #look(): void {
    for (const entry of this.#waiting) {
      if (entry.request.after.some((dependency) => this.#needsLook(dependency))) this.#judge(entry);
    }
    this.#setTimer();
  }
}

/** Lets a running supervisor know which tasks may start and which never will. */
function tell(entry: Entry, ready: number[], broken: Map<number, string>): void {
  if (!entry.supervisor) return;
  if (ready.length > 0) giveOrder(entry, { type: "unblock", tasks: ready });
  for (const order of ordersToCancel(broken)) giveOrder(entry, order);
}

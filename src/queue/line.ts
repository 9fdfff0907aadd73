import { Broker } from "./broker.ts";
import type { Entry } from "./entry.ts";
import type { Journal } from "./journal.ts";
import { detectCapacity } from "./machine.ts";
import { giveSlots } from "./orders.ts";
import type { Capacity, QueueLimits, Slot } from "./protocol.ts";
import type { Room } from "./room.ts";

/** What the line asks of the queue. */
export type LineOwner = {
  entry(dir: string): Entry | undefined;
  /** A job has been given slots, its first or more. */
  granted(entry: Entry): void;
  /** Everybody has been given what there was. */
  settled(): void;
};

/**
 * The jobs that may run, in their order, and the slots that each holds. The broker decides who gets what;
 * here that is told to supervisors, and noted in the journal for the next queue.
 */
export class Line {
  readonly #journal: Journal;
  readonly #env: Record<string, string | undefined>;
  readonly #owner: LineOwner;
  readonly #broker: Broker;
  #limits: QueueLimits = { cpus: null, memBytes: null, gpus: null, nice: null };
  #looking = false;
  #alarm: ReturnType<typeof setTimeout> | null = null;

  constructor(journal: Journal, env: Record<string, string | undefined>, owner: LineOwner) {
    this.#journal = journal;
    this.#env = env;
    this.#owner = owner;
    this.#broker = new Broker(detectCapacity({ env }), Date.now() * 1000);
  }

  get capacity(): Capacity {
    return this.#broker.capacity;
  }

  get used(): Room {
    return this.#broker.used;
  }

  /** Folders of the jobs that hold slots. */
  get holders(): string[] {
    return this.#broker.holders;
  }

  heldBy(dir: string): readonly Slot[] {
    return this.#broker.heldBy(dir);
  }

  /** The most slots that the job could ever hold here. */
  mostOf(entry: Entry): number {
    return this.#broker.mostOf(entry.request.shape);
  }

  /** The latest submission says how much the user allows. Returns whether that changes anything. */
  allow(limits: QueueLimits): boolean {
    if (JSON.stringify(limits) === JSON.stringify(this.#limits)) return false;
    this.#limits = limits;
    this.#broker.capacity = detectCapacity({ env: this.#env }, limits);
    return true;
  }

  enter(entry: Entry): void {
    const { dir, shape, tasks, parallel } = entry.request;
    const startable = tasks - (entry.waiting?.size ?? 0) - (entry.broken?.size ?? 0);
    this.#broker.add(dir, entry.order, shape, Math.min(Math.max(1, startable), parallel ?? Infinity));
  }

  /** As `enter`, for a job that holds these slots by the journal of an earlier queue. */
  restore(entry: Entry, slots: readonly Slot[]): void {
    this.enter(entry);
    this.#broker.adopt(entry.request.dir, slots);
  }

  /** As `enter`, for a job that holds these slots by the word of its supervisor. */
  adopt(entry: Entry, slots: readonly Slot[]): void {
    this.restore(entry, slots);
    this.#note(entry.request.dir);
  }

  /** Takes a job out that may come back; its slots are free. */
  leave(entry: Entry): void {
    entry.undelivered = [];
    this.#broker.remove(entry.request.dir);
    this.#note(entry.request.dir);
  }

  /** Takes a job out for good. */
  remove(dir: string): void {
    this.#broker.remove(dir);
  }

  want(dir: string, slots: number): void {
    this.#broker.want(dir, slots);
  }

  release(dir: string, slot: number): void {
    this.#broker.release(dir, slot);
    this.#note(dir);
  }

  /** Hands out what is free. Several events at once are answered by one look. */
  lookSoon(): void {
    if (this.#looking) return;
    this.#looking = true;
    queueMicrotask(() => {
      this.#looking = false;
      this.#look();
    });
  }

  #look(): void {
    const now = performance.now();
    const { grants, reclaims, lookAgainAt } = this.#broker.allocate(now);
    for (const { key, count } of reclaims) this.#owner.entry(key)?.link?.order({ type: "reclaim", count });
    for (const { key, slots } of grants) {
      const entry = this.#owner.entry(key);
      if (!entry) continue;
      this.#note(key);
      giveSlots(entry, slots);
      this.#owner.granted(entry);
    }
    if (this.#alarm) clearTimeout(this.#alarm);
    this.#alarm = lookAgainAt === null ? null : setTimeout(() => this.lookSoon(), lookAgainAt - now);
    this.#owner.settled();
  }

  #note(dir: string): void {
    this.#journal.append({ kind: "slots", dir, slots: this.#broker.heldBy(dir) });
  }
}

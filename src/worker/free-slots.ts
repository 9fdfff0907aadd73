import type { Slot, SlotSource } from "../queue/protocol.ts";
import type { Recorder } from "./recorder.ts";

/** The slots of an element in which nothing runs just now: kept while they are of use, given back otherwise. */
export class FreeSlots {
  readonly #source: SlotSource;
  readonly #recorder: Recorder;
  readonly #slots: Slot[] = [];
  /** How many the queue asks back. */
  #reclaimed = 0;
  #wanted = -1;

  constructor(source: SlotSource, recorder: Recorder) {
    this.#source = source;
    this.#recorder = recorder;
  }

  get isEmpty(): boolean {
    return this.#slots.length === 0;
  }

  take(): Slot | undefined {
    return this.#slots.pop();
  }

  add(...slots: Slot[]): void {
    this.#slots.push(...slots);
  }

  /** So many are to be given back as they become free. */
  reclaim(count: number): void {
    this.#reclaimed += count;
  }

  /** Gives back what is asked for or of no use, and says how many are wanted, those in use (`busy`) included. */
  settle(busy: number, wanted: number): void {
    while (!this.isEmpty && (this.#reclaimed > 0 || busy + this.#slots.length > wanted)) {
      const slot = this.#slots.pop();
      if (slot) this.#giveBack(slot);
    }
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#source.want(wanted);
  }

  /** Others learn of a free slot once the records of what ran in it are durable. */
  #giveBack(slot: Slot): void {
    this.#reclaimed = Math.max(0, this.#reclaimed - 1);
    void this.#recorder.settled().then(() => this.#source.release(slot));
  }
}

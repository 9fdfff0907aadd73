import { statSync } from "node:fs";

import { changesVersion } from "../store/changes.ts";
import { type Interrupt, readCancelled, readHeld, readInterrupts } from "../store/jobs.ts";
import { jobFiles } from "../store/layout.ts";
import { isRequested } from "../store/requests.ts";

/** What people asked for by files in the job's folder, so that it holds whether or not a worker runs. */
export type Wishes = {
  cancelled: "all" | Set<number> | null;
  held: "all" | Set<number> | null;
  /** Warnings that were asked for since the last look, or since the worker began. */
  interrupts: Interrupt[];
};

/**
 * Reads the files of wishes, and again only when they have changed: every change is a new file, so the
 * time of the job's folder tells, and a look costs one call of stat.
 */
export class WishReader {
  readonly #wishes: Wishes = { cancelled: null, held: null, interrupts: [] };
  #cancelledSeen = "";
  #heldSeen = "";
  #interruptsSeen: string;
  #interrupts: number;
  /** The folder's time at the last look; NaN where another change may hide behind the same time. */
  #folderTime = Number.NaN;

  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    this.#interruptsSeen = changesVersion(jobFiles.interrupted(dir));
    this.#interrupts = readInterrupts(dir).length;
  }

  /** The wishes, or null when they are as they were at the last look. Where they cannot be read just now, they are next time. */
  changed(): Wishes | null {
    try {
      return this.#look();
    } catch {
      this.#folderTime = Number.NaN;
      return null;
    }
  }

  #look(): Wishes | null {
    const time = statSync(this.#dir, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN;
    if (time === this.#folderTime) return null;
    this.#folderTime = Math.abs(Date.now() - time) < COARSE_MS ? Number.NaN : time;
    const cancelledSeen = changesVersion(jobFiles.cancelled(this.#dir));
    const heldSeen = changesVersion(jobFiles.held(this.#dir));
    const interruptsSeen = changesVersion(jobFiles.interrupted(this.#dir));
    const areNew = interruptsSeen !== this.#interruptsSeen;
    if (cancelledSeen === this.#cancelledSeen && heldSeen === this.#heldSeen && !areNew) return null;
    if (cancelledSeen !== this.#cancelledSeen) this.#wishes.cancelled = readCancelled(this.#dir);
    this.#cancelledSeen = cancelledSeen;
    if (heldSeen !== this.#heldSeen) this.#wishes.held = readHeld(this.#dir);
    this.#heldSeen = heldSeen;
    // Last, since they are told once: what throws before this leaves them to the next look.
    this.#wishes.interrupts = areNew ? this.#newInterrupts() : [];
    this.#interruptsSeen = interruptsSeen;
    return this.#wishes;
  }

  #newInterrupts(): Interrupt[] {
    const all = readInterrupts(this.#dir);
    const added = all.slice(this.#interrupts);
    this.#interrupts = all.length;
    return added;
  }
}

/** Whether a task is asked to be cancelled, as far as that can be read just now. */
export function isCancelled(dir: string, task: number): boolean {
  try {
    return isRequested(readCancelled(dir), task);
  } catch {
    return false;
  }
}

/** File systems keep times no finer than the kernel's clock tick, at most 10 ms. */
const COARSE_MS = 50;

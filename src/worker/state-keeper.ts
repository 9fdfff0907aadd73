import { rmSync } from "node:fs";
import { basename } from "node:path";

import { JobxError } from "../errors.ts";
import { decode, encodeAt } from "../store/codec.ts";
import { ensureDir } from "../store/files.ts";
import { statePath } from "../store/layout.ts";
import {
  encodeState,
  listStates,
  readState,
  removeLeftovers,
  type StateMark,
  type StoredState,
  writeState,
} from "../store/task-state.ts";
import { describeState } from "./reasons.ts";

export type KeeperPlace = {
  /** The task's checkpoint folder. */
  folder: string;
  attempt: number;
  rank: number;
  ranks: number;
  /** The latest state when the attempt began; null to look. Ranks start at different times, and must not differ. */
  upTo: number | null;
  /** Writes a line into the task's log. */
  note: (text: string) => void;
};

type Kept = Pick<StateMark, "saved" | "args" | "done">;

/** A save that waits for the one before it, with everybody who waits for it. */
type Waiting = { pieces: Uint8Array[]; saved: PromiseWithResolvers<void> };

/** The state of one task's function: what it goes on from, and what it saves. Rank 0 alone writes. */
export class StateKeeper {
  readonly #place: KeeperPlace;
  #restored: unknown = null;
  #current: Kept = { saved: false, args: null, done: [] };
  /** States on disk, the latest first. */
  #numbers: number[];
  /** The one that this attempt goes on from, kept as long as other ranks may have to read it; 0 for none. */
  #origin = 0;
  /** The last one that is whole. Any after it proved damaged when this attempt began. */
  #latest = 0;
  #next: number;
  #waiting: Waiting | null = null;
  #writing: Promise<void> | null = null;
  #closed = false;

  /** Reads the last whole state, and notes in the log which it is. Throws FORMAT or STORAGE. */
  constructor(place: KeeperPlace) {
    this.#place = place;
    if (place.rank === 0) removeLeftovers(place.folder);
    this.#numbers = listStates(place.folder);
    this.#next = (this.#numbers[0] ?? 0) + 1;
    const candidates = this.#numbers.filter((number) => number <= (place.upTo ?? Infinity));
    for (const number of candidates) {
      const found = this.#read(number);
      if (!found) continue;
      this.#current = found.mark;
      this.#restored = found.mark.saved ? decode(found.body) : null;
      this.#origin = number;
      this.#latest = number;
      place.note(`goes on ${describeState(found.mark)}`);
      return;
    }
    if (candidates.length > 0) place.note("no saved state can be read: starts from the beginning");
  }

  /** What an earlier attempt of the function saved; null where none has. */
  get restored(): unknown {
    return this.#restored;
  }

  /** What to call the function with, when that is not what it was submitted with. */
  get args(): unknown[] | null {
    return this.#current.args;
  }

  /** Of a sequence: the values of the steps that are done. */
  get done(): readonly unknown[] {
    return this.#current.done;
  }

  /**
   * Saves the function's state as it is now. Rejects with PAYLOAD or STORAGE, or with USAGE once the function
   * has ended. On other ranks than 0 it does nothing.
   */
  async save(state: unknown): Promise<void> {
    if (this.#closed) throw closedError();
    if (this.#place.rank !== 0) return;
    return this.#keep({ ...this.#current, saved: true }, encodeAt(state, "state"));
  }

  /** Saves that the function is to be called with these arguments from now on, and with the state that was saved last. */
  async callWith(args: unknown[]): Promise<void> {
    while (this.#writing) await this.#writing;
    const body = this.#current.saved ? this.#read(this.#latest)?.body : undefined;
    await this.#keep({ ...this.#current, saved: body !== undefined, args }, body ?? NOTHING);
  }

  /** Saves that a sequence's step is done; the next one has no state yet. */
  async finishStep(value: unknown): Promise<void> {
    const mark = { saved: false, args: null, done: [...this.#current.done, value] };
    this.#restored = null;
    if (this.#place.rank !== 0) this.#current = mark;
    else await this.#keep(mark, NOTHING);
  }

  /** Refuses further saves, and resolves when those under way are over, well or not. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writing) await this.#writing;
  }

  async #keep({ saved, args, done }: Kept, body: Uint8Array): Promise<void> {
    const { attempt } = this.#place;
    const mark: StateMark = { attempt, savedAt: new Date().toISOString(), saved, args, done };
    const pieces = encodeState({ mark, body });
    this.#current = mark;
    // Of several that wait only the latest is written: its success is the earlier ones' too.
    this.#waiting = { pieces, saved: this.#waiting?.saved ?? Promise.withResolvers<void>() };
    const { promise } = this.#waiting.saved;
    this.#writing ??= this.#writeAll();
    return promise;
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#waiting; next; next = this.#waiting) {
      this.#waiting = null;
      await this.#write(next.pieces).then(next.saved.resolve, next.saved.reject);
      release(...next.pieces);
    }
    this.#writing = null;
  }

  async #write(pieces: Uint8Array[]): Promise<void> {
    const { folder, ranks } = this.#place;
    ensureDir(folder);
    const number = this.#next++;
    await writeState(folder, number, pieces);
    const kept = new Set([number, this.#latest, ranks > 1 ? this.#origin : number]);
    for (const old of this.#numbers) if (!kept.has(old)) rmSync(statePath(folder, old), { force: true });
    this.#numbers = [number, ...this.#numbers.filter((old) => kept.has(old))];
    this.#latest = number;
  }

  /** Null, with a note of it, for a state that is damaged or gone. */
  #read(number: number): StoredState | null {
    const { folder, note } = this.#place;
    try {
      return readState(folder, number);
    } catch (error) {
      if (!(error instanceof JobxError) || error.code !== "DAMAGED") throw error;
      note(`${basename(statePath(folder, number))} is passed over: ${error.message}`);
      return null;
    }
  }
}

function closedError(): JobxError {
  return new JobxError("USAGE", "save() was called after the function had ended", {
    hint: "Await every save() before the function returns",
  });
}

/** Gives the memory of a large state's bytes back at once: they would be left to pile up. */
function release(...pieces: Uint8Array[]): void {
  for (const { buffer, length } of pieces) {
    if (length >= LARGE_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
  }
}

const LARGE_BYTES = 16 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

import { changesVersion } from "../store/changes.ts";
import { readCancelled, readHeld } from "../store/jobs.ts";
import { jobFiles } from "../store/layout.ts";

/** What people asked for by files in the job's folder, so that it holds whether or not a worker runs. */
export type Wishes = {
  cancelled: "all" | Set<number> | null;
  held: "all" | Set<number> | null;
};

/** Reads the files of wishes, and again only when they have changed: a look costs two listings of the job's folder. */
export class WishReader {
  readonly #wishes: Wishes = { cancelled: null, held: null };
  #cancelledSeen = "";
  #heldSeen = "";

  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** The wishes, or null when they are as they were at the last look. */
  changed(): Wishes | null {
    const cancelledSeen = changesVersion(jobFiles.cancelled(this.#dir));
    const heldSeen = changesVersion(jobFiles.held(this.#dir));
    if (cancelledSeen === this.#cancelledSeen && heldSeen === this.#heldSeen) return null;
    if (cancelledSeen !== this.#cancelledSeen) this.#wishes.cancelled = readCancelled(this.#dir);
    if (heldSeen !== this.#heldSeen) this.#wishes.held = readHeld(this.#dir);
    this.#cancelledSeen = cancelledSeen;
    this.#heldSeen = heldSeen;
    return this.#wishes;
  }
}

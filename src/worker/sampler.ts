import { readShareBytes, readStatus, treeOf } from "../queue/proc.ts";
import type { Alarms } from "./alarms.ts";
import { clock } from "./clock.ts";

/** A process with all below it; `peakBytes` is the largest peak of any of them that was seen. */
export type ProcessTree = { pid: number; peakBytes: number };

/** Process trees whose memory is looked at, and limited as a whole, while they last: the ranks of an attempt. */
export type Watched = {
  readonly trees: Set<ProcessTree>;
  limitBytes: number | null;
  /** Called once when all their processes together use more than the limit. */
  onExceeded: (usedBytes: number) => void;
};

type Entry = { watched: Watched; next: number; gap: number };

/**
 * Looks at the memory of tasks that last: ten times a second at those with a limit, at the others ever
 * more seldom (the kernel keeps their peak). Short tasks are never looked at.
 */
export class Sampler {
  readonly #entries = new Map<Watched, Entry>();
  /** When the next look is due, by the clock. */
  #due = Infinity;
  #forgetLook: () => void = () => undefined;

  readonly #alarms: Alarms;

  constructor(alarms: Alarms) {
    this.#alarms = alarms;
  }

  add(watched: Watched): void {
    const gap = watched.limitBytes === null ? FIRST_LOOK_MS : LIMITED_LOOK_MS;
    const next = clock.now() + gap;
    this.#entries.set(watched, { watched, next, gap });
    this.#schedule(next);
  }

  delete(watched: Watched): void {
    this.#entries.delete(watched);
  }

  #schedule(due: number): void {
    if (due >= this.#due) return;
    this.#forgetLook();
    this.#due = due;
    this.#forgetLook = this.#alarms.after(due - clock.now(), () => this.#tick());
  }

  #tick(): void {
    this.#due = Infinity;
    const now = clock.now();
    let soonest = Infinity;
    for (const entry of this.#entries.values()) {
      if (entry.next <= now) look(entry, now);
      soonest = Math.min(soonest, entry.next);
    }
    if (this.#entries.size > 0) this.#schedule(Math.max(soonest, now + LIMITED_LOOK_MS));
  }
}

function look(entry: Entry, now: number): void {
  const { watched } = entry;
  const pids: number[] = [];
  let total = 0;
  for (const tree of watched.trees) {
    for (const pid of treeOf(tree.pid)) {
      const status = readStatus(pid);
      if (!status) continue;
      pids.push(pid);
      total += status.rssBytes;
      tree.peakBytes = Math.max(tree.peakBytes, status.peakRssBytes);
    }
  }
  if (watched.limitBytes === null) entry.gap = Math.min(entry.gap * 2, LONGEST_GAP_MS);
  else if (total > watched.limitBytes) judge(watched, pids, total);
  entry.next = now + entry.gap;
}

/** RSS counts pages that processes share once for each of them; only the shares' sum convicts. */
function judge(watched: Watched, pids: number[], totalRss: number): void {
  const shares = pids.length > 1 ? pids.map((pid) => readShareBytes(pid)) : [null];
  const known = shares.every((share) => share !== null);
  const used = known ? shares.reduce((sum: number, share) => sum + (share ?? 0), 0) : totalRss;
  if (watched.limitBytes !== null && used > watched.limitBytes) watched.onExceeded(used);
}

const FIRST_LOOK_MS = 500;
const LIMITED_LOOK_MS = 100;
const LONGEST_GAP_MS = 30_000;

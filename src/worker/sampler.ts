import { readShareBytes, readStatus, treeOf } from "../queue/proc.ts";
import type { Alarms } from "./alarms.ts";

/** A process tree whose memory is looked at while it lasts. */
export type Watched = {
  pid: number;
  /** The largest peak of any of its processes that was seen, in bytes. */
  peakBytes: number;
  limitBytes: number | null;
  /** Called once when all its processes together use more than the limit. */
  onExceeded: (usedBytes: number) => void;
};

type Entry = { watched: Watched; next: number; gap: number };

/**
 * Looks at the memory of tasks that last: ten times a second at those with a limit, at the others ever
 * more seldom (the kernel keeps their peak). Short tasks are never looked at.
 */
export class Sampler {
  readonly #entries = new Map<Watched, Entry>();
  #ticking = false;

  readonly #alarms: Alarms;

  constructor(alarms: Alarms) {
    this.#alarms = alarms;
  }

  add(watched: Watched): void {
    const gap = watched.limitBytes === null ? FIRST_LOOK_MS : LIMITED_LOOK_MS;
    this.#entries.set(watched, { watched, next: performance.now() + gap, gap });
    this.#schedule(gap);
  }

  delete(watched: Watched): void {
    this.#entries.delete(watched);
  }

  #schedule(delay: number): void {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#alarms.after(delay, () => this.#tick());
  }

  #tick(): void {
    this.#ticking = false;
    const now = performance.now();
    let soonest = Infinity;
    for (const entry of this.#entries.values()) {
      if (entry.next <= now) look(entry, now);
      soonest = Math.min(soonest, entry.next);
    }
    if (this.#entries.size > 0) this.#schedule(Math.max(soonest - now, LIMITED_LOOK_MS));
  }
}

function look(entry: Entry, now: number): void {
  const { watched } = entry;
  const tree = treeOf(watched.pid);
  let total = 0;
  for (const pid of tree) {
    const status = readStatus(pid);
    if (!status) continue;
    total += status.rssBytes;
    watched.peakBytes = Math.max(watched.peakBytes, status.peakRssBytes);
  }
  if (watched.limitBytes === null) entry.gap = Math.min(entry.gap * 2, LONGEST_GAP_MS);
  else if (total > watched.limitBytes) judge(watched, tree, total);
  entry.next = now + entry.gap;
}

/** RSS counts pages that processes share once for each of them; only the shares' sum convicts. */
function judge(watched: Watched, tree: number[], totalRss: number): void {
  const shares = tree.length > 1 ? tree.map((pid) => readShareBytes(pid)) : [null];
  const known = shares.every((share) => share !== null);
  const used = known ? shares.reduce((sum: number, share) => sum + (share ?? 0), 0) : totalRss;
  if (watched.limitBytes !== null && used > watched.limitBytes) watched.onExceeded(used);
}

const FIRST_LOOK_MS = 500;
const LIMITED_LOOK_MS = 100;
const LONGEST_GAP_MS = 30_000;

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import type { SegmentRecord } from "../model/records.ts";
import { whenThere } from "./files.ts";
import { jobFiles, parseSegmentName } from "./layout.ts";
import { type Damage, readSegment } from "./segment-reader.ts";

/** A folder that did not change for this long, as this process saw it, is not listed again. */
const SETTLED_MS = 3_000;

type Folder = { modified: number; since: number };
type Segment = { next: number; size: number; ended: boolean; torn: boolean };

/** Follows all segments of a job: each poll reads what was written since the one before. */
export class JobTail {
  readonly #results: string;
  readonly #folders = new Map<string, Folder>();
  readonly #segments = new Map<string, Segment>();
  /** Damage at a tail is found again by every poll, and reported once. */
  readonly #reported = new Set<string>();

  constructor(dir: string) {
    this.#results = jobFiles.results(dir);
  }

  /**
   * New records and newly found damage. Costs a look at each unfinished segment when nothing changed. A job
   * without results has none. With `afresh` every folder is listed and every unfinished segment opened: what stat says
   * may be a minute old on a network file system (nfs(5), acregmax and acdirmax), and opening asks the server. Throws
   * FORMAT or STORAGE.
   */
  poll({ afresh = false } = {}): { records: SegmentRecord[]; damage: Damage[] } {
    if (afresh) this.#folders.clear();
    this.#discover();
    const records: SegmentRecord[] = [];
    const damage: Damage[] = [];
    for (const [path, segment] of this.#segments) {
      if (segment.ended) continue;
      const found = this.#readNew(path, segment, afresh);
      if (!found) continue;
      // One at a time: a spread of 100,000 arguments overflows the stack.
      for (const record of found.records) records.push(record);
      for (const each of found.damage) {
        const key = `${each.file}:${each.offset}`;
        if (!this.#reported.has(key)) damage.push(each);
        this.#reported.add(key);
      }
    }
    return { records, damage };
  }

  #readNew(
    path: string,
    segment: Segment,
    afresh: boolean,
  ): { records: SegmentRecord[]; damage: Damage[] } | null {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size === segment.size && !segment.torn && !afresh) return null;
    const contents = readSegment(path, segment.next);
    this.#segments.set(path, {
      next: contents.next,
      size: contents.size,
      ended: contents.ended,
      // Looked at again even at the same size: a network file system may show bytes late.
      torn: contents.next < contents.size,
    });
    return contents;
  }

  #discover(): void {
    for (const shard of this.#newNames(this.#results) ?? this.#shards) {
      this.#shards.add(shard);
      const folder = join(this.#results, shard);
      for (const name of this.#newNames(folder) ?? []) {
        const path = join(folder, name);
        if (!parseSegmentName(name) || this.#segments.has(path)) continue;
        this.#segments.set(path, { next: 0, size: 0, ended: false, torn: false });
      }
    }
  }

  readonly #shards = new Set<string>();

  /** The names in a folder; null when it has not changed for a while. */
  #newNames(folder: string): string[] | null {
    const modified = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
    if (modified === undefined) return whenThere(folder, () => readdirSync(folder)) ?? [];
    const known = this.#folders.get(folder);
    const now = performance.now();
    if (known?.modified === modified) return now - known.since < SETTLED_MS ? readdirSync(folder) : null;
    this.#folders.set(folder, { modified, since: now });
    return readdirSync(folder);
  }
}

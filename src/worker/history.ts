import { readdirSync } from "node:fs";
import { dirname } from "node:path";

import type { AgainRecord, ResultRecord, SegmentRecord, StartedRecord } from "../model/records.ts";
import { parseSegmentName, segmentPath } from "../store/layout.ts";
import { readSegment } from "../store/segment-reader.ts";
import { AGAIN_EXIT_CODE, type History } from "./policy.ts";

/** What earlier supervisors of an element have recorded of one task. */
export type TaskHistory = History & {
  /** The attempt to run next, unless it is final. */
  attempt: number;
  /** Every rank has its result. */
  final: boolean;
  succeeded: boolean;
  /** Why the latest attempt is followed by another, where that is known. */
  why?: string;
  /** How the latest attempt left when its allocation ended; null where it ended otherwise. */
  parting: AgainRecord | null;
  /** Ranks of an attempt that began and left no end: their supervisor died. */
  open: StartedRecord[];
};

export type ElementHistory = {
  /** The number of this supervisor's own segment. */
  start: number;
  tasks: Map<number, TaskHistory>;
};

/**
 * Reads the segments that earlier supervisors of an element left; damaged records count as not written.
 * `restarts` is how many there were at least, should the file system be slow to show them.
 */
export function readHistory(dir: string, element: number, ranks: number, restarts = 0): ElementHistory {
  const folder = dirname(segmentPath(dir, element, 0, 0));
  const segments = listSegments(folder).filter((segment) => segment.element === element);
  const byTask = new Map<number, SegmentRecord[]>();
  for (const { start, rank } of segments) {
    for (const record of readSegment(segmentPath(dir, element, start, rank)).records) {
      const records = byTask.get(record.task);
      if (records) records.push(record);
      else byTask.set(record.task, [record]);
    }
  }
  const tasks = new Map<number, TaskHistory>();
  for (const [task, records] of byTask) tasks.set(task, historyOf(records, ranks));
  const start = Math.max(restarts, ...segments.map((segment) => segment.start + 1));
  return { start, tasks };
}

/** Folds one task's records. Ranks share their attempts, so rank 0 counts what happened before. */
function historyOf(records: SegmentRecord[], ranks: number): TaskHistory {
  const last = Math.max(...records.map((record) => record.attempt));
  const latest = records.filter((record) => record.attempt === last);
  const results = latest.filter((record): record is ResultRecord => record.kind === "result");
  const agains = records.filter(
    (record): record is AgainRecord => record.kind === "again" && record.rank === 0,
  );
  const ended = new Set(latest.filter((record) => record.kind !== "started").map((record) => record.rank));
  const final = new Set(results.map((record) => record.rank)).size >= ranks;
  const goesOn = latest.some((record) => record.kind === "again");
  const open = latest.filter(
    (record): record is StartedRecord => record.kind === "started" && !ended.has(record.rank),
  );
  return {
    attempt: goesOn || open.length > 0 ? last + 1 : last,
    final,
    succeeded: final && results.every((record) => record.status === "succeeded"),
    open: goesOn || final ? [] : open,
    parting: partingOf(latest),
    why: latest.find((record): record is AgainRecord => record.kind === "again")?.reason,
    failures: agains.filter((record) => record.why === "failed").length,
    timeouts: agains.filter((record) => record.why === "timeout").length,
    losses: agains.filter((record) => record.why === "lost").length,
  };
}

/** Of several ranks, the one that asked to be run again speaks for all. None does once a later run has counted the attempt. */
function partingOf(latest: SegmentRecord[]): AgainRecord | null {
  const left = latest.filter((record): record is AgainRecord => record.kind === "again");
  if (left.some(({ why }) => why !== "preempted")) return null;
  return left.find((record) => record.exitCode === AGAIN_EXIT_CODE) ?? left[0] ?? null;
}

function listSegments(folder: string): { element: number; start: number; rank: number }[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .map((name) => parseSegmentName(name))
    .filter((segment) => segment !== null)
    .sort((a, b) => a.start - b.start);
}

import { parseIndexList } from "../../model/index-list.ts";
import type { NativeId } from "../../model/job.ts";
import { jobFiles } from "../../store/layout.ts";
import type { JobRef } from "../contract.ts";
import { nativeName } from "./array.ts";
import type { NativeStatus } from "./native.ts";

/** An element that is asked about, and what is known of it so far. */
export type Open = { job: JobRef; native: NativeId; element: number; found: NativeStatus | null };

/** Gives each element the row that is about it; a row of another submission with a reused id is about none. */
export function layOver(asked: Open[], rows: NativeStatus[], isFirst: boolean): void {
  const byId = Map.groupBy(rows, (row) => row.id);
  const indexed = new Map<string, { byIndex: Map<number, NativeStatus>; whole: NativeStatus[] }>();
  for (const [id, list] of byId) indexed.set(id, index(list));
  for (const one of asked) {
    const known = indexed.get(one.native.id);
    if (!known) continue;
    const at = one.element - one.native.firstElement;
    const row = known.byIndex.get(at) ?? known.whole.find((candidate) => isOurs(candidate, one));
    if (!row || !isOurs(row, one)) continue;
    // Of what waits or runs the first stage knows best: later ones lag behind, or tell of an id's next owner.
    if (!isFirst && (row.state === "queued" || row.state === "running")) continue;
    one.found = row;
  }
}

/** The native ids of elements that are missing of which an answer knows others, be it some that nobody asks about any more. */
export function knownNatives(missing: Open[], rows: NativeStatus[]): NativeId[] {
  if (missing.length === 0) return [];
  const byId = Map.groupBy(rows, (row) => row.id);
  const byNative = new Map(missing.map((one) => [one.native, one]));
  return [...byNative].flatMap(([native, one]) =>
    byId.get(native.id)?.some((row) => isOurs(row, one)) ? [native] : [],
  );
}

function index(rows: NativeStatus[]) {
  const byIndex = new Map<number, NativeStatus>();
  const whole: NativeStatus[] = [];
  for (const row of rows) {
    const indices = row.indices === null ? null : parseIndexList(row.indices);
    if (indices === null || typeof indices === "string") whole.push(row);
    else for (const at of indices) byIndex.set(at, row);
  }
  return { byIndex, whole };
}

/**
 * Ids are used again after a reset. The script's path is not; where a row does not tell it, it is about another submission
 * when that came before, or has another name. A requeued job's time of submission may be later than it was.
 */
function isOurs(row: NativeStatus, { job, native }: Open): boolean {
  if (row.command !== null) {
    return row.command.includes(jobFiles.script(job.dir)) || row.command.includes(job.spec.token);
  }
  if (row.name && row.name !== nativeName(job.spec)) return false;
  return row.submitted === null || Date.parse(row.submitted) > Date.parse(native.submitted) - CLOCKS_MS;
}

/** How much the clocks of hosts may differ, at most. */
const CLOCKS_MS = 600_000;

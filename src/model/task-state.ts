import type { AgainRecord, SegmentRecord } from "./records.ts";
import { isFinal, type TaskState } from "./states.ts";
import type { RankView, TaskView } from "./task-view.ts";

/** A rank as its record shows it, with the record itself. */
export type RankState = RankView & { record: SegmentRecord | null };

/** Of two records of one rank, the one that counts: the first success, else the later attempt's, else the weightier kind. */
export function later<T extends SegmentRecord>(a: T | undefined, b: T): T {
  if (a === undefined) return b;
  if (succeeded(a) !== succeeded(b)) return succeeded(a) ? a : b;
  if (a.attempt !== b.attempt) return a.attempt < b.attempt === succeeded(a) ? a : b;
  if (weight(a) !== weight(b)) return weight(a) > weight(b) ? a : b;
  // The same attempt twice: a supervisor that died unseen was started again. Its first success, or its last word.
  return momentOf(a) <= momentOf(b) === succeeded(a) ? a : b;
}

export function rankView(record: SegmentRecord | undefined, rank: number): RankState {
  if (!record) {
    return { rank, state: "queued", attempt: 0, node: null, startedAt: null, result: null, record: null };
  }
  const { node, startedAt, attempt } = record;
  switch (record.kind) {
    case "started":
      return { rank, state: "running", attempt, node, startedAt, result: null, record };
    case "again":
      return { rank, state: "queued", attempt: attempt + 1, node, startedAt, result: null, record };
    case "result":
      return { rank, state: record.status, attempt, node, startedAt, result: record, record };
  }
}

/**
 * The state of a task from its ranks. Only those of the latest attempt count, besides successes, which
 * last: running while any runs, then the worst end of any, then queued for another attempt.
 */
export function stateOfRanks(ranks: readonly RankState[]): TaskState {
  const current = currentRanks(ranks);
  if (current.some((rank) => rank.state === "running")) return "running";
  const worst = worstRank(current);
  if (worst) return worst.state;
  if (current.some((rank) => rank.record?.kind === "again")) return "queued";
  const successes = current.filter((rank) => rank.state === "succeeded").length;
  if (successes === ranks.length) return "succeeded";
  // Some ranks are through and the others have yet to begin.
  return successes > 0 ? "running" : "queued";
}

/** Everything that the ranks say of their task. */
export function viewOfTask(index: number, ranks: readonly RankState[]): TaskView {
  const state = stateOfRanks(ranks);
  const current = currentRanks(ranks);
  const telling = worstRank(current) ?? current.find((rank) => rank.record?.kind !== "started") ?? current[0];
  const record = telling?.record ?? null;
  const ended = record !== null && record.kind !== "started" && state !== "running" ? record : null;
  const startedAt = earliest(current.map((rank) => rank.startedAt));
  const endedAt = isFinal(state) ? latest(current.map((rank) => rank.result?.endedAt ?? null)) : null;
  const nodes = [...new Set(current.map((rank) => rank.node).filter((node) => node !== null))];
  const used = current.map((rank) => rank.result?.usage?.maxRssBytes).filter((bytes) => bytes !== undefined);
  return {
    index,
    state,
    attempt: Math.max(0, ...current.map((rank) => rank.attempt)),
    exitCode: ended?.exitCode ?? null,
    signal: ended?.signal ?? null,
    reason: ended === null ? null : ended.kind === "again" ? reasonToWait(ended) : ended.reason,
    native: null,
    node: nodes.length > 0 ? nodes.join(",") : null,
    startedAt,
    endedAt,
    seconds:
      startedAt !== null && endedAt !== null ? (Date.parse(endedAt) - Date.parse(startedAt)) / 1000 : null,
    maxRssBytes: used.length > 0 ? Math.max(...used) : null,
    ranks: ranks.map(withoutRecord),
  };
}

function withoutRecord({ rank, state, attempt, node, startedAt, result }: RankState): RankView {
  return { rank, state, attempt, node, startedAt, result };
}

function currentRanks(ranks: readonly RankState[]): RankState[] {
  const attempt = Math.max(0, ...ranks.map((rank) => rank.attempt));
  return ranks.filter(
    (rank) => rank.record !== null && (rank.attempt === attempt || rank.state === "succeeded"),
  );
}

function worstRank(ranks: readonly RankState[]): RankState | undefined {
  for (const state of ["failed", "lost", "timeout", "cancelled"]) {
    const found = ranks.find((rank) => rank.state === state);
    if (found) return found;
  }
  return undefined;
}

function reasonToWait(record: AgainRecord): string {
  return `waits for attempt ${record.attempt + 1}: ${record.reason}`;
}

function succeeded(record: SegmentRecord): boolean {
  return record.kind === "result" && record.status === "succeeded";
}

/** What a later run of the element made of an attempt that its allocation ended weighs more than that end. */
function weight(record: SegmentRecord): number {
  if (record.kind === "again") return record.why === "preempted" ? 1 : 2;
  return record.kind === "started" ? 0 : 3;
}

function momentOf(record: SegmentRecord): string {
  return record.kind === "started" ? record.startedAt : record.endedAt;
}

function earliest(times: readonly (string | null)[]): string | null {
  return times.reduce(
    (least, time) => (time !== null && (least === null || time < least) ? time : least),
    null,
  );
}

function latest(times: readonly (string | null)[]): string | null {
  return times.reduce((most, time) => (time !== null && (most === null || time > most) ? time : most), null);
}

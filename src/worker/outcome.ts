import type { JobSpec } from "../model/job.ts";
import type { AgainRecord, ResultRecord } from "../model/records.ts";
import type { FinalState } from "../model/states.ts";
import { wayOut } from "../model/way-out.ts";
import { holdsCheckpoint } from "../store/checkpoints.ts";
import { checkpointDir } from "../store/layout.ts";
import { latestMark } from "../store/task-state.ts";
import { AGAIN_EXIT_CODE, type Cause, decide, type Decision, type Ending, type History } from "./policy.ts";
import type { RankEnd } from "./rank.ts";
import { describeState, reasonOf, refusedAgainReason } from "./reasons.ts";

/** What came of one attempt: one end per rank, and what the supervisor did to it. */
export type AttemptEnd = {
  cause: Cause | null;
  causeReason: string | null;
  ranks: RankEnd[];
  startedAt: string;
  endedAt: string;
};

export type Outcome = { decision: Decision; records: (ResultRecord | AgainRecord)[] };

/** Judges an attempt that has ended, and says it in records, one per rank. */
export function judge(
  place: { dir: string; spec: JobSpec; task: number; attempt: number; node: string },
  end: AttemptEnd,
  history: History,
): Outcome {
  const { dir, spec, task } = place;
  const ending: Ending = {
    cause: end.cause,
    ok: end.ranks.every((rank) => rank.ok),
    asksAgain: end.ranks.some((rank) => rank.again === true),
    refusesAgain: end.ranks.some((rank) => rank.again === false),
    hasCheckpoint: () => holdsCheckpoint(checkpointDir(dir, spec.tasks, task)),
  };
  const decision = decide(ending, history, spec.run);
  const records = end.ranks.map((_, rank) => recordOf(place, end, rank, decision));
  if ("again" in decision) return { decision, records: goingOn(place, ending, records) };
  const isResumable = decision.final === "timeout" && ending.hasCheckpoint();
  return { decision, records: isResumable ? resumable(spec, decision.exhausted, records) : records };
}

/** Says where the next attempt will go on, and keeps what its allocation's end leaves open: whether it may. */
function goingOn(
  { dir, spec, task }: { dir: string; spec: JobSpec; task: number },
  { refusesAgain }: Ending,
  records: Outcome["records"],
): Outcome["records"] {
  const mark = spec.entry.kind === "function" ? latestMark(checkpointDir(dir, spec.tasks, task)) : null;
  return records.map((record) => {
    const reason = mark ? `${record.reason}; goes on ${describeState(mark)}` : record.reason;
    return record.kind === "again" && refusesAgain
      ? { ...record, reason: String(reason), refused: true }
      : { ...record, reason: String(reason) };
  });
}

/** Says how a task goes on that its time limit has ended for good. */
function resumable(
  { id, run }: JobSpec,
  exhausted: boolean,
  records: Outcome["records"],
): Outcome["records"] {
  const why = exhausted ? `--max-timeouts ${run.maxTimeouts} allows no further run; ` : "";
  const way = `${why}jobx retry ${id} --resume goes on from what it has saved`;
  return records.map((record) =>
    record.reason === null ? record : { ...record, reason: `${record.reason}; ${way}` },
  );
}

function recordOf(
  { spec, task, attempt, node }: { spec: JobSpec; task: number; attempt: number; node: string },
  end: AttemptEnd,
  index: number,
  decision: Decision,
): ResultRecord | AgainRecord {
  const rank = end.ranks[index] as RankEnd;
  const { exitCode, signal } = rank;
  const { startedAt, endedAt } = end;
  const shared = { task, rank: index, attempt, exitCode, signal, node, startedAt, endedAt };
  // It may quote half of a surrogate pair, as the runtime's own words on bad JSON do, and that cannot be stored.
  const why = reasonOf(rank, end.cause, end.causeReason).toWellFormed();
  if ("again" in decision) return { kind: "again", ...shared, why: decision.again, reason: why };
  const reason = finalReason(spec, end.cause, exitCode, why);
  const status = statusOf(rank, decision.final, end);
  return {
    kind: "result",
    ...shared,
    status,
    value: status === "succeeded" ? rank.value : null,
    error: rank.error,
    reason: status === "succeeded" ? null : reason,
    usage: rank.usage,
  };
}

/** Why there is no other attempt, where that does not go without saying. */
function finalReason(spec: JobSpec, cause: Cause | null, exitCode: number | null, why: string): string {
  if (cause === null && exitCode === AGAIN_EXIT_CODE) return refusedAgainReason(spec.run);
  if (cause !== "lost") return why;
  return `${why}; ${wayOut(spec, spec.run.requeue === false ? "--retries N" : "--requeue or --retries N")}`;
}

/** Of several ranks, those that did what was asked keep their success when another one failed. */
function statusOf(rank: RankEnd, final: FinalState, end: AttemptEnd): FinalState {
  return rank.ok && end.cause === null ? "succeeded" : final;
}

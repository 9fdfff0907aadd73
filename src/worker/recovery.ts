import type { JobSpec } from "../model/job.ts";
import type { AgainRecord } from "../model/records.ts";
import type { ElementResult } from "./element-run.ts";
import type { Element } from "./element.ts";
import type { ElementHistory, TaskHistory } from "./history.ts";
import { type AttemptEnd, judge } from "./outcome.ts";
import { AGAIN_EXIT_CODE, NO_HISTORY } from "./policy.ts";
import { killSurvivors } from "./processes.ts";
import { neverRan } from "./rank.ts";
import type { Recorder } from "./recorder.ts";
import type { Waiting } from "./task-line.ts";

const LOST_REASON = "the supervisor was killed while the task ran";

export type Place = { dir: string; spec: JobSpec; element: Element; node: string; ranks: number };

/**
 * Takes up what earlier supervisors left: ends processes that outlived theirs, records the attempts that
 * were lost with them, and says which tasks are still to be run.
 */
export function takeUp(
  place: Place,
  history: ElementHistory,
  recorder: Recorder,
): { waiting: Waiting[]; result: ElementResult } {
  const { dir, element, node } = place;
  const result: ElementResult = { succeeded: 0, unsuccessful: 0, left: 0 };
  const waiting: Waiting[] = [];
  if (history.start > 0) {
    const open = [...history.tasks.values()].flatMap((task) => task.open);
    const alive = killSurvivors(dir, open, node, (task) => task >= element.first && task < element.end);
    for (const task of alive) if (!history.tasks.has(task)) history.tasks.set(task, unrecorded(task, node));
  }
  for (let task = element.first; task < element.end; task++) {
    const known = history.tasks.get(task);
    if (known?.final) {
      if (known.succeeded) result.succeeded++;
      else result.unsuccessful++;
    } else if (known && known.open.length > 0 && !recordLoss(place, task, known, recorder)) {
      result.unsuccessful++;
    } else if (known?.parting && !mayReturn(place, task, known, known.parting, recorder)) {
      result.unsuccessful++;
    } else {
      waiting.push({ task, attempt: known?.attempt ?? 0, why: known?.why });
    }
  }
  return { waiting, result };
}

/** A first attempt that was running although its `started` record never reached the disk. */
function unrecorded(task: number, node: string): TaskHistory {
  const startedAt = new Date().toISOString();
  const open = [
    { kind: "started" as const, task, rank: 0, attempt: 0, pid: 0, pidStart: null, node, startedAt },
  ];
  return { ...NO_HISTORY, attempt: 1, final: false, succeeded: false, parting: null, open };
}

/**
 * Whether a task whose allocation was ended may run again now that the scheduler has started the element
 * again; if not, that is its end, and recorded.
 */
function mayReturn(
  place: Place,
  task: number,
  known: TaskHistory,
  { attempt, exitCode, signal, reason, refused, startedAt, endedAt }: AgainRecord,
  recorder: Recorder,
): boolean {
  const left = { exitCode, signal, again: refused ? false : exitCode === AGAIN_EXIT_CODE ? true : null };
  const rank = { ...neverRan(reason), ...left };
  const ranks = Array.from({ length: place.ranks }, () => rank);
  const why = refused ? "asked not to be run again" : "has neither --requeue nor a checkpoint";
  const causeReason = `${reason}; it was started again, but ${why}`;
  const end: AttemptEnd = { cause: "preempted", causeReason, ranks, startedAt, endedAt };
  const { decision, records } = judge({ ...place, task, attempt }, end, known);
  // What counts is recorded, for the runs after this one.
  if (!("again" in decision)) recorder.ended(records);
  else if (decision.again === "failed") {
    recorder.ended(records);
    known.failures++;
  }
  return "again" in decision;
}

/** Records a lost attempt; true when the task is to be run again. */
function recordLoss(place: Place, task: number, known: TaskHistory, recorder: Recorder): boolean {
  const [first] = known.open;
  const startedAt = first?.startedAt ?? new Date().toISOString();
  const end: AttemptEnd = {
    cause: "lost",
    causeReason: LOST_REASON,
    ranks: Array.from({ length: place.ranks }, () => neverRan(LOST_REASON)),
    startedAt,
    endedAt: new Date().toISOString(),
  };
  const { decision, records } = judge({ ...place, task, attempt: first?.attempt ?? 0 }, end, known);
  const openRanks = new Set(known.open.map((record) => record.rank));
  recorder.ended(records.filter((record) => openRanks.has(record.rank)));
  const again = "again" in decision;
  if (again) {
    known.losses++;
    known.why = records[0]?.reason ?? undefined;
  }
  return again;
}

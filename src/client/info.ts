import type { Resources } from "../model/resources.ts";
import type { Counts, TaskState } from "../model/states.ts";
import type { RankView, TaskView } from "../model/task-view.ts";
import { viewOf } from "../orchestrator/view.ts";
import { countsOf, stateOfScope } from "./outcome.ts";
import type { Scope } from "./scope.ts";

/** What is known of a job. Times are ISO 8601 UTC; null where they have not come. */
export type JobInfo = {
  id: number;
  name: string;
  executor: string;
  nativeIds: string[];
  state: TaskState;
  /** How many tasks are in each state. */
  counts: Counts;
  tasks: number;
  /** Why it waits; null where it does not. */
  reason: string | null;
  created: string;
  startedAt: string | null;
  endedAt: string | null;
  /** From the start of the first task to the end of the last one, or until now. */
  seconds: number | null;
  cwd: string;
  user: string;
  host: string;
  /** What was asked for: seconds, bytes. */
  resources: Resources;
  options: Record<string, unknown>;
  /** The job and tasks that this one retries. */
  origin: { job: number; tasks: number[] } | null;
};

/** What is known of a task: as `jobx status --tasks --json` has it. */
export type TaskInfo = Omit<TaskView, "ranks">;

/** What is known of a rank. */
export type RankInfo = Omit<RankView, "result"> & {
  endedAt: string | null;
  exitCode: number | null;
  signal: string | null;
  /** Why it did not succeed. */
  reason: string | null;
};

export function infoOfJob(scope: Scope): JobInfo {
  const { id, spec, natives, reason, startedAt, endedAt, seconds } = viewOf(scope.reader);
  const { name, executor, created, cwd, user, host, resources, options, origin } = spec;
  return {
    id,
    name,
    executor,
    nativeIds: natives.map((native) => native.id),
    state: stateOfScope(scope),
    counts: countsOf(scope),
    tasks: scope.tasks?.length ?? spec.tasks,
    reason,
    created,
    startedAt,
    endedAt,
    seconds,
    cwd,
    user,
    host,
    resources,
    options,
    origin,
  };
}

export function infoOfTask({ reader, tasks }: Scope): TaskInfo {
  const { ranks: _, ...info } = reader.task(tasks?.[0] ?? 0);
  return info;
}

export function infoOfRank({ reader, tasks, rank }: Scope): RankInfo {
  const task = reader.task(tasks?.[0] ?? 0);
  const own = task.ranks.find((each) => each.rank === rank);
  const { state, attempt, node, startedAt, result } = own ?? { ...task, result: null };
  return {
    rank: rank ?? 0,
    state,
    attempt,
    node,
    startedAt,
    endedAt: result?.endedAt ?? null,
    exitCode: result?.exitCode ?? null,
    signal: result?.signal ?? null,
    reason: result?.reason ?? null,
  };
}

import { readFileSync } from "node:fs";

import { errnoOf, JobxError } from "../errors.ts";
import type { JobSpec, NativeId, TaskPayload } from "../model/job.ts";
import type { AgainRecord } from "../model/records.ts";
import { later } from "../model/task-state.ts";
import type { TaskView } from "../model/task-view.ts";
import { existingLogs, logFiles } from "../orchestrator/logs.ts";
import type { JobView } from "../orchestrator/view.ts";
import { checkpointDir, jobFiles } from "../store/layout.ts";
import { JobTail } from "../store/segment-tail.ts";
import { openPayload } from "../store/task-payloads.ts";
import { type Scope, tasksIn } from "./selection.ts";
import { type JobJson, jobJson, type TaskJson, taskJson } from "./status-json.ts";

/** One attempt of a task that was followed by another. */
export type AttemptJson = Omit<AgainRecord, "kind" | "task">;

/** A task as `show` has it: `status --tasks` plus what it was given and what it used. */
export type TaskDetails = TaskJson & {
  params: Record<string, unknown> | null;
  line: string | null;
  args: unknown[];
  /** Which of the job's functions it calls, 0 for the entry's own. */
  fn: number;
  /** The calls of a sequence; null for anything else. */
  steps: { fn: number; args: unknown[] }[] | null;
  userSeconds: number | null;
  systemSeconds: number | null;
  /** Of very short commands and of functions, which share a process, `maxRssBytes` is only a bound. */
  maxRssIsUpperBound: boolean;
  /** Earlier attempts, in order. */
  attempts: AttemptJson[];
  logs: string[];
  checkpoints: string;
};

export type Details = Omit<JobJson, "tasks"> & {
  dir: string;
  natives: NativeId[];
  spec: JobSpec;
  script: string | null;
  paths: Record<string, string>;
  damage: { file: string; offset: number; bytes: number }[];
  tasks: TaskDetails[];
};

/**
 * Everything that is known of a job and the selected tasks of it. `brief` leaves out the tasks' arguments,
 * logs and earlier attempts, which take long to gather for very many.
 */
export function gatherDetails(scope: Scope, options: { brief: boolean }): Details {
  const { view } = scope;
  const { dir, spec, natives } = view;
  return {
    ...jobJson(scope, { tasks: false }),
    dir,
    natives,
    spec,
    script: textOf(jobFiles.script(dir)),
    paths: pathsOf(scope.view),
    damage: view.damage.map(({ file, offset, bytes }) => ({ file, offset, bytes })),
    tasks: tasksOf(scope, options.brief),
  };
}

function tasksOf(scope: Scope, brief: boolean): TaskDetails[] {
  const { dir, spec } = scope.view;
  const attempts = brief ? new Map<number, AttemptJson[]>() : earlierAttempts(dir);
  const tasks = [...tasksIn(scope)];
  const files = brief ? [] : existingLogs(logFiles(scope.view, scope.tasks, null));
  const logs = Map.groupBy(files, (file) => file.task);
  return withPayload(scope.view, (payloadOf) =>
    tasks.map((task) => {
      const payload = brief ? null : payloadOf(task.index);
      return {
        ...taskJson(task),
        params: payload?.params ?? null,
        line: payload?.line ?? null,
        args: payload?.args ?? [],
        fn: payload?.fn ?? 0,
        steps: payload?.steps ?? null,
        ...cpuOf(task),
        maxRssIsUpperBound: task.ranks.some(({ result }) => result?.usage?.maxRssIsUpperBound ?? false),
        attempts: attempts.get(task.index) ?? [],
        logs: (logs.get(task.index) ?? []).map((file) => file.path),
        checkpoints: checkpointDir(dir, spec.tasks, task.index),
      };
    }),
  );
}

/** Opens the arguments of the tasks; where they are damaged or missing the rest is shown all the same. */
function withPayload<T>(
  { dir, spec }: JobView,
  use: (payloadOf: (task: number) => TaskPayload | null) => T,
): T {
  let file: ReturnType<typeof openPayload>;
  try {
    file = openPayload(dir, spec);
  } catch (error) {
    if (!(error instanceof JobxError)) throw error;
    return use(() => null);
  }
  try {
    return use((task) => {
      try {
        return file.get(task);
      } catch (error) {
        if (error instanceof JobxError) return null;
        throw error;
      }
    });
  } finally {
    file.close();
  }
}

/** Whatever the order of the segments: each once, also where a later run of the element had a second word on it. */
function earlierAttempts(dir: string): Map<number, AttemptJson[]> {
  const ends = new Map<string, AgainRecord>();
  for (const record of new JobTail(dir).poll().records) {
    if (record.kind !== "again") continue;
    const key = `${record.task}.${record.attempt}.${record.rank}`;
    ends.set(key, later(ends.get(key), record));
  }
  const byTask = new Map<number, AttemptJson[]>();
  for (const record of [...ends.values()].sort((a, b) => a.attempt - b.attempt || a.rank - b.rank)) {
    const { kind: _kind, task, ...attempt } = record;
    const known = byTask.get(task);
    if (known) known.push(attempt);
    else byTask.set(task, [attempt]);
  }
  return byTask;
}

/** CPU seconds over all ranks; null where none was recorded. */
function cpuOf(task: TaskView): { userSeconds: number | null; systemSeconds: number | null } {
  const usages = task.ranks.flatMap((rank) => rank.result?.usage ?? []);
  if (usages.length === 0) return { userSeconds: null, systemSeconds: null };
  return {
    userSeconds: usages.reduce((sum, usage) => sum + usage.userSeconds, 0),
    systemSeconds: usages.reduce((sum, usage) => sum + usage.systemSeconds, 0),
  };
}

function pathsOf({ dir, spec }: JobView): Record<string, string> {
  const { spec: request, payload, results, values, logs, checkpoints } = jobFiles;
  return {
    request: request(dir),
    ...(spec.plain ? {} : { payload: payload(dir) }),
    results: results(dir),
    values: values(dir),
    logs: logs(dir),
    checkpoints: checkpoints(dir),
  };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

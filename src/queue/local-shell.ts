import { hostname } from "node:os";

import { JobxError } from "../errors.ts";
import type { JobRef, ShellCommand } from "../executor/contract.ts";
import { cleanJobEnvironment } from "../model/env-clean.ts";
import { taskVariables } from "../model/task-vars.ts";
import { readEnvironment } from "../store/jobs.ts";
import { checkpointDir, paramsPath, resultFilePath } from "../store/layout.ts";
import { openPayload } from "../store/task-payloads.ts";
import { Reader } from "./predecessors.ts";

/**
 * A shell in the folder and with the environment of a task, JOBX_* variables included. It has no share in
 * the task's limits. Throws REFUSED for a job of another host or a task that is not running.
 */
export function shellInLocal(job: JobRef, task: number): ShellCommand {
  const { spec, dir } = job;
  if (spec.host !== hostname()) {
    throw new JobxError(
      "REFUSED",
      `Task ${job.id}.${task} belongs to ${spec.host}, and this is ${hostname()}`,
      {
        hint: `ssh ${spec.host} first`,
      },
    );
  }
  const reader = Reader.open(dir);
  reader?.refresh();
  const view = reader?.fold.view(task);
  if (view?.state !== "running") {
    throw new JobxError("REFUSED", `Task ${job.id}.${task} is ${view?.state ?? "unknown"}, not running`, {
      hint: `See jobx status ${job.id} --tasks`,
    });
  }
  const base = cleanJobEnvironment(readEnvironment(dir) ?? process.env, {
    cleanEnv: spec.run.cleanEnv,
    extra: spec.run.env,
  });
  const variables = taskVariables({
    job: job.id,
    task,
    rank: 0,
    attempt: view.attempt,
    tasks: spec.tasks,
    params: paramsOf(job, task),
    dir,
    checkpointDir: checkpointDir(dir, spec.tasks, task),
    paramsFile: paramsPath(dir, task),
    resultFile: resultFilePath(dir, task, view.attempt, 0),
  });
  return {
    argv: [base["SHELL"] ?? process.env["SHELL"] ?? "/bin/sh"],
    cwd: spec.cwd,
    // JOBX_SHELL: what cleans up after a dead supervisor spares the user's own shell.
    env: { ...base, ...variables, JOBX_SHELL: "1" },
  };
}

function paramsOf({ dir, spec }: JobRef, task: number): Record<string, unknown> | null {
  const payload = openPayload(dir, spec);
  try {
    return payload.get(task).params;
  } finally {
    payload.close();
  }
}

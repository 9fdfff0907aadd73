import { JobxError } from "../../errors.ts";
import { elementOfTask } from "../../model/elements.ts";
import { cleanJobEnvironment } from "../../model/env-clean.ts";
import { holderOf } from "../../model/natives.ts";
import { checkpointDir } from "../../store/layout.ts";
import type { ExecutorContext, JobRef, ShellCommand } from "../contract.ts";
import { runPatiently } from "./commands.ts";
import type { SchedulerDefinition } from "./definition.ts";
import { limitsOf } from "./limits.ts";
import { clusterOf } from "./status.ts";

/** A shell inside the allocation of a running task, in its folder. Throws REFUSED where the scheduler says it does not run. */
export async function shellInside(
  definition: SchedulerDefinition,
  shell: NonNullable<SchedulerDefinition["shell"]>,
  job: JobRef,
  task: number,
  context: ExecutorContext,
): Promise<ShellCommand> {
  const { spec, dir } = job;
  const element = elementOfTask(spec, task);
  const native = holderOf(job.natives, element);
  const { cluster } = await limitsOf(definition, context);
  const id = native ? await place(native) : null;
  if (id === null) {
    throw new JobxError("REFUSED", `Task ${job.id}.${task} does not run now`, {
      hint: `See jobx status ${job.id} --tasks`,
    });
  }
  const environment = cleanJobEnvironment(context.env, { cleanEnv: spec.run.cleanEnv, extra: spec.run.env });
  return {
    argv: shell.argv(id, [context.env.SHELL || "/bin/sh"], process.stdin.isTTY),
    cwd: spec.cwd,
    env: {
      ...environment,
      JOBX_JOB: String(job.id),
      JOBX_TASK: String(task),
      JOBX_DIR: dir,
      JOBX_CHECKPOINT_DIR: checkpointDir(dir, spec.tasks, task),
      JOBX_SHELL: "1",
    },
  };

  async function place(found: NonNullable<typeof native>): Promise<string | null> {
    const isArray = found.elements > 1;
    const target = { native: found, indices: isArray ? [element - found.firstElement] : null, isArray };
    const result = await runPatiently(
      definition,
      context,
      shell.locate(target),
      clusterOf(definition, found, cluster),
    );
    return result.code === 0 ? shell.parse(result.stdout) : null;
  }
}

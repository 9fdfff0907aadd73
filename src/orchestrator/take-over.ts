import { JobxError } from "../errors.ts";
import type { Executor } from "../executor/contract.ts";
import { elementOfTask } from "../model/elements.ts";
import type { Verdict } from "../model/records.ts";
import { releaseAgain } from "../store/claims.ts";
import { isOwn } from "../store/files.ts";
import { addCancelled } from "../store/jobs.ts";
import { closeTasks } from "./element-status.ts";
import type { JobReader } from "./job-reader.ts";
import { claimLost } from "./resubmit.ts";
import type { Services } from "./services.ts";
import type { Submitted } from "./submit.ts";

/**
 * Submits tasks of a job as another job. Those of them that were lost, and that a running wait would submit again, are
 * the new job's from then on, so that they run once. Throws REFUSED where such a wait has come first.
 */
export async function takingOver(
  services: Services,
  executor: Executor,
  job: JobReader,
  tasks: number[],
  submit: () => Promise<Submitted>,
): Promise<Submitted> {
  const lost = isOwn(job.dir) ? tasks.filter((task) => job.overlays.get(task)?.lost) : [];
  if (lost.length === 0) return await submit();
  const elements = new Set(lost.map((task) => elementOfTask(job.spec, task)));
  const claim = await claimLost(services, executor, job, [...elements]);
  if (!claim) {
    throw new JobxError(
      "REFUSED",
      `What was lost of job ${job.id} is being submitted again by a jobx that waits for it`,
      {
        hint: `See jobx status ${job.id}`,
      },
    );
  }
  try {
    const submitted = await submit();
    closeLost(job, lost, `job ${submitted.id} runs it again`);
    return submitted;
  } catch (error) {
    const mayBeThere = error instanceof JobxError && error.code === "UNREACHABLE";
    if (mayBeThere) closeLost(job, lost, "jobx retry submitted it again as another job");
    throw error;
  } finally {
    releaseAgain(claim);
  }
}

/** Ends them here; an element that is submitted again for its other tasks passes over what is cancelled. */
function closeLost(job: JobReader, tasks: number[], where: string): void {
  const endedAt = new Date().toISOString();
  const verdicts = tasks.flatMap((task): Verdict[] => {
    const overlay = job.overlays.get(task);
    if (!overlay?.lost) return [];
    const { lost, native, node } = overlay;
    return [{ task, state: lost.state, reason: `${lost.reason}; ${where}`, native, node, endedAt }];
  });
  closeTasks(job, verdicts);
  addCancelled(job.dir, tasks);
}

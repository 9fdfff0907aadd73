import { JobxError, messageOf } from "../errors.ts";
import type { ElementStatus, Executor, SubmitRequest } from "../executor/contract.ts";
import { packedTasks } from "../model/elements.ts";
import { cleanJobEnvironment } from "../model/env-clean.ts";
import type { NativeId } from "../model/job.ts";
import { timesResubmitted } from "../model/natives.ts";
import { ranksOf } from "../model/resources.ts";
import { isFinal } from "../model/states.ts";
import { type Claim, claimAgain, releaseAgain } from "../store/claims.ts";
import { isOwn } from "../store/files.ts";
import { writeNative } from "../store/jobs.ts";
import { isRequested } from "../store/requests.ts";
import { readHistory } from "../worker/history.ts";
import { elementsOf } from "./elements.ts";
import type { JobReader } from "./job-reader.ts";
import type { Services } from "./services.ts";

/**
 * Which retry of how many another run of an element would be, whose supervisor died without a record and which the
 * executor will not run again; null where it may have none.
 */
export function retryOf(
  executor: Executor,
  job: JobReader,
  { element, state }: ElementStatus,
): { number: number; of: number } | null {
  const { spec } = job;
  const { retries } = spec.run;
  const isLost = state === "failed" || state === "ended" || state === "unknown";
  if (!executor.resubmit || !isLost || retries === 0) return null;
  const open = [...packedTasks(spec, element)].filter(
    (task) => !isFinal(job.recordedState(task)) && !isRequested(job.cancelled, task),
  );
  if (open.length === 0) return null;
  const { tasks } = readHistory(job.dir, element, ranksOf(spec.resources));
  const counted = open.map((task) => (tasks.get(task)?.failures ?? 0) + (tasks.get(task)?.losses ?? 0));
  const used = Math.max(Math.min(...counted), timesResubmitted(job.natives ?? [], element));
  return used < retries ? { number: used + 1, of: retries } : null;
}

/**
 * Submits lost elements of the user's own job again, once, however many processes see that they are lost. A refusal is
 * what is given back: there will be no other run of them.
 */
export async function resubmit(
  services: Services,
  executor: Executor,
  job: JobReader,
  lost: ElementStatus[],
): Promise<string | null> {
  const natives = job.natives ?? [];
  if (!isOwn(job.dir)) return null;
  let claim: Claim | null = null;
  try {
    claim = await claimLost(
      services,
      executor,
      job,
      lost.map(({ element }) => element),
    );
    if (!claim) return null;
    // Meanwhile somebody may have taken them into another job, or cancelled them.
    job.refresh();
    job.refreshRequests();
    const elements = lost.filter((one) => retryOf(executor, job, one)).map(({ element }) => element);
    if (elements.length === 0) {
      releaseAgain(claim);
      return null;
    }
    const request = requestFor(services, executor, job, natives);
    const context = services.executors.contextFor(executor);
    const again = (await executor.resubmit?.(request, { natives, elements }, context))?.natives ?? [];
    keepNatives(services, executor, job, again, elements.length);
    return null;
  } catch (error) {
    if (!(error instanceof JobxError) || error.code === "BUG") throw error;
    // Whether it was accepted is found out once the claim has grown old.
    if (claim && error.code === "REFUSED") releaseAgain(claim);
    if (error.code === "REFUSED" && !isPassing(error)) return messageOf(error);
    services.note(`Job ${job.id} could not be submitted again yet: ${messageOf(error)}`);
    return null;
  }
}

/**
 * Makes this process the one that says what becomes of lost elements; null where another one does, or has submitted them
 * again. The scheduler is asked first where another process may have got as far as that before it died. Throws REFUSED
 * where it cannot be asked.
 */
export async function claimLost(
  services: Services,
  executor: Executor,
  job: JobReader,
  elements: number[],
): Promise<Claim | null> {
  const natives = job.natives ?? [];
  const claim = claimAgain(job.dir, natives.length);
  if (!claim?.isRenewed) return claim;
  const { name } = executor;
  if (!executor.find) {
    throw new JobxError("REFUSED", `${name} may have accepted it already, and cannot be asked`, {
      hint: `See by ${name}'s own commands whether it runs; jobx wait ${job.id} gives up what is lost`,
    });
  }
  const found = await executor.find(
    tokenAgain(job, natives),
    services.executors.contextFor(executor),
    job.spec,
  );
  if (!found) return claim;
  const again = found.natives.map((native) => ({ ...native, only: indicesIn(native, elements) }));
  keepNatives(services, executor, job, again, elements.length);
  return null;
}

function keepNatives(
  services: Services,
  executor: Executor,
  job: JobReader,
  again: NativeId[],
  elements: number,
): void {
  const natives = [...(job.natives ?? []), ...again];
  writeNative(job.dir, { natives });
  job.natives = natives;
  // What looked lost waits again.
  for (const [task, { lost }] of job.overlays) if (lost) job.overlays.delete(task);
  const ids = again.map(({ id }) => id).join(", ");
  const what = elements === 1 ? "a lost part" : `${elements} lost parts`;
  services.note(`Submitted ${what} of job ${job.id} again: ${executor.name} ${ids}`);
}

/** By which a submission of lost elements is found. */
function tokenAgain({ spec }: JobReader, natives: NativeId[]): string {
  return `${spec.token}.${natives.length}`;
}

function indicesIn({ firstElement, elements }: NativeId, wanted: number[]): number[] {
  return wanted.map((element) => element - firstElement).filter((index) => index >= 0 && index < elements);
}

function isPassing({ cause }: JobxError): boolean {
  return cause instanceof JobxError && cause.code === "UNREACHABLE";
}

/** In the environment of whoever waits, since the submitter's went with the first submission. */
function requestFor(
  services: Services,
  executor: Executor,
  job: JobReader,
  natives: NativeId[],
): SubmitRequest {
  const { dir, spec } = job;
  return {
    spec: { ...spec, token: tokenAgain(job, natives) },
    dir,
    elements: elementsOf(executor, spec),
    worker: [...spec.runtime, "_worker", dir],
    environment: cleanJobEnvironment(services.env, { cleanEnv: spec.run.cleanEnv }),
    inspect: false,
    accepted: () => undefined,
  };
}

import { statSync } from "node:fs";

import { JobxError, messageOf } from "../errors.ts";
import type { ElementStatus, Executor, SubmitRequest } from "../executor/contract.ts";
import { packedTasks } from "../model/elements.ts";
import { cleanJobEnvironment } from "../model/env-clean.ts";
import type { NativeId } from "../model/job.ts";
import { timesResubmitted } from "../model/natives.ts";
import { ranksOf } from "../model/resources.ts";
import { isFinal } from "../model/states.ts";
import { claimAgain, releaseAgain, writeNative } from "../store/jobs.ts";
import { isRequested } from "../store/requests.ts";
import { readHistory } from "../worker/history.ts";
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
  elements: number[],
): Promise<string | null> {
  const natives = job.natives ?? [];
  if (statSync(job.dir).uid !== process.getuid?.()) return null;
  const claim = claimAgain(job.dir, natives.length);
  if (!claim) return null;
  try {
    const again = await submitOrFind(services, executor, job, { natives, elements }, claim.isRenewed);
    writeNative(job.dir, { natives: [...natives, ...again] });
    job.natives = [...natives, ...again];
    const ids = again.map(({ id }) => id).join(", ");
    const what = elements.length === 1 ? "a lost part" : `${elements.length} lost parts`;
    services.note(`Submitted ${what} of job ${job.id} again: ${executor.name} ${ids}`);
    return null;
  } catch (error) {
    if (!(error instanceof JobxError) || error.code === "BUG") throw error;
    // Whether it was accepted is found out once the claim has grown old.
    if (error.code === "REFUSED") releaseAgain(job.dir, natives.length);
    if (error.code === "REFUSED" && !isPassing(error)) return messageOf(error);
    services.note(`Job ${job.id} could not be submitted again yet: ${messageOf(error)}`);
    return null;
  }
}

/** The scheduler is asked first where another process may have got as far as submitting. */
async function submitOrFind(
  services: Services,
  executor: Executor,
  job: JobReader,
  again: { natives: NativeId[]; elements: number[] },
  mayBeThere: boolean,
): Promise<NativeId[]> {
  const context = services.executors.contextFor(executor);
  const request = requestFor(services, job, again.natives);
  const found = mayBeThere ? await executor.find?.(request.spec.token, context) : null;
  if (found) return found.natives.map((native) => ({ ...native, only: indicesIn(native, again.elements) }));
  return (await executor.resubmit?.(request, again, context))?.natives ?? [];
}

function indicesIn({ firstElement, elements }: NativeId, wanted: number[]): number[] {
  return wanted.map((element) => element - firstElement).filter((index) => index >= 0 && index < elements);
}

function isPassing({ cause }: JobxError): boolean {
  return cause instanceof JobxError && cause.code === "UNREACHABLE";
}

/** In the environment of whoever waits, since the submitter's went with the first submission. */
function requestFor(services: Services, job: JobReader, natives: NativeId[]): SubmitRequest {
  const { dir, spec } = job;
  return {
    spec: { ...spec, token: `${spec.token}.${natives.length}` },
    dir,
    elements: Math.ceil(spec.tasks / spec.run.pack.tasks),
    worker: [...spec.runtime, "_worker", dir],
    environment: cleanJobEnvironment(services.env, { cleanEnv: spec.run.cleanEnv }),
    inspect: false,
    accepted: () => undefined,
  };
}

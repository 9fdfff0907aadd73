import { hostname } from "node:os";

import { JobxError, messageOf } from "../errors.ts";
import type { ElementStatus, Executor } from "../executor/contract.ts";
import type { JobSpec, NativeId } from "../model/job.ts";
import { elementsOfNative } from "../model/natives.ts";
import type { Verdict } from "../model/records.ts";
import { isFinal } from "../model/states.ts";
import { wayOut } from "../model/way-out.ts";
import { isOwn } from "../store/files.ts";
import { readSummary, removeEnvironment, type Summary, writeNative, writeSummary } from "../store/jobs.ts";
import { applyStatus, closeTasks, endOf, verdictsOf } from "./element-status.ts";
import { elementsOf, tasksOfElement } from "./elements.ts";
import type { JobReader } from "./job-reader.ts";
import { resubmit } from "./resubmit.ts";
import type { Services } from "./services.ts";
import { isSubmitterGone } from "./submitter.ts";
import { summaryOf } from "./summary.ts";

/**
 * A submission without a native id was interrupted after this long: where its process is gone, once the scheduler's
 * command that it may have left behind has given up as well; else once the slowest would be through.
 */
const ORPHANED_SECONDS = 240;
const SUBMISSION_SECONDS = 900;

/** `resubmit`: submits lost tasks again. `detail`: a person wants to know why tasks wait. */
export type SettleOptions = { resubmit?: boolean; detail?: boolean };

/**
 * Asks the executors, once each and side by side, about the jobs that are not final, lays their answers over the
 * records, and gives tasks that have ended without a record their verdict. A scheduler that cannot be
 * asked changes nothing: the note says so, and the records still count. With `resubmit`, what was lost and
 * has retries left is submitted again; without, it only looks lost.
 */
export async function settle(
  services: Services,
  readers: JobReader[],
  options: SettleOptions = {},
): Promise<void> {
  const byExecutor = Map.groupBy(
    readers.filter((reader) => !reader.isFinal),
    (reader) => reader.spec.executor,
  );
  await Promise.all([...byExecutor].map(([name, jobs]) => settleExecutor(services, name, jobs, options)));
  for (const reader of readers) finish(reader);
}

async function settleExecutor(
  services: Services,
  name: string,
  jobs: JobReader[],
  options: SettleOptions,
): Promise<void> {
  for (const job of jobs) job.refreshRequests();
  try {
    const executor = await services.executors.get(name);
    await adoptUnconfirmed(services, executor, jobs);
    await settleWith(
      services,
      executor,
      jobs.filter((job) => job.natives !== null),
      options,
    );
  } catch (error) {
    if (!(error instanceof JobxError) || error.code === "BUG") throw error;
    services.note(`The ${name} executor could not be asked: ${messageOf(error)}`);
  }
}

/** Writes what the end of a user's own job leaves: its summary; its environment is needed no more. */
function finish(reader: JobReader): void {
  if (!reader.isFinal || reader.summarised) return;
  reader.summarised = true;
  try {
    if (!isOwn(reader.dir)) return;
    const summary = summaryOf(reader);
    if (!Bun.deepEquals(storedSummary(reader.dir), summary)) writeSummary(reader.dir, summary);
    removeEnvironment(reader.dir);
  } catch {
    // A full or read-only home: the summary only saves time.
  }
}

/** The summary that stands there; null for none, or a damaged one. */
function storedSummary(dir: string): Summary | null {
  try {
    return readSummary(dir);
  } catch {
    return null;
  }
}

async function settleWith(
  services: Services,
  executor: Executor,
  jobs: JobReader[],
  options: SettleOptions,
): Promise<void> {
  if (jobs.length === 0) return;
  for (const job of jobs) job.refreshNatives();
  const context = services.executors.contextFor(executor);
  const answers = await executor.status(
    jobs.map((job) => job.ref),
    context,
    { detail: options.detail },
  );
  const byJob = Map.groupBy(answers, (answer) => answer.job);
  for (const job of jobs) {
    const known = new Map((byJob.get(job.id) ?? []).map((answer) => [answer.element, answer]));
    const statuses = Array.from(
      { length: elementsOf(executor, job.spec) },
      (_, element) => known.get(element) ?? unknownElement(job.id, element),
    );
    // A record that came while the executor was asked beats its answer, and nobody is judged by an old look.
    job.refresh({ afresh: statuses.some((status) => hasToShow(executor, job, status)) });
    job.overlays.clear();
    job.rest = null;
    const lost: ElementStatus[] = [];
    const verdicts: Verdict[] = [];
    for (const status of statuses) {
      const applied = applyStatus(executor, job, status);
      if (applied.lost) lost.push(status);
      verdicts.push(...applied.verdicts);
    }
    closeTasks(job, verdicts);
    if (options.resubmit && lost.length > 0) await resubmitLost(services, executor, job, lost);
  }
}

async function resubmitLost(
  services: Services,
  executor: Executor,
  job: JobReader,
  lost: ElementStatus[],
): Promise<void> {
  const refusal = await resubmit(services, executor, job, lost);
  if (refusal === null) return;
  const verdicts = lost.flatMap((status) => {
    const tasks = [...tasksOfElement(executor, job.spec, status.element)];
    const { reason } = endOf(job, tasks[0] ?? 0, status);
    const why = `${reason}; it could not be submitted again: ${refusal}; ${wayOut(job.spec, null)}`;
    return verdictsOf(executor, job, tasks, { ...status, reason: why });
  });
  closeTasks(job, verdicts);
}

/** Whether an element is over, and has tasks whose records have not been seen. */
function hasToShow(executor: Executor, job: JobReader, { element, state }: ElementStatus): boolean {
  if (state === "queued" || state === "running") return false;
  for (const task of tasksOfElement(executor, job.spec, element)) {
    if (!isFinal(job.recordedState(task))) return true;
  }
  return false;
}

function unknownElement(job: number, element: number): ElementStatus {
  return { job, element, state: "unknown", native: null, reason: null, node: null };
}

/** Jobs whose submission was cut off before the native id was kept: found again by their token, or lost. */
async function adoptUnconfirmed(services: Services, executor: Executor, jobs: JobReader[]): Promise<void> {
  for (const job of jobs) {
    if (job.natives !== null) continue;
    const cutOff = isCutOff(executor, job.spec);
    // Looked at again only now: it may have been accepted, and have ended, until just before.
    job.refresh();
    if (job.natives !== null || job.isFinal) continue;
    const found = await executor.find?.(job.spec.token, services.executors.contextFor(executor), job.spec);
    // Its submitter may have written them down meanwhile, and be amid a job of several arrays until then.
    job.refresh();
    if (job.natives !== null) continue;
    if (found && (cutOff || isWhole(executor, job.spec, found.natives))) {
      if (isOwn(job.dir)) writeNative(job.dir, found);
      job.natives = found.natives;
      continue;
    }
    if (!cutOff) {
      job.rest = { state: "queued", reason: "it is being submitted", native: null, node: null };
    } else {
      const where = job.spec.host === hostname() ? "" : ` on ${job.spec.host}`;
      const isKnown = executor.find !== undefined || executor.capabilities.thisHost === true;
      const reason = isKnown
        ? `the submission${where} was cut off before ${executor.name} accepted it; jobx retry ${job.id} submits it again`
        : `the submission${where} was cut off, and ${executor.name} cannot be asked whether it accepted it: look there before jobx retry ${job.id}`;
      const tasks = Array(job.spec.tasks).keys();
      closeTasks(job, verdictsOf(executor, job, tasks, { ...unknownElement(job.id, 0), reason }));
    }
  }
}

/** Whether these arrays are all of a job. */
function isWhole(executor: Executor, spec: JobSpec, natives: NativeId[]): boolean {
  const found = new Set(natives.flatMap(elementsOfNative));
  return found.size >= elementsOf(executor, spec);
}

/**
 * Whether a submission without a native id comes to nothing any more. A scheduler's command may outlive the jobx that
 * started it, so only what this host runs itself is over as soon as that has died.
 */
function isCutOff(executor: Executor, spec: JobSpec): boolean {
  const age = (Date.now() - Date.parse(spec.created)) / 1000;
  if (!isSubmitterGone(spec)) return age >= SUBMISSION_SECONDS;
  return executor.capabilities.thisHost === true || age >= ORPHANED_SECONDS;
}

import { JobxError } from "../errors.ts";
import type { ElementStatus, Executor } from "../executor/contract.ts";
import { holderOf, timesResubmitted } from "../model/natives.ts";
import type { Verdict } from "../model/records.ts";
import { type FinalState, isFinal } from "../model/states.ts";
import { wayOut } from "../model/way-out.ts";
import { isOwn } from "../store/files.ts";
import { addVerdicts } from "../store/jobs.ts";
import { isRequested } from "../store/requests.ts";
import { tasksOfElement } from "./elements.ts";
import type { JobReader, Overlay } from "./job-reader.ts";
import { retryOf } from "./resubmit.ts";

/** What one element's status says of its tasks: `lost` where these may be submitted again, else the last words on them. */
export type Applied = { lost: boolean; verdicts: Verdict[] };

const NOTHING_NEW: Applied = { lost: false, verdicts: [] };

/** Lays an element's status over the records of its tasks. */
export function applyStatus(executor: Executor, job: JobReader, given: ElementStatus): Applied {
  const tasks = [...tasksOfElement(executor, job.spec, given.element)];
  const status = isTakenAway(job, tasks, given) ? { ...given, ...TAKEN_AWAY } : given;
  if (status.state !== "queued" && status.state !== "running") {
    const isLate = job.overdue(status.element, executor.graceSeconds);
    const hasNoRecord =
      status.neverStarted === true || isDroppedUnstarted(job, tasks, given) || hasParted(job, tasks, status);
    if (!isLate && !hasNoRecord && !endedBefore(status, executor.graceSeconds)) {
      if (!executor.capabilities.wholeJob) overlayEnding(job, tasks, status);
      return NOTHING_NEW;
    }
    const retry = tasks.some((task) => !isFinal(job.recordedState(task))) && retryOf(executor, job, status);
    if (!retry) return { lost: false, verdicts: verdictsOf(executor, job, tasks, status) };
    overlayLost(job, tasks, status, retry);
    return { lost: true, verdicts: [] };
  }
  job.seen(status.element);
  const overlay: Overlay = {
    state: "queued",
    reason: waitingReason(executor, job, status),
    native: status.native,
    node: status.node,
  };
  if (executor.capabilities.wholeJob) {
    job.rest = overlay;
    if (status.state === "queued" && status.reason !== null) overlayRunning(job, overlay);
  } else {
    for (const task of tasks) {
      if (isWaiting(job, task, status)) job.overlays.set(task, overlay);
      else if (isStopped(job, task, status)) job.overlays.set(task, { ...overlay, state: "running" });
    }
  }
  overlayRequests(job, tasks, overlay, status.state === "queued");
  return NOTHING_NEW;
}

/** Whether an element was cancelled by the scheduler's own command while it waited: some keep nothing of such a one. */
function isTakenAway(job: JobReader, tasks: number[], { isMissingAlone }: ElementStatus): boolean {
  return isMissingAlone === true && !tasks.some((task) => hasBegun(job, task));
}

const TAKEN_AWAY = { state: "cancelled", reason: "cancelled outside of jobx while it waited" } as const;

/** Its records may be late; what never began by them does not wait for its turn. */
function overlayEnding(job: JobReader, tasks: number[], { state, native, node }: ElementStatus): void {
  const what = state === "unknown" ? "the executor does not know it" : "the executor says it has ended";
  for (const task of tasks) {
    if (job.recordedState(task) !== "queued") continue;
    job.overlays.set(task, { state: "queued", reason: `${what}; its record is awaited`, native, node });
  }
}

/** No final word yet: a running wait submits it again. */
function overlayLost(
  job: JobReader,
  tasks: number[],
  status: ElementStatus,
  retry: { number: number; of: number },
): void {
  const next = `jobx wait ${job.id} submits it again (retry ${retry.number} of ${retry.of})`;
  const { native, node } = status;
  for (const task of tasks) {
    if (isFinal(job.recordedState(task))) continue;
    const lost = endOf(job, task, status);
    job.overlays.set(task, { state: lost.state, reason: `${lost.reason}; ${next}`, native, node, lost });
  }
}

/**
 * By the records; or because the scheduler says so of what they know of as running: its node died, or its supervisor did
 * and it was submitted again.
 */
function isWaiting(job: JobReader, task: number, { element, state, asOf }: ElementStatus): boolean {
  const recorded = job.recordedState(task);
  if (recorded !== "running" || state !== "queued") return recorded === "queued";
  const { startedAt } = job.task(task);
  if (startedAt === null) return false;
  const natives = job.natives ?? [];
  const isAgain = timesResubmitted(natives, element) > 0;
  const submitted = isAgain ? Date.parse(holderOf(natives, element)?.submitted ?? "") : 0;
  return Math.max(submitted, Date.parse(asOf ?? "") - SKEW_MS || 0) > Date.parse(startedAt);
}

/** So far the clocks of hosts may differ: an answer that seems younger than the start of a task may be older. */
const SKEW_MS = 10_000;

/** It runs, and the executor says why it gets nowhere: it is suspended, say. */
function isStopped(job: JobReader, task: number, { state, reason }: ElementStatus): boolean {
  return state === "running" && reason !== null && job.recordedState(task) === "running";
}

/** Schedulers forget at once what was cancelled before it started; no record of it can be late. */
function isDroppedUnstarted(job: JobReader, tasks: number[], { state }: ElementStatus): boolean {
  if (state !== "unknown") return false;
  return tasks.every((task) => job.recordedState(task) === "queued" && isRequested(job.cancelled, task));
}

/** Whether its worker has said of every task that its allocation ended: there is no more to come. */
function hasParted(job: JobReader, tasks: number[], { state }: ElementStatus): boolean {
  if (state !== "cancelled" && state !== "timeout" && state !== "failed") return false;
  const open = tasks.filter((task) => !isFinal(job.recordedState(task)));
  return (
    open.every((task) => job.recordedState(task) === "queued") &&
    open.some((task) => job.task(task).attempt > 0)
  );
}

/** Whether the executor itself says that an element ended longer ago than records may be late. */
function endedBefore({ endedAt }: ElementStatus, graceSeconds: number): boolean {
  return endedAt !== undefined && endedAt !== null && Date.now() - Date.parse(endedAt) > graceSeconds * 1000;
}

/** Tasks that run by their records, while nobody looks after them: the host is silent, or the supervisor died. */
function overlayRunning(job: JobReader, overlay: Overlay): void {
  for (let task = 0; task < job.spec.tasks; task++) {
    if (job.recordedState(task) === "running") job.overlays.set(task, { ...overlay, state: "running" });
  }
}

/** Held tasks say so, and those cancelled before their element started look so at once. */
function overlayRequests(
  job: JobReader,
  tasks: Iterable<number>,
  overlay: Overlay,
  elementWaits: boolean,
): void {
  if (!job.cancelled && !job.held) return;
  for (const task of tasks) {
    if (job.recordedState(task) !== "queued") continue;
    if (elementWaits && isRequested(job.cancelled, task))
      job.overlays.set(task, { ...overlay, state: "cancelled", reason: cancelledReason(job, task) });
    else if (isRequested(job.held, task)) job.overlays.set(task, { ...overlay, reason: HELD });
  }
}

function waitingReason(executor: Executor, job: JobReader, { state, reason }: ElementStatus): string | null {
  if (job.held === "all") return HELD;
  if (state !== "running" || reason !== null || executor.capabilities.wholeJob) return reason;
  return job.spec.run.pack.tasks > 1 ? "starts when its pack comes to it" : "starting";
}

function cancelledReason(job: JobReader, task: number): string {
  return hasBegun(job, task) ? "cancelled" : "cancelled before it started";
}

/** Whether an attempt of a task is on record; one that has run before may wait to run again. */
function hasBegun(job: JobReader, task: number): boolean {
  return job.recordedState(task) !== "queued" || job.task(task).attempt > 0;
}

const HELD = "held; jobx release lets it start";

/** The verdict of every task of an ended element that left no final record. */
export function verdictsOf(
  executor: Executor,
  job: JobReader,
  tasks: Iterable<number>,
  status: ElementStatus,
): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const task of tasks) {
    if (isFinal(job.recordedState(task))) continue;
    const { state, reason } = endOf(job, task, status);
    verdicts.push({
      task,
      state,
      reason: isExplained(state, reason) ? reason : `${reason}; ${wayOut(job.spec, retriesOf(executor))}`,
      native: status.native,
      node: status.node,
      endedAt: new Date().toISOString(),
    });
  }
  return verdicts;
}

/**
 * Gives tasks their verdicts, and keeps these, all of a look at a job in one file: thousands of elements may have ended
 * at once. In a full home they hold for this process, and for a job of somebody else's; the next one comes to the same.
 */
export function closeTasks(job: JobReader, verdicts: Verdict[]): void {
  for (const verdict of verdicts) job.addVerdict(verdict);
  try {
    if (isOwn(job.dir)) addVerdicts(job.dir, verdicts);
  } catch (error) {
    if (!(error instanceof JobxError && error.code === "STORAGE")) throw error;
  }
}

/** Whether a reason needs no word of what runs the task again: nobody lost it, or the reason says what to do. */
function isExplained(state: FinalState, reason: string): boolean {
  return (state !== "lost" && state !== "failed") || /\bretry\b|(^|\s)-/.test(reason);
}

function retriesOf(executor: Executor): string | null {
  return executor.resubmit ? "--retries N" : null;
}

export function endOf(
  job: JobReader,
  task: number,
  status: ElementStatus,
): { state: FinalState; reason: string } {
  const started = job.recordedState(task) === "running";
  if (isRequested(job.cancelled, task)) return { state: "cancelled", reason: cancelledReason(job, task) };
  const { state } = status;
  const parting = state === "failed" ? job.partingReason(task) : null;
  if (parting !== null) return { state: "failed", reason: `${parting}, and it was not started again` };
  if (state === "failed" || state === "cancelled" || state === "timeout") {
    return { state, reason: status.reason ?? `the executor ended it: ${status.native ?? state}` };
  }
  const what = started ? "it was running and left no record of its end" : "it left no record";
  const word = state === "unknown" ? "the executor does not know it" : "the executor says it has ended";
  return { state: "lost", reason: status.reason ?? `${word}, and ${what}` };
}

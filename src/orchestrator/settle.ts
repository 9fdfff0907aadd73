import { hostname } from "node:os";

import { JobxError, messageOf } from "../errors.ts";
import type { ElementStatus, Executor } from "../executor/contract.ts";
import type { Verdict } from "../model/records.ts";
import { type FinalState, isFinal } from "../model/states.ts";
import { addVerdicts, removeEnvironment, writeNative, writeSummary } from "../store/jobs.ts";
import { isRequested } from "../store/requests.ts";
import { elementsOf, tasksOfElement } from "./elements.ts";
import type { JobReader, Overlay } from "./job-reader.ts";
import type { Services } from "./services.ts";
import { summaryOf } from "./summary.ts";

/** A submission that has no native id after this long was interrupted. */
const SUBMISSION_SECONDS = 60;

/**
 * Asks the executors, once each, about the jobs that are not final, lays their answers over the
 * records, and gives tasks that have ended without a record their verdict. A scheduler that cannot be
 * asked changes nothing: the note says so, and the records still count.
 */
export async function settle(services: Services, readers: JobReader[]): Promise<void> {
  const byExecutor = Map.groupBy(
    readers.filter((reader) => !reader.isFinal),
    (reader) => reader.spec.executor,
  );
  for (const [name, jobs] of byExecutor) {
    for (const job of jobs) job.refreshRequests();
    try {
      const executor = await services.executors.get(name);
      await adoptUnconfirmed(services, executor, jobs);
      await settleWith(
        services,
        executor,
        jobs.filter((job) => job.natives !== null),
      );
    } catch (error) {
      if (!(error instanceof JobxError) || error.code === "BUG") throw error;
      services.note(`The ${name} executor could not be asked: ${messageOf(error)}`);
    }
  }
  for (const reader of readers) finish(reader);
}

/** Writes what the end of a job leaves: its summary; its environment is needed no more. */
function finish(reader: JobReader): void {
  if (!reader.isFinal || reader.summarised) return;
  reader.summarised = true;
  try {
    writeSummary(reader.dir, summaryOf(reader));
    removeEnvironment(reader.dir);
  } catch {
    // A full or read-only home, or somebody else's job: the summary only saves time.
  }
}

async function settleWith(services: Services, executor: Executor, jobs: JobReader[]): Promise<void> {
  if (jobs.length === 0) return;
  const context = services.executors.contextFor(executor);
  const answers = await executor.status(
    jobs.map((job) => job.ref),
    context,
  );
  const byJob = Map.groupBy(answers, (answer) => answer.job);
  for (const job of jobs) {
    // A record that came while the executor was asked beats its answer.
    job.refresh();
    job.overlays.clear();
    job.rest = null;
    const elements = new Map((byJob.get(job.id) ?? []).map((answer) => [answer.element, answer]));
    for (let element = 0; element < elementsOf(executor, job.spec); element++) {
      const status = elements.get(element) ?? unknownElement(job.id, element);
      applyStatus(executor, job, status);
    }
  }
}

function unknownElement(job: number, element: number): ElementStatus {
  return { job, element, state: "unknown", native: null, reason: null, node: null };
}

/** What one element's status says of its tasks. */
function applyStatus(executor: Executor, job: JobReader, status: ElementStatus): void {
  const tasks = [...tasksOfElement(executor, job.spec, status.element)];
  if (status.state !== "queued" && status.state !== "running") {
    const isLate = job.overdue(status.element, executor.graceSeconds);
    const hasNoRecord = status.neverStarted === true || isDroppedUnstarted(job, tasks, status);
    if (isLate || hasNoRecord || endedBefore(status, executor.graceSeconds)) closeTasks(job, tasks, status);
    return;
  }
  job.seen(status.element);
  const overlay: Overlay = {
    state: "queued",
    reason: waitingReason(job, status),
    native: status.native,
    node: status.node,
  };
  if (executor.capabilities.wholeJob) {
    job.rest = overlay;
    if (status.state === "queued" && status.reason !== null) overlayRunning(job, overlay);
  } else for (const task of tasks) if (job.recordedState(task) === "queued") job.overlays.set(task, overlay);
  overlayRequests(job, tasks, overlay, status.state === "queued");
}

/** Schedulers forget at once what was cancelled before it started; no record of it can be late. */
function isDroppedUnstarted(job: JobReader, tasks: number[], { state }: ElementStatus): boolean {
  if (state !== "unknown") return false;
  return tasks.every((task) => job.recordedState(task) === "queued" && isRequested(job.cancelled, task));
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
      job.overlays.set(task, { ...overlay, state: "cancelled", reason: CANCELLED });
    else if (isRequested(job.held, task)) job.overlays.set(task, { ...overlay, reason: HELD });
  }
}

function waitingReason(job: JobReader, status: ElementStatus): string | null {
  return job.held === "all" ? HELD : status.reason;
}

const CANCELLED = "cancelled before it started";
const HELD = "held; jobx release lets it start";

/** Gives every task of an ended element that left no final record its verdict. */
function closeTasks(job: JobReader, tasks: Iterable<number>, status: ElementStatus): void {
  const verdicts: Verdict[] = [];
  for (const task of tasks) {
    if (isFinal(job.recordedState(task))) continue;
    verdicts.push({
      task,
      ...endOf(job, task, status),
      native: status.native,
      node: status.node,
      endedAt: new Date().toISOString(),
    });
  }
  if (verdicts.length === 0) return;
  addVerdicts(job.dir, verdicts);
  for (const verdict of verdicts) job.addVerdict(verdict);
}

function endOf(job: JobReader, task: number, status: ElementStatus): { state: FinalState; reason: string } {
  const started = job.recordedState(task) === "running";
  if (isRequested(job.cancelled, task))
    return { state: "cancelled", reason: started ? "cancelled" : CANCELLED };
  const { state } = status;
  if (state === "failed" || state === "cancelled" || state === "timeout") {
    return { state, reason: status.reason ?? `the executor ended it: ${status.native ?? state}` };
  }
  const what = started ? "it was running and left no record of its end" : "it left no record";
  const word = state === "unknown" ? "the executor does not know it" : "the executor says it has ended";
  return { state: "lost", reason: status.reason ?? `${word}, and ${what}` };
}

/** Jobs whose submission was cut off before the native id was kept: found again by their token, or lost. */
async function adoptUnconfirmed(services: Services, executor: Executor, jobs: JobReader[]): Promise<void> {
  for (const job of jobs) {
    if (job.natives !== null) continue;
    const found = await executor.find?.(job.spec.token, services.executors.contextFor(executor));
    if (found) {
      writeNative(job.dir, found);
      job.natives = found.natives;
      continue;
    }
    const age = (Date.now() - Date.parse(job.spec.created)) / 1000;
    if (age < SUBMISSION_SECONDS) {
      job.rest = { state: "queued", reason: "it is being submitted", native: null, node: null };
    } else {
      const where = job.spec.host === hostname() ? "" : ` on ${job.spec.host}`;
      const reason = `the submission${where} was cut off before ${executor.name} accepted it; jobx retry ${job.id} submits it again`;
      closeTasks(job, Array(job.spec.tasks).keys(), { ...unknownElement(job.id, 0), reason });
    }
  }
}

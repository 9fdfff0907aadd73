import { existsSync } from "node:fs";
import { hostname } from "node:os";

import { JobxError, messageOf, usageError } from "../errors.ts";
import type {
  ElementStatus,
  ExecutorContext,
  JobRef,
  SpecDraft,
  Submission,
  SubmitRequest,
  TaskSelection,
} from "../executor/contract.ts";
import { formatDuration } from "../model/durations.ts";
import type { NativeId } from "../model/job.ts";
import { ensureDir, isOwn } from "../store/files.ts";
import { readCancelled, writeEnvironment } from "../store/jobs.ts";
import { homeOf, jobFiles } from "../store/layout.ts";
import { findQueue, openOtherQueue, openQueue, type QueueClient } from "./client.ts";
import { explainExcess } from "./explain.ts";
import { HEARTBEAT_SECONDS, secondsSinceBeat } from "./heartbeat.ts";
import { detectCapacity, schedulerOf } from "./machine.ts";
import { queuePaths } from "./paths.ts";
import type { Capacity, QueuedJob, Tasks } from "./protocol.ts";
import { limitsOf, requestOf, shapeOf } from "./request.ts";

export { shellInLocal } from "./local-shell.ts";

/** The command of a scheduler that makes this a host to submit from; null on others and inside an allocation. */
export function schedulerHere(env: ExecutorContext["env"]): string | null {
  return schedulerOf(env);
}

/** Refuses what this machine never has room for, and says which flags mean nothing here. Throws USAGE or REFUSED. */
export function checkLocal(spec: SpecDraft, context: ExecutorContext): void {
  const { resources } = spec;
  if ((resources.nodes ?? 1) > 1) {
    throw usageError(
      `Local jobs run on one node, and --nodes ${resources.nodes} asks for more`,
      "Leave --nodes out, or use a cluster's executor",
    );
  }
  const capacity = capacityFor(spec.options, context);
  const excess = explainExcess(shapeOf(resources), capacity);
  if (excess) {
    throw new JobxError("REFUSED", `This would never start: ${excess}`, {
      hint: `Ask for less, or allow more: [local] cpus, mem and gpus in the configuration (${capacity.why})`,
    });
  }
  for (const flag of ["partition", "account", "qos"] as const) {
    if (resources[flag] !== undefined)
      context.note(`--${flag} ${resources[flag]} means nothing to local jobs`);
  }
  if (resources.gpus?.type)
    context.note(`Local jobs take any GPU: the type ${resources.gpus.type} is not looked at`);
}

/** What `--dry-run` says. */
export function planLocal(spec: SpecDraft, context: ExecutorContext): string {
  const capacity = capacityFor(spec.options, context);
  return `${spec.tasks} ${spec.tasks === 1 ? "task" : "tasks"} through the local queue of ${hostname()}: ${capacity.why}`;
}

/** Hands a written job to the queue, which is started when it does not run. */
export async function submitLocal(request: SubmitRequest, context: ExecutorContext): Promise<Submission> {
  const { spec, dir } = request;
  writeEnvironment(dir, request.environment);
  ensureDir(jobFiles.logs(dir));
  if (schedulerOf(context.env)) {
    const { cpus, nice } = capacityFor(spec.options, context);
    context.note(
      `This host has a scheduler and others work on it: local jobs use ${cpus} CPUs at nice ${nice} (-o cpus=N, -o nice=N)`,
    );
  }
  await closing(await openQueue(context), (queue) => queue.enqueue(requestOf(spec, dir)));
  return { natives: [nativeOf(spec.host, spec.id, context)] };
}

/**
 * What the queue says of the user's jobs of this host; a queue that died is started again, and given jobs it does
 * not know. Those of other hosts and users are judged by their queue's heartbeat.
 */
export async function statusOfLocal(jobs: JobRef[], context: ExecutorContext): Promise<ElementStatus[]> {
  const [own, foreign] = partition(jobs);
  const statuses = foreign.map(statusElsewhere);
  await withQueues(own, context, async (queue, jobs) => {
    const answers = await queue.status(jobs.map((job) => job.dir));
    for (const [index, job] of jobs.entries()) {
      const answer = answers[index];
      if (answer) statuses.push(await statusHere(queue, job, answer));
    }
  });
  return statuses;
}

/** Whether the queue of this host has a submission with this token. */
export async function findLocal(token: string, context: ExecutorContext): Promise<Submission | null> {
  const queue = await findQueue(context);
  if (!queue) return null;
  return closing(queue, async () => {
    const info = await queue.info();
    const job = info.jobs.find((candidate) => candidate.token === token);
    return job ? { natives: [nativeOf(info.host, job.job, context)] } : null;
  });
}

/**
 * Tells the queue of something about running or waiting jobs. Those of other hosts and users cannot be told: what
 * stands in their folder (cancelled and held tasks) is read before each task starts.
 */
export async function tellQueue(
  selections: TaskSelection[],
  context: ExecutorContext,
  tell: (queue: QueueClient, dir: string, tasks: Tasks) => Promise<void>,
): Promise<void> {
  const [own, foreign] = partition(selections.map(({ job }) => job));
  for (const job of foreign) {
    const { owner, place } = ownerOf(job);
    context.note(`Job ${job.id} belongs to ${owner}: its running tasks go on until this is asked ${place}`);
  }
  await withQueues(own, context, async (queue, jobs) => {
    const dirs = new Set(jobs.map((job) => job.dir));
    for (const { job, tasks } of selections) if (dirs.has(job.dir)) await tell(queue, job.dir, tasks);
  });
}

/**
 * Opens each queue that has some of the user's jobs of this host, and closes it again: the one that took a job as long
 * as that runs, since an allocation of a scheduler has its own; then the one of this environment, which is started.
 */
async function withQueues(
  own: JobRef[],
  context: ExecutorContext,
  use: (queue: QueueClient, jobs: JobRef[]) => Promise<void>,
): Promise<void> {
  const here = queuePaths(context.env).dir;
  const left: JobRef[] = [];
  for (const [folder, jobs] of Map.groupBy(own, ({ natives }) => natives[0]?.queue ?? here)) {
    const other = folder === here ? null : await openOtherQueue(folder);
    if (other) await closing(other, (queue) => use(queue, jobs));
    else left.push(...jobs);
  }
  if (left.length > 0) await closing(await openQueue(context), (queue) => use(queue, left));
}

async function closing<T>(queue: QueueClient, use: (queue: QueueClient) => Promise<T>): Promise<T> {
  try {
    return await use(queue);
  } finally {
    queue.close();
  }
}

async function statusHere(queue: QueueClient, job: JobRef, answer: QueuedJob): Promise<ElementStatus> {
  const base = { job: job.id, element: 0, native: null, node: job.spec.host };
  if (answer.state === "ended") return { ...base, state: "ended", reason: null };
  if (answer.state !== "unknown") return { ...base, state: answer.state, reason: answer.reason };
  // All its tasks had ended once. Records that were damaged since are no reason to run anything again.
  if (existsSync(jobFiles.summary(job.dir))) return { ...base, state: "ended", reason: null };
  if (readCancelled(job.dir) === "all")
    return { ...base, state: "cancelled", reason: "cancelled before it started" };
  try {
    await queue.enqueue(requestOf(job.spec, job.dir));
    return { ...base, state: "queued", reason: "the queue had lost it, and has it again" };
  } catch (error) {
    return { ...base, state: "queued", reason: `the queue had lost it: ${messageOf(error)}` };
  }
}

function statusElsewhere(job: JobRef): ElementStatus {
  const { host } = job.spec;
  const { owner, place } = ownerOf(job);
  const seconds = secondsSinceBeat(homeOf(job.dir), host);
  const alive = seconds !== null && seconds < 3 * HEARTBEAT_SECONDS;
  const heard =
    seconds === null ? "" : `, whose queue was last heard of ${formatDuration(Math.round(seconds))} ago`;
  return {
    job: job.id,
    element: 0,
    state: alive ? "running" : "queued",
    native: null,
    reason: `belongs to ${owner}${heard}${alive ? "" : `; jobx status ${job.id} ${place} starts it again`}`,
    node: host,
  };
}

/** The user's jobs of this host, and those of other hosts and users: a queue runs what a job's folder says, as its own user. */
function partition(jobs: JobRef[]): [own: JobRef[], foreign: JobRef[]] {
  const here = hostname();
  const isHere = ({ dir, spec }: JobRef) => spec.host === here && isOwn(dir);
  return [jobs.filter(isHere), jobs.filter((job) => !isHere(job))];
}

/** Whose queue has a job that is not this one's, and where that queue is asked. */
function ownerOf({ spec }: JobRef): { owner: string; place: string } {
  if (spec.host !== hostname()) return { owner: spec.host, place: "there" };
  return { owner: spec.user, place: `as ${spec.user}` };
}

function capacityFor(options: Record<string, unknown>, context: ExecutorContext): Capacity {
  return detectCapacity({ env: context.env }, limitsOf(options));
}

function nativeOf(host: string, job: number, { env }: ExecutorContext): NativeId {
  return {
    id: `${host}:${job}`,
    cluster: host,
    submitted: new Date().toISOString(),
    firstElement: 0,
    elements: 1,
    queue: queuePaths(env).dir,
  };
}

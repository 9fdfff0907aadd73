import { statSync } from "node:fs";

import { JobxError } from "../../errors.ts";
import type { NativeId } from "../../model/job.ts";
import { heldBy } from "../../model/natives.ts";
import type { ElementStatus, ExecutorContext, JobRef } from "../contract.ts";
import { forgetAnswer } from "./answer-file.ts";
import { type Answer, maxAgeMs, sharedAnswer, SHORTEST_MS } from "./answers.ts";
import { matches, ownUid, runOn } from "./commands.ts";
import type { SchedulerDefinition } from "./definition.ts";
import { limitsOf } from "./limits.ts";
import type { NativeStatus, StatusQuery, StatusStage } from "./native.ts";
import { rowsOf, testHint } from "./parsed.ts";
import { knownNatives, layOver, type Open } from "./rows.ts";

/**
 * What the scheduler says of every element that has no record yet: one call for all jobs of all processes, and another
 * one only for what the first leaves open. Throws UNREACHABLE where even the first gave no answer.
 */
export async function statusOf(
  definition: SchedulerDefinition,
  jobs: JobRef[],
  context: ExecutorContext,
  detail = false,
): Promise<ElementStatus[]> {
  const { cluster: own } = await limitsOf(definition, context);
  const statuses: ElementStatus[] = [];
  for (const [cluster, open] of Map.groupBy(openElements(jobs), (one) =>
    clusterOf(definition, one.native, own),
  )) {
    statuses.push(...(await statusOnCluster(definition, open, { cluster, own, detail }, context)));
  }
  return statuses;
}

/** Makes the next status anew: something was changed. */
export async function forgetStatus(
  definition: SchedulerDefinition,
  jobs: JobRef[],
  context: ExecutorContext,
): Promise<void> {
  const { cluster: own } = await limitsOf(definition, context);
  const natives = jobs.flatMap((job) => job.natives.map((native) => ({ job, native })));
  for (const [cluster, open] of Map.groupBy(natives, (one) => clusterOf(definition, one.native, own))) {
    for (const stage of definition.status) {
      forgetAnswer(
        context.home,
        answerName(
          definition,
          stage,
          cluster ?? own,
          open.map((one) => one.job),
        ),
      );
    }
  }
}

/**
 * The cluster that has to be named to reach a native id; null for this host's own. Where nobody knows what that is called,
 * the id's is named to be safe, if the scheduler can be told.
 */
export function clusterOf(
  { onCluster }: SchedulerDefinition,
  native: NativeId,
  own: string | null,
): string | null {
  return native.cluster === own || (own === null && !onCluster) ? null : native.cluster;
}

async function statusOnCluster(
  definition: SchedulerDefinition,
  open: Open[],
  place: { cluster: string | null; own: string | null; detail: boolean },
  context: ExecutorContext,
): Promise<ElementStatus[]> {
  const silent: string[] = [];
  const known = new Set<NativeId>();
  let asOf: string | undefined;
  for (const [position, stage] of definition.status.entries()) {
    const asked = open.filter(({ found }) => found === null || found.isVague);
    if (asked.length === 0) break;
    const answer = await askStage(definition, stage, asked, place, context);
    if (answer.failure !== null) {
      if (position === 0) return unanswered(definition, open, place.cluster, answer.failure);
      silent.push(`${stage.name}: ${firstLine(answer.failure)}`);
      continue;
    }
    layOver(asked, answer.rows, position === 0);
    const missing = asked.filter(({ found }) => found === null);
    for (const native of knownNatives(missing, answer.rows)) known.add(native);
    if (position > 0) continue;
    asOf = new Date(answer.at).toISOString();
    // What was submitted after the answer was given cannot stand in it.
    for (const one of asked)
      if (one.found === null && isNewer(one.native, answer)) one.found = JUST_SUBMITTED;
  }
  if (place.detail) {
    const found = open.flatMap((one) => one.found ?? []);
    await (await import("./ahead.ts")).tellAhead(definition, found, place, context);
  }
  return open.map((one) => ({ ...elementStatus(definition, one, known.has(one.native), silent), asOf }));
}

async function askStage(
  definition: SchedulerDefinition,
  stage: StatusStage,
  asked: Open[],
  { cluster, own }: { cluster: string | null; own: string | null },
  context: ExecutorContext,
): Promise<Answer> {
  const submitted = asked.map(({ native }) => Date.parse(native.submitted));
  const youngest = Math.max(...submitted);
  const query: StatusQuery = {
    ids: [...new Set(asked.map(({ native }) => native.id))],
    users: usersOf(asked.map(({ job }) => job)),
    since: new Date(Math.min(...submitted)).toISOString(),
  };
  const jobs = asked.map(({ job }) => job);
  return await sharedAnswer(
    context.home,
    answerName(definition, stage, cluster ?? own, jobs),
    stage.scope === "user" ? null : query.ids,
    {
      maxAgeMs: maxAgeMs(Date.now() - youngest),
      after: youngest,
      async ask(ids) {
        const whole = { ...query, ids: ids ?? query.ids };
        const results = [];
        for (const argv of stage.argv(whole)) results.push(await runOn(definition, context, argv, cluster));
        return rowsOf(definition, stage, results, whole);
      },
    },
  );
}

/** A cluster that is not reached from here tells nothing of its jobs; a silent scheduler is an error. */
function unanswered(
  definition: SchedulerDefinition,
  open: Open[],
  cluster: string | null,
  failure: string,
): ElementStatus[] {
  if (cluster === null || !matches(definition.clusterErrors, failure)) {
    const isMistake = failure.startsWith("The plugin ");
    const hint = isMistake ? testHint(definition.name) : "Try again in a while";
    throw new JobxError("UNREACHABLE", firstLine(failure), { hint });
  }
  return open.map(({ job, element }) => ({
    job: job.id,
    element,
    state: "queued",
    native: null,
    reason: `it is on the cluster ${cluster}, which cannot be asked from this host`,
    node: null,
  }));
}

function elementStatus(
  definition: SchedulerDefinition,
  { job, native, element, found }: Open,
  isKnown: boolean,
  silent: string[],
): ElementStatus {
  const base = { job: job.id, element };
  if (found === null) {
    // Slurm keeps nothing of an element that scancel took before it had an id of its own (seen on 22.05).
    const what = isKnown
      ? `has forgotten element ${element - native.firstElement} of ${native.id} alone, as when it was cancelled there while it waited`
      : `does not know ${native.id} any more`;
    const why = silent.length > 0 ? ` (${silent.join("; ")})` : "";
    const reason = `${definition.name} ${what}, and it left no record${why}`;
    // A scheduler does not forget a job that it has just accepted.
    const endedAt = native.submitted;
    const isMissingAlone = isKnown && silent.length === 0;
    return { ...base, state: "unknown", native: null, reason, node: null, endedAt, isMissingAlone };
  }
  const reason = found === JUST_SUBMITTED ? null : (definition.explain?.(found, job) ?? null);
  const { state, node, endedAt } = found;
  const word = found.native === "" ? null : found.native;
  const neverStarted = found.neverStarted ?? (state === "cancelled" && node === null);
  return { ...base, state, native: word, reason, node, endedAt, neverStarted };
}

const JUST_SUBMITTED: NativeStatus = {
  id: "",
  indices: null,
  state: "queued",
  native: "",
  reason: null,
  exitCode: null,
  signal: null,
  node: null,
  submitted: null,
  startsAt: null,
  endedAt: null,
  command: null,
  isVague: false,
};

function isNewer(native: NativeId, answer: Answer): boolean {
  return Date.parse(native.submitted) >= answer.at - SKEW_MS && Date.now() - answer.at < SHORTEST_MS * 2;
}

/** Hosts that share a home differ a little in their clocks. */
const SKEW_MS = 500;

function openElements(jobs: JobRef[]): Open[] {
  const open: Open[] = [];
  for (const job of jobs) {
    for (const { native, elements } of heldBy(job.natives)) {
      for (const element of elements) {
        if (job.isOpen?.(element) ?? true) open.push({ job, native, element, found: null });
      }
    }
  }
  return open;
}

/** Users stand in the name, since the answer is about their jobs alone. */
function answerName(
  definition: SchedulerDefinition,
  stage: StatusStage,
  cluster: string | null,
  jobs: JobRef[],
): string {
  const users = usersOf(jobs).join("+");
  return `${definition.name}-${cluster ?? "cluster"}-${stage.name}-${users}`.replaceAll(/[^\w.+-]/g, "_");
}

/** By number: whoever owns a job's folder submitted it, and names need not be known on every host. */
function usersOf(jobs: JobRef[]): string[] {
  const folders = [...new Set(jobs.map((job) => job.dir))];
  return [...new Set(folders.map((dir) => String(ownerOf(dir))))].sort();
}

function ownerOf(dir: string): number {
  return statSync(dir, { throwIfNoEntry: false })?.uid ?? ownUid();
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

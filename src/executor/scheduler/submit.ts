import { JobxError, messageOf } from "../../errors.ts";
import type { NativeId } from "../../model/job.ts";
import { ensureDir, writeFileAtomic } from "../../store/files.ts";
import { writeEnvironment } from "../../store/jobs.ts";
import { jobFiles } from "../../store/layout.ts";
import type { ExecutorContext, SpecDraft, Submission, SubmitRequest } from "../contract.ts";
import type { CommandResult } from "../run.ts";
import { arrayOf } from "./array.ts";
import {
  commandError,
  matches,
  mayTryAgain,
  ownUid,
  retryDelays,
  runOn,
  runPatiently,
  textOf,
} from "./commands.ts";
import type { SchedulerDefinition } from "./definition.ts";
import { limitsOf } from "./limits.ts";
import type { FoundArray, NativeArray } from "./native.ts";
import { longestSeconds } from "./partitions.ts";
import { elementThrottle } from "./shape.ts";
import { type Part, partsAgain, splitArray } from "./split.ts";

/** Schedulers try for minutes by themselves when their queue is full; ending them earlier leaves nobody knowing. */
const SUBMIT_TIMEOUT_MS = 180_000;

/**
 * Submits a job as one native array, or as several where the limit says so. All of it is accepted, or nothing of it
 * stays. Throws REFUSED with the scheduler's own words; UNREACHABLE only where a job may have been accepted all the same.
 */
export async function submitArrays(
  definition: SchedulerDefinition,
  request: SubmitRequest,
  context: ExecutorContext,
): Promise<Submission> {
  const { spec, dir, elements } = request;
  ensureDir(jobFiles.logs(dir));
  if (definition.storesEnvironment) writeEnvironment(dir, request.environment);
  const longest = await longestSeconds(definition, spec, context);
  const cluster = definition.cluster?.(spec, context.env) ?? null;
  for (let isAgain = false; ; isAgain = true) {
    const limits = await limitsOf(definition, context, { anew: isAgain, cluster });
    const parts = splitArray(elements, limits.maxArraySize, elementThrottle(spec.run));
    const natives: NativeId[] = [];
    try {
      for (const part of parts) {
        const array = arrayOf(request, part, natives, context, longest);
        if (part === parts[0]) writeScript(jobFiles.script(dir), definition.script(array));
        natives.push(
          await submitArray(definition, array, part, request, { cluster, own: limits.cluster }, context),
        );
      }
      return { natives: await nameCluster(definition, natives, context) };
    } catch (error) {
      await takeBack(definition, natives, cluster, context);
      const mayBeLimit = !isAgain && elements > 1 && isForGood(error);
      const isSmaller = mayBeLimit && (await limitHasShrunk(definition, limits, cluster, context));
      if (!isSmaller) throw error;
    }
  }
}

/**
 * Submits some elements of a job again, each by the number it had: as one native array, or one for each array that the
 * job was split into. Throws as `submitArrays` does; parts that were accepted before one was refused are taken back.
 */
export async function submitAgain(
  definition: SchedulerDefinition,
  request: SubmitRequest,
  again: { natives: NativeId[]; elements: number[] },
  context: ExecutorContext,
): Promise<Submission> {
  const cluster = definition.cluster?.(request.spec, context.env) ?? null;
  const { cluster: own } = await limitsOf(definition, context, { cluster });
  const longest = await longestSeconds(definition, request.spec, context);
  const natives: NativeId[] = [];
  try {
    for (const part of partsAgain(again.natives, again.elements, elementThrottle(request.spec.run))) {
      const array = { ...arrayOf(request, part, [], context, longest), after: [] };
      natives.push(await submitArray(definition, array, part, request, { cluster, own }, context));
    }
    return { natives: await nameCluster(definition, natives, context) };
  } catch (error) {
    await takeBack(definition, natives, cluster, context);
    throw error;
  }
}

/** A submission of this user that was accepted although its answer never came; null where there is none. */
export async function findByToken(
  definition: SchedulerDefinition,
  find: NonNullable<SchedulerDefinition["find"]>,
  token: string,
  spec: SpecDraft,
  context: ExecutorContext,
): Promise<Submission | null> {
  const argv = find.argv(String(ownUid()), token);
  const cluster = definition.cluster?.(spec, context.env) ?? null;
  const result = await runPatiently(definition, context, argv, cluster);
  if (result.code !== 0) throw commandError(definition, `${definition.name} was not asked`, argv, result);
  const found = find.parse(result.stdout, token);
  if (found.length === 0) return null;
  const { cluster: own } = await limitsOf(definition, context, { cluster });
  return {
    natives: await nameCluster(
      definition,
      found.map((one) => ({ ...one, cluster: own })),
      context,
    ),
  };
}

/** Where a submission goes: the cluster that has to be named for it, and what the one that takes it is called. */
type Place = { cluster: string | null; own: string | null };

/** Submits one array, once: after an answer that leaves it open whether it was accepted, the scheduler is asked first. */
async function submitArray(
  definition: SchedulerDefinition,
  array: NativeArray,
  part: Part,
  request: SubmitRequest,
  { cluster, own }: Place,
  context: ExecutorContext,
): Promise<NativeId> {
  const argv = definition.submit.argv(array, jobFiles.script(array.dir));
  const env = submitEnvironment(definition, request, context);
  const { parse, answersLast } = definition.submit;
  const isAnswer = (stdout: string) => stdout.endsWith("\n") && parse(stdout, array) !== null;
  let isTold = false;
  const tellBusy = (text: string) => {
    if (!isTold) context.note(`${definition.name} is busy or down, trying again: ${lastLine(text)}`);
    isTold = true;
  };
  // Where its queue is full, sbatch tries again by itself, for minutes.
  const onError = (stderr: string) => {
    if (matches(definition.transientErrors, stderr)) tellBusy(stderr);
  };
  const options = { env, timeoutMs: SUBMIT_TIMEOUT_MS, onError, ...(answersLast && { isAnswer }) };
  const began = performance.now();
  for (let tries = 0; ; tries++) {
    const result = await context.run(argv, options).catch(unlessMistake);
    if (typeof result !== "string" && result.code === 0) {
      const found = parse(result.stdout, array);
      if (found) return nativeOf(found.id, found.cluster ?? own, new Date().toISOString(), part);
    }
    const text = typeof result === "string" ? result : textOf(result);
    if (isUncertain(definition, result, text)) {
      if (!definition.find) throw unknownOutcome(definition, text);
      const accepted = await lookUp(definition, definition.find, array, cluster, context);
      if (accepted) return nativeOf(accepted.id, own, accepted.submitted, part);
    }
    if (typeof result === "string") throw unknownOutcome(definition, text);
    const isPassing = result.code === 0 || matches(definition.transientErrors, text);
    if (isPassing) tellBusy(text);
    if (!isPassing || !(await mayTryAgain(definition, tries, began))) throw refusal(definition, argv, result);
  }
}

/** The scheduler takes a copy, so ours need not outlive a crash of this machine. */
function writeScript(path: string, text: string): void {
  writeFileAtomic(path, Buffer.from(text), { sync: "nothing" });
}

/** What a command left unanswered; a mistake of the plugin is none, since nothing was run. */
function unlessMistake(error: unknown): string {
  if (error instanceof TypeError) throw error;
  return messageOf(error);
}

/** No answer in time, one without an id, and those that the definition names. */
function isUncertain(definition: SchedulerDefinition, result: CommandResult | string, text: string): boolean {
  return typeof result === "string" || result.code === 0 || matches(definition.uncertainErrors, text);
}

/** An array with this job's token, should the scheduler have it. Throws UNREACHABLE where it cannot be asked. */
async function lookUp(
  definition: SchedulerDefinition,
  find: NonNullable<SchedulerDefinition["find"]>,
  array: NativeArray,
  cluster: string | null,
  context: ExecutorContext,
): Promise<FoundArray | null> {
  const { token } = array.spec;
  for (const delay of [...retryDelays(definition), null]) {
    const result = await runOn(definition, context, find.argv(String(ownUid()), token), cluster);
    if (result.code === 0) {
      const found = find.parse(result.stdout, token);
      return found.find((one) => one.firstElement === array.firstElement) ?? null;
    }
    if (delay === null) break;
    await Bun.sleep(delay);
  }
  throw unknownOutcome(definition, "and it cannot be asked");
}

/**
 * Ids mean nothing without their cluster where several share a home. What it is called was asked for with little
 * patience before; now that it has accepted a job, it will say so.
 */
async function nameCluster(
  definition: SchedulerDefinition,
  natives: NativeId[],
  context: ExecutorContext,
): Promise<NativeId[]> {
  if (!definition.onCluster || natives.every(({ cluster }) => cluster !== null)) return natives;
  const { cluster: own } = await limitsOf(definition, context, { anew: true });
  return natives.map((native) => ({ ...native, cluster: native.cluster ?? own }));
}

/** What was accepted of a job whose other parts were refused goes again. */
async function takeBack(
  definition: SchedulerDefinition,
  natives: NativeId[],
  cluster: string | null,
  context: ExecutorContext,
): Promise<void> {
  if (natives.length === 0) return;
  const targets = natives.map((native) => ({ native, indices: null, isArray: native.elements > 1 }));
  for (const argv of definition.cancel(targets)) {
    const result = await runOn(definition, context, argv, cluster).catch(() => null);
    if (result?.code === 0) continue;
    context.note(
      `Parts of the refused job may still be there: ${natives.map((native) => native.id).join(", ")}`,
    );
  }
}

async function limitHasShrunk(
  definition: SchedulerDefinition,
  known: { maxArraySize: number | null },
  cluster: string | null,
  context: ExecutorContext,
): Promise<boolean> {
  const { maxArraySize } = await limitsOf(definition, context, { anew: true, cluster });
  return maxArraySize !== null && (known.maxArraySize === null || maxArraySize < known.maxArraySize);
}

/** The job's environment is the submit command's own, which the scheduler carries to where the job runs. */
function submitEnvironment(
  definition: SchedulerDefinition,
  request: SubmitRequest,
  context: ExecutorContext,
): Record<string, string | undefined> {
  const env: Record<string, string | undefined> = { PATH: context.env.PATH, ...request.environment };
  for (const name of definition.keepVariables ?? []) env[name] ??= context.env[name];
  return env;
}

/** Whatever the reason, which is the cause, the job was not accepted: nothing of it needs to stay. */
function refusal(definition: SchedulerDefinition, argv: string[], result: CommandResult): JobxError {
  const error = commandError(definition, `${definition.name} did not accept the job`, argv, result);
  return new JobxError("REFUSED", error.message, { hint: error.hint, cause: error });
}

/** Whether the scheduler refused, and not only because it is busy or down. */
function isForGood(error: unknown): boolean {
  if (!(error instanceof JobxError) || error.code !== "REFUSED") return false;
  return !(error.cause instanceof JobxError && error.cause.code === "UNREACHABLE");
}

function unknownOutcome(definition: SchedulerDefinition, why: string): JobxError {
  const { name, find } = definition;
  return new JobxError(
    "UNREACHABLE",
    `${name} may have accepted the job or not: ${why.trim() || "it gave no id"}`,
    {
      hint: find
        ? "jobx status finds out; submit again only once it says that the job is lost"
        : `See by ${name}'s own commands whether it has the job, before you submit it again`,
    },
  );
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

function nativeOf(id: string, cluster: string | null, submitted: string, part: Part): NativeId {
  const { firstElement, elements, only } = part;
  return { id, cluster, submitted, firstElement, elements, ...(only && { only }) };
}

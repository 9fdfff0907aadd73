import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

import { version } from "../../package.json";
import { checkExport } from "../code/exports.ts";
import { resolveReference } from "../code/reference.ts";
import { snapshotFunction } from "../code/snapshot.ts";
import { JobxError, usageError } from "../errors.ts";
import type {
  Executor,
  ExecutorContext,
  SpecDraft,
  Submission,
  SubmitRequest,
} from "../executor/contract.ts";
import { validateOptions } from "../executor/options.ts";
import type { Entry, JobSpec, TaskPayload } from "../model/job.ts";
import { ranksOf } from "../model/resources.ts";
import { allocateJob, ensureHome, removeJob, writeNative, writeSpec } from "../store/jobs.ts";
import { jobFiles } from "../store/layout.ts";
import { writePayload } from "../store/payload.ts";
import { judgeDependencies } from "./dependencies.ts";
import { elementsOf } from "./elements.ts";
import { pinRuntime } from "./runtime.ts";
import type { Services } from "./services.ts";

export type SubmitInput = Pick<
  JobSpec,
  "templated" | "array" | "indices" | "resources" | "run" | "cwd" | "origin"
> & {
  /** Named after the command or function when null. */
  name: string | null;
  /** `auto` picks the best one available. */
  executor: string;
  entry:
    | { kind: "command"; argv: string[] }
    | { kind: "function"; reference: string; /** false imports the live file. */ snapshot: boolean };
  tasks: Iterable<TaskPayload>;
  count: number;
  /** The executor's own options, as given. */
  options: Record<string, unknown>;
  environment: Record<string, string>;
  inspect: boolean;
};

export type Submitted = {
  id: number;
  name: string;
  executor: string;
  nativeIds: string[];
  tasks: number;
  dir: string;
};

/**
 * Submits one job. Everything that can be refused is checked before anything is written, and what was
 * written is removed again when the executor refuses, so bad input costs nothing.
 */
export async function submitJob(services: Services, input: SubmitInput): Promise<Submitted> {
  const { executor, context, draft } = await prepareJob(services, input);
  ensureHome(services.home, services.shared);
  const entry = await storeEntry(services, input, draft.entry);
  return await placeJob(services, executor, context, { ...draft, entry }, input);
}

/** The checked request of a submission, and who is to run it. Writes nothing. */
export async function prepareJob(
  services: Services,
  input: SubmitInput,
): Promise<{ executor: Executor; context: ExecutorContext; draft: SpecDraft }> {
  const { executor, context } = await chooseExecutor(services, input.executor);
  const entry = findEntry(input);
  const options = validateOptions(executor.name, executor.options, input.options, "-o", context.settings);
  const draft = await draftJob(services, executor, context, { ...input, entry, options });
  return { executor, context, draft };
}

/** The executor that a name or `auto` means, with its context. */
export async function chooseExecutor(
  services: Services,
  name: string,
): Promise<{ executor: Executor; context: ExecutorContext }> {
  const executor =
    name === "auto" ? (await services.executors.pick()).executor : await services.executors.get(name);
  return { executor, context: services.executors.contextFor(executor) };
}

/** What a draft is made of: a submission whose command or function has been found and whose options were checked. */
export type DraftInput = Omit<SubmitInput, "entry" | "tasks" | "environment" | "inspect"> & { entry: Entry };

/** The checked request of a job that has no id yet. Writes nothing. */
export async function draftJob(
  services: Services,
  executor: Executor,
  context: ExecutorContext,
  input: DraftInput,
): Promise<SpecDraft> {
  if (input.count < 1) throw usageError("There is nothing to run: the parameters give 0 tasks");
  const { entry } = input;
  const draft: SpecDraft = {
    name: input.name ?? defaultName(entry),
    executor: executor.name,
    token: randomBytes(9).toString("base64url"),
    tasks: input.count,
    entry,
    templated: input.templated,
    array: input.array,
    indices: input.indices,
    resources: input.resources,
    options: input.options,
    run: { ...input.run, after: await judgeDependencies(services, executor, input.run.after, input.count) },
    cwd: input.cwd,
    user: userOf(services.env),
    host: hostname(),
    version,
    created: new Date().toISOString(),
    origin: input.origin,
  };
  checkAbilities(executor, draft);
  await executor.validate?.(draft, context);
  return draft;
}

/** Gives a drafted job its id and folder, and hands it to the executor. */
export async function placeJob(
  services: Services,
  executor: Executor,
  context: ExecutorContext,
  draft: SpecDraft,
  input: Pick<SubmitInput, "tasks" | "environment" | "inspect">,
): Promise<Submitted> {
  const { runtime: own, remoteRuntime } = services;
  const words = executor.capabilities.thisHost ? own : remoteRuntime;
  const runtime = pinRuntime(services.home, words, version);
  const { id, dir } = allocateJob(services.home);
  const spec: JobSpec = { ...draft, id, runtime };
  const request: SubmitRequest = {
    spec,
    dir,
    elements: elementsOf(executor, spec),
    worker: [...runtime, "_worker", dir],
    environment: input.environment,
    inspect: input.inspect,
    accepted: (submission) => writeNative(dir, submission),
  };
  const { natives } = await submitOrRemove(executor, context, request, input.tasks);
  writeNative(dir, { natives });
  const nativeIds = natives.map((native) => native.id);
  return { id, name: spec.name, executor: executor.name, nativeIds, tasks: spec.tasks, dir };
}

/** Writes the job and submits it; what was written goes again unless the executor accepted, or may have. */
async function submitOrRemove(
  executor: Executor,
  context: ExecutorContext,
  request: SubmitRequest,
  tasks: Iterable<TaskPayload>,
): Promise<Submission> {
  const { dir, spec } = request;
  try {
    writePayload(jobFiles.payload(dir), tasks, spec.run.maxPayloadBytes);
    writeSpec(dir, spec);
    return await executor.submit(request, context);
  } catch (error) {
    // Where nobody can tell whether the scheduler took it, the folder stays: its token finds the job.
    if (!(error instanceof JobxError && error.code === "UNREACHABLE" && executor.find)) removeJob(dir);
    throw error;
  }
}

/** The command as it stands, or the file and export that a reference means. */
function findEntry(input: SubmitInput): Entry {
  if (input.entry.kind === "command") {
    if (input.entry.argv.length === 0)
      throw usageError("There is no command to run", "Write it after --: jobx submit -- COMMAND");
    return input.entry;
  }
  const reference = resolveReference(input.entry.reference, input.cwd);
  // A snapshot is checked when it is taken.
  if (!input.entry.snapshot) checkExport(reference);
  return { kind: "function", file: reference.file, export: reference.export, code: null };
}

async function storeEntry(services: Services, input: SubmitInput, entry: Entry): Promise<Entry> {
  if (entry.kind === "command" || input.entry.kind === "command" || !input.entry.snapshot) return entry;
  const { code, warnings } = await snapshotFunction(services.home, entry);
  for (const warning of warnings) services.note(warning);
  return { ...entry, code };
}

/** Bun knows a user by these variables alone, and cron jobs and containers may have neither. */
function userOf({ USER, LOGNAME }: Services["env"]): string {
  return USER || LOGNAME || `uid ${process.getuid?.() ?? "unknown"}`;
}

function defaultName(entry: Entry): string {
  if (entry.kind === "function") {
    return entry.export === "default" ? baseName(entry.file).replace(/\.[^.]+$/, "") : entry.export;
  }
  return baseName(entry.argv[0] ?? "command");
}

function baseName(path: string): string {
  return path.split("/").filter(Boolean).at(-1) ?? path;
}

function checkAbilities(executor: Executor, draft: SpecDraft): void {
  const { capabilities, name } = executor;
  const { resources, run } = draft;
  if ((resources.nodes ?? 1) > 1 && !capabilities.nodes) {
    throw usageError(
      `The ${name} executor has one node, and --nodes ${resources.nodes} asks for more`,
      "Leave --nodes out, or use a cluster's executor",
    );
  }
  if (ranksOf(resources) > 1 && !capabilities.ranks) {
    throw usageError(
      `The ${name} executor runs one rank per task, not ${ranksOf(resources)}`,
      "Leave --ranks-per-node out",
    );
  }
  if (ranksOf(resources) > 1 && run.pack.tasks > 1) {
    throw usageError("--pack does not go with several ranks per task", "Leave one of the two out");
  }
  if (run.after.length > 0 && !capabilities.dependencies) {
    throw usageError(
      `The ${name} executor cannot wait for other jobs`,
      "Wait for them first: jobx wait JOB && jobx submit …",
    );
  }
}

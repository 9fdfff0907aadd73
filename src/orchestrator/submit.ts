import { hostname } from "node:os";

import { version } from "../../package.json";
import type { CapturedFunction } from "../code/capture.ts";
import { JobxError, usageError } from "../errors.ts";
import type {
  Executor,
  ExecutorContext,
  SpecDraft,
  Submission,
  SubmitRequest,
} from "../executor/contract.ts";
import { validateOptions } from "../executor/options.ts";
import type { Dependency, Entry, FunctionCode, JobSpec, TaskList } from "../model/job.ts";
import { ranksOf } from "../model/resources.ts";
import { REPLACEMENT } from "../model/utf8.ts";
import { allocateJob, ensureHome, removeJob, writeNative, writeSpec } from "../store/jobs.ts";
import { jobFiles } from "../store/layout.ts";
import { elementsOf } from "./elements.ts";
import { checkPresence } from "./presence.ts";
import { pinRuntime } from "./runtime.ts";
import type { Services } from "./services.ts";
import { ownSubmitter } from "./submitter.ts";

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
    | { kind: "function"; reference: string; /** false imports the live file. */ snapshot: boolean }
    /** The first is the entry's own; payloads name the others by their number. */
    | { kind: "captured"; functions: CapturedFunction[] };
  tasks: TaskList;
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
  const { executor, context, draft, functions } = await prepareJob(services, input);
  await checkPresence(executor, context);
  ensureHome(services.home, services.shared);
  const entry = functions.length === 0 ? draft.entry : await storeFunctions(services, functions);
  return await placeJob(services, executor, context, { ...draft, entry }, input);
}

export type PreparedJob = {
  executor: Executor;
  context: ExecutorContext;
  draft: SpecDraft;
  /** What the job calls; none for a command. */
  functions: CapturedFunction[];
};

/** The checked request of a submission, and who is to run it. Writes nothing. */
export async function prepareJob(services: Services, input: SubmitInput): Promise<PreparedJob> {
  const { executor, context } = await chooseExecutor(services, input.executor);
  const options = validateOptions(executor.name, executor.options, input.options, "-o", context.settings);
  const functions = await functionsOf(input);
  const name = input.name ?? functions[0]?.name ?? null;
  const entry = entryOf(input, functions);
  const draft = await draftJob(services, executor, context, { ...input, name, entry, options });
  return { executor, context, draft, functions };
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
    token: crypto.getRandomValues(Buffer.alloc(9)).toString("base64url"),
    tasks: input.count,
    entry,
    templated: input.templated,
    array: input.array,
    indices: input.indices,
    resources: input.resources,
    options: input.options,
    run: { ...input.run, after: await openDependencies(services, executor, input) },
    cwd: input.cwd,
    user: userOf(services.env),
    host: hostname(),
    submitter: ownSubmitter(),
    version,
    created: new Date().toISOString(),
    origin: input.origin,
  };
  checkAbilities(executor, draft);
  await executor.validate?.(draft, context);
  return draft;
}

/** `prepare` puts into the job's folder what has to be there before anything can start. */
type PlaceInput = Pick<SubmitInput, "tasks" | "environment" | "inspect"> & {
  prepare?: (dir: string) => void;
};

/** Gives a drafted job its id and folder, and hands it to the executor. */
export async function placeJob(
  services: Services,
  executor: Executor,
  context: ExecutorContext,
  draft: SpecDraft,
  input: PlaceInput,
): Promise<Submitted> {
  const { runtime: own, remoteRuntime } = services;
  const words = executor.capabilities.thisHost ? own : remoteRuntime;
  const runtime = pinRuntime(services.home, words, version);
  const { id, dir } = allocateJob(services.home);
  const spec: JobSpec = { ...draft, id, runtime, plain: input.tasks.plain ?? null };
  const request: SubmitRequest = {
    spec,
    dir,
    elements: elementsOf(executor, spec),
    worker: [...runtime, "_worker", dir],
    environment: utf8Only(input.environment, services),
    inspect: input.inspect,
    accepted: (submission) => writeNative(dir, submission),
  };
  const { natives } = await submitOrRemove(executor, context, request, input);
  // Should a crash of this machine take the file, a scheduler that lives elsewhere is asked for the job's token.
  const isRemembered = executor.find !== undefined && !executor.capabilities.thisHost;
  writeNative(dir, { natives }, isRemembered ? { sync: "nothing" } : {});
  const nativeIds = natives.map((native) => native.id);
  return { id, name: spec.name, executor: executor.name, nativeIds, tasks: spec.tasks, dir };
}

/** Without variables whose bytes came here as other text. */
function utf8Only(environment: Record<string, string>, services: Services): Record<string, string> {
  const all = Object.entries(environment);
  const others = all.filter((variable) => variable.some((text) => text.includes(REPLACEMENT)));
  if (others.length === 0) return environment;
  const names = others.map(([name]) => name).join(", ");
  services.note(`Left out of the job's environment, since it is not UTF-8: ${names}`);
  return Object.fromEntries(all.filter((variable) => !others.includes(variable)));
}

/** Writes the job and submits it; what was written goes again unless the executor accepted, or may have. */
async function submitOrRemove(
  executor: Executor,
  context: ExecutorContext,
  request: SubmitRequest,
  { tasks, prepare }: PlaceInput,
): Promise<Submission> {
  const { dir, spec } = request;
  try {
    if (!spec.plain) {
      const { writePayload } = await import("../store/payload.ts");
      writePayload(jobFiles.payload(dir), tasks, spec.run.maxPayloadBytes);
    }
    prepare?.(dir);
    writeSpec(dir, spec);
    return await executor.submit(request, context);
  } catch (error) {
    // Where nobody can tell whether the scheduler took it, the folder stays: its token finds the job.
    if (!(error instanceof JobxError && error.code === "UNREACHABLE" && executor.find)) removeJob(dir);
    throw error;
  }
}

async function functionsOf({ entry, cwd }: SubmitInput): Promise<CapturedFunction[]> {
  if (entry.kind === "captured") return entry.functions;
  if (entry.kind === "command") return [];
  const { captureReference } = await import("../code/capture.ts");
  return [await captureReference(entry.reference, cwd, entry.snapshot)];
}

/** Loads what reads other jobs only where one is named. */
async function openDependencies(
  services: Services,
  executor: Executor,
  { run, count }: DraftInput,
): Promise<Dependency[]> {
  if (run.after.length === 0) return [];
  const { judgeDependencies } = await import("./dependencies.ts");
  return judgeDependencies(services, executor, run, count);
}

/** What the request says before its code is stored: the command as it stands, or the functions without hashes. */
function entryOf({ entry }: SubmitInput, functions: CapturedFunction[]): Entry {
  if (entry.kind === "command") return entry;
  return entryFrom(functions.map(({ file, export: name }) => ({ file, export: name, code: null })));
}

async function storeFunctions(services: Services, functions: CapturedFunction[]): Promise<Entry> {
  const { storeFunction } = await import("../code/capture.ts");
  const stored = await Promise.all(functions.map((each) => storeFunction(services.home, each)));
  for (const warning of new Set(stored.flatMap(({ warnings }) => warnings))) services.note(warning);
  return entryFrom(stored.map(({ code }) => code));
}

function entryFrom([first, ...more]: FunctionCode[]): Entry {
  if (!first) throw new JobxError("BUG", "A job of functions was submitted without any");
  return { kind: "function", ...first, ...(more.length > 0 ? { more } : {}) };
}

/** Bun knows a user by these variables alone, and cron jobs and containers may have neither. */
function userOf({ USER, LOGNAME }: Services["env"]): string {
  return USER || LOGNAME || `uid ${process.getuid?.() ?? "unknown"}`;
}

/** A retried job has a name; a command without words of its own has none to be named after. */
function defaultName(entry: Entry): string {
  return entry.kind === "function" ? entry.export : baseName(entry.argv[0] ?? "commands");
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

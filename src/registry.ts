import { JobxError, messageOf } from "./errors.ts";
import type { Executor, ExecutorContext } from "./executor/contract.ts";
import { validateOptions } from "./executor/options.ts";
import { makeRun } from "./executor/run.ts";
import { nearest } from "./model/nearest.ts";
import { type Candidate, findCandidates, loadPluginFile } from "./registry/candidates.ts";
import { type PluginFolder, pluginFolders } from "./registry/folders.ts";
import { type Picked, pickExecutor } from "./registry/pick.ts";

export type RegistryOptions = {
  env: Record<string, string | undefined>;
  home: string;
  /** Words that start this very jobx. */
  runtime: string[];
  /** A note for the person at the terminal. */
  note(text: string): void;
  /** Where a job that runs in this process writes its standard output; 1 by default. */
  taskOutput?: ExecutorContext["taskOutput"];
  /** Told of every scheduler command, for `-v`. */
  log?: (line: string) => void;
  /** An executor's table of the configuration, and where it stands; null without one. */
  table?: (executor: string) => { values: Record<string, unknown>; where: string } | null;
  /** The compiled binary, whose folder may hold plugins; null from source. Found by itself by default. */
  binary?: string | null;
};

/** One line of `jobx plugins`. `name` is the file's where the plugin did not load. */
export type PluginListing = {
  name: string;
  /** "built in", or the plugin file. */
  from: string;
  state: "loaded" | "shadowed" | "broken";
  /** Why it is shadowed or broken. */
  why: string | null;
  /** What mends it. */
  hint: string | null;
  description: string | null;
  /** Where it was never tried on a real scheduler: what it was written from. */
  untried: string | null;
};

/** The executors of this jobx. Nothing is loaded before it is asked for. */
export type Registry = {
  /**
   * An executor by name. A plugin file named like it wins over a built-in one, and only that file is
   * loaded; where no file and no built-in has the name, all files are loaded to see what they define.
   * Throws PLUGIN saying why a plugin of that name does not load, or NOT_FOUND naming the nearest.
   */
  get(name: string): Promise<Executor>;
  /** The executor of a plugin file, wherever it lies. Throws NOT_FOUND, or PLUGIN saying why it does not load. */
  load(file: string): Promise<Executor>;
  /** What `auto` means here; see `pickExecutor`. */
  pick(): Promise<Picked>;
  /** What an executor's verbs are given; throws USAGE where its table of the configuration is wrong. */
  contextFor(executor: Executor): ExecutorContext;
  /** Names to choose from, by file names alone: nothing is loaded. */
  names(): string[];
  /** Everything there is, loaded or not; a broken plugin is a line like any other. */
  list(): Promise<PluginListing[]>;
  folders: PluginFolder[];
};

/** Looks for executors: those built in, then the plugin folders. */
export function openRegistry(options: RegistryOptions): Registry {
  const binary = options.binary === undefined ? ownBinary() : options.binary;
  const folders = pluginFolders(options.env, binary);
  const candidates = findCandidates(folders);
  const run = makeRun({ env: options.env, log: options.log });
  const contexts = new Map<Executor, ExecutorContext>();

  const contextFor = (executor: Executor): ExecutorContext => {
    const known = contexts.get(executor);
    if (known) return known;
    const table = options.table?.(executor.name) ?? { values: {}, where: `[${executor.name}]` };
    const settings = validateOptions(executor.name, executor.options, table.values, table.where);
    const { home, env, note, runtime, taskOutput = 1 } = options;
    const context: ExecutorContext = { home, env, settings, run, note, runtime, taskOutput };
    contexts.set(executor, context);
    return context;
  };

  return {
    folders,
    contextFor,
    names: () => [...new Set(candidates.map((candidate) => candidate.stem))].toSorted(),
    load: loadPluginFile,
    get: async (name) => (await find(candidates, name)) ?? (await refuseUnknown(candidates, name)),
    list: () => Promise.all(candidates.map((candidate) => listing(candidates, candidate))),
    pick: () => pickExecutor(choices(candidates, options.note), contextFor),
  };
}

function ownBinary(): string | null {
  return Bun.isStandaloneExecutable ? process.execPath : null;
}

/** The executors that loaded and win their names, the latest first; each is loaded when it is asked for. */
async function* choices(candidates: Candidate[], note: RegistryOptions["note"]): AsyncGenerator<Executor> {
  const broken: string[] = [];
  try {
    for (const candidate of candidates.toReversed()) {
      const line = await listing(candidates, candidate);
      if (line.state === "broken") broken.unshift(line.name);
      if (line.state === "loaded") yield await candidate.load();
    }
  } finally {
    if (broken.length > 0) {
      note(`${broken.join(", ")} did not load and cannot be chosen; see \`jobx plugins\``);
    }
  }
}

/** The executor that wins a name; null when nothing has it. Rejects when a file of that very name does not load. */
async function find(candidates: Candidate[], name: string): Promise<Executor | null> {
  const named = candidates.filter((candidate) => candidate.stem === name);
  for (const candidate of named.toReversed()) {
    const executor = await candidate.load();
    if (executor.name === name) return executor;
  }
  const others = candidates.filter((candidate) => candidate.stem !== name && !candidate.isBuiltIn);
  const loaded = await Promise.allSettled(others.map((candidate) => candidate.load()));
  const found = loaded.findLast((outcome) => outcome.status === "fulfilled" && outcome.value.name === name);
  return found?.status === "fulfilled" ? found.value : null;
}

async function refuseUnknown(candidates: Candidate[], name: string): Promise<never> {
  const listed = await Promise.all(candidates.map((candidate) => listing(candidates, candidate)));
  const known = [
    ...new Set(listed.filter((line) => line.state === "loaded").map((line) => line.name)),
  ].toSorted();
  const near = nearest(name, [...known, "auto"]);
  const broken = listed.filter((line) => line.state === "broken").map((line) => line.name);
  const hints = [
    near ? `Did you mean "${near}"?` : `There are ${known.join(", ")}, and auto.`,
    broken.length > 0
      ? `${broken.join(", ")} did not load; \`jobx plugins\` says why`
      : "`jobx plugins` says where they are looked for",
  ];
  throw new JobxError("NOT_FOUND", `There is no executor "${name}"`, { hint: hints.join(" ") });
}

async function listing(candidates: Candidate[], candidate: Candidate): Promise<PluginListing> {
  const line = {
    name: candidate.stem,
    from: candidate.from,
    why: null,
    hint: null,
    description: null,
    untried: null,
  };
  let executor: Executor;
  try {
    executor = await candidate.load();
  } catch (error) {
    const hint = error instanceof JobxError ? (error.hint ?? null) : null;
    return { ...line, state: "broken", why: messageOf(error), hint };
  }
  const { name, description, untried = null } = executor;
  const found = { ...line, name, description, untried };
  const winner = await find(candidates, executor.name).catch((error: unknown) => messageOf(error));
  if (winner === executor) return { ...found, state: "loaded" };
  if (typeof winner === "string") return { ...found, state: "shadowed", why: winner };
  const wins = await fromOf(candidates, winner);
  const hint =
    candidate.stem === executor.name
      ? null
      : `A plugin that replaces another executor must carry its name: ${executor.name}.ts`;
  return {
    ...found,
    state: "shadowed",
    why: `replaced by the one ${wins === "built in" ? "that is built in" : `in ${wins}`}`,
    hint,
  };
}

async function fromOf(candidates: Candidate[], executor: Executor | null): Promise<string | undefined> {
  const loaded = await Promise.allSettled(candidates.map((candidate) => candidate.load()));
  const index = loaded.findIndex((outcome) => outcome.status === "fulfilled" && outcome.value === executor);
  return candidates[index]?.from;
}

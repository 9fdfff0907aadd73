import { parseCount, parseLimit, parseName } from "../config/resources.ts";
import { parseNumber, parsePack } from "../config/run-options.ts";
import type { GivenOptions } from "../config/settings.ts";
import { JobxError, messageOf, usageError } from "../errors.ts";
import { shellWords } from "../executor/run.ts";
import { parseDuration } from "../model/durations.ts";
import { parseGpus } from "../model/gpus.ts";
import { nearest } from "../model/nearest.ts";
import { parseSize } from "../model/sizes.ts";
import type { ExecutorOptions, OptionTable } from "./options.ts";

/** An option as the command line would have it: one text, several, a switch. */
type Text = string | string[] | boolean;

type Problem = { message: string; hint?: string };

type Reader = {
  /** The flag of the same meaning; null where there is none. */
  flag: string | null;
  /** The value as the flag would be written; null where its type does not fit. */
  write(value: unknown): Text | null;
  /** What it takes, for messages. */
  takes: string;
  /** Throws where the text is wrong. */
  check?(text: string): unknown;
};

/** Options read from an object, by the flags' names, and the tables of executors. */
export type Given = { options: GivenOptions; tables: Record<string, OptionTable> };

/**
 * Checks options and gives them as the command line would have them. Throws USAGE that names every wrong key
 * with the nearest one, and every wrong value; whether a table's executor exists is seen later.
 */
export function readOptions(given: object): Given {
  const texts = new Map<string, Text>();
  const tables: Record<string, OptionTable> = {};
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const reader = Object.hasOwn(READERS, key) ? READERS[key] : undefined;
    if (reader) {
      const problem = readOne(key, value, reader, texts);
      if (problem !== null) problems.push(problem);
    } else if (isTable(value) && mayBeTable(key)) tables[key] = value;
    else problems.push({ message: unknownKey(key) });
  }
  const [first, ...more] = problems;
  if (first) {
    const hint = more.length === 0 ? first.hint : undefined;
    throw usageError(problems.map(({ message }) => message).join("; "), hint);
  }
  return { options: new ObjectOptions(texts), tables };
}

/** A usage error in the words of the API: `mergeOutput` for `--merge-output`. */
export function inOwnWords(error: JobxError): JobxError {
  if (error.code !== "USAGE") return error;
  const hint = error.hint === undefined ? undefined : ownWords(error.hint);
  return new JobxError(error.code, ownWords(error.message), { hint, cause: error.cause });
}

function ownWords(text: string): string {
  return text.replaceAll(/--(?:no-)?([a-z][a-z-]*)/g, (flag, name: string) => {
    const [key] = Object.entries(READERS).find(([, reader]) => reader.flag === name) ?? [];
    return key ?? flag;
  });
}

function readOne(key: string, value: unknown, reader: Reader, texts: Map<string, Text>): Problem | null {
  const text = reader.write(value);
  if (text === null) return { message: `${key} is ${show(value)}, and it takes ${reader.takes}` };
  if (typeof text === "string") {
    try {
      reader.check?.(text);
    } catch (error) {
      const hint = error instanceof JobxError && error.hint ? ownWords(error.hint) : undefined;
      return { message: `${key}: ${messageOf(error)}`, hint };
    }
  }
  if (reader.flag !== null) texts.set(reader.flag, text);
  return null;
}

class ObjectOptions implements GivenOptions {
  readonly #texts: ReadonlyMap<string, Text>;

  constructor(texts: ReadonlyMap<string, Text>) {
    this.#texts = texts;
  }

  has(name: string): boolean {
    return this.#texts.has(name);
  }

  text(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  flag(name: string): boolean | undefined {
    const value = this.#texts.get(name);
    return typeof value === "boolean" ? value : undefined;
  }

  all(name: string): string[] {
    const value = this.#texts.get(name);
    if (typeof value === "string") return [value];
    return Array.isArray(value) ? value : [];
  }
}

const text = (flag: string, check?: (text: string) => unknown): Reader => ({
  flag,
  check,
  takes: "a text",
  write: (value) => (typeof value === "string" ? value : null),
});

const count = (flag: string, check: (text: string) => unknown): Reader => ({
  flag,
  check,
  takes: "a whole number",
  write: (value) => (typeof value === "number" ? String(value) : null),
});

const minutes = (flag: string, check: (text: string) => unknown): Reader => ({
  flag,
  check,
  takes: 'a number of minutes, or a text such as "1h30m"',
  write: (value) => (typeof value === "number" ? `${value}m` : typeof value === "string" ? value : null),
});

const bytes = (flag: string): Reader => ({
  flag,
  check: parseSize,
  takes: 'a number of bytes, or a text such as "4G"',
  write: (value) => (typeof value === "number" ? `${value}B` : typeof value === "string" ? value : null),
});

const toggle = (flag: string): Reader => ({
  flag,
  takes: "true or false",
  write: (value) => (typeof value === "boolean" ? value : null),
});

const lines = (flag: string): Reader => ({
  flag,
  takes: "a text or an array of texts",
  write: (value) => (typeof value === "string" ? [value] : isTexts(value) ? value : null),
});

/** Not about a submission, or read where it is used. */
const elsewhere = (takes: string, fits: (value: unknown) => boolean): Reader => ({
  flag: null,
  takes,
  write: (value) => (fits(value) ? "" : null),
});

const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

const READERS: Record<string, Reader> = {
  executor: text("executor", nonEmpty),
  home: elsewhere("a folder's path", isText),
  profile: elsewhere("a profile's name", isText),
  shared: elsewhere("true or false", (value) => typeof value === "boolean"),
  runtime: elsewhere("a text or an array of texts", (value) => isText(value) || isTexts(value)),
  onNote: elsewhere("a function", (value) => typeof value === "function"),
  name: text("name", nonEmpty),
  after: { flag: "after", takes: "jobs, selectors or { job, kind }", write: writeAfter },
  time: minutes("time", parseLimit),
  mem: bytes("mem"),
  cpus: count("cpus", parseCount),
  gpus: {
    flag: "gpus",
    check: parseGpus,
    takes: 'a number, or a text such as "a100:2"',
    write: (value) => (typeof value === "number" ? String(value) : isText(value) ? value : null),
  },
  nodes: count("nodes", parseCount),
  ranksPerNode: count("ranks-per-node", parseCount),
  partition: text("partition", parseName),
  account: text("account", parseName),
  qos: text("qos", parseName),
  parallel: count("parallel", parseCount),
  pack: { flag: "pack", check: parsePack, takes: 'a number, "8/2" or { tasks, slots }', write: writePack },
  maxPayload: bytes("max-payload"),
  retries: count("retries", parseNumber),
  maxTimeouts: count("max-timeouts", parseNumber),
  requeue: toggle("requeue"),
  signalDelay: minutes("signal-delay", parseDuration),
  snapshot: { flag: "snapshot", takes: "true, false or { include, exclude }", write: writeSnapshot },
  capture: toggle("capture"),
  launcher: {
    flag: "launcher",
    takes: "one line or an array of words",
    write: (value) => (isText(value) ? value : isTexts(value) ? shellWords(value) : null),
  },
  cwd: text("chdir", nonEmpty),
  env: { flag: "env", takes: "an object of texts", write: writeVariables },
  envFile: text("env-file", nonEmpty),
  cleanEnv: toggle("clean-env"),
  setup: lines("setup"),
  teardown: lines("teardown"),
  distributed: toggle("distributed"),
  mergeOutput: toggle("merge-output"),
  inspect: toggle("inspect"),
} satisfies Record<Exclude<keyof ExecutorOptions, "slurm" | "local" | "debug">, Reader>;

function nonEmpty(value: string): void {
  if (value === "") throw usageError("it is empty");
}

function writeAfter(value: unknown): string[] | null {
  const all = (Array.isArray(value) ? value : [value]).map(selectorOf);
  return all.every((each) => each !== null) ? all : null;
}

/** A predecessor as `--after` would have it. */
function selectorOf(value: unknown): string | null {
  if (isText(value)) return value;
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return null;
  if ("selector" in value) return isText(value.selector) ? value.selector : null;
  if (!("job" in value && "kind" in value)) return null;
  const job = selectorOf(value.job);
  return job === null ? null : `${job}:${String(value.kind)}`;
}

function writePack(value: unknown): string | null {
  if (typeof value === "number") return String(value);
  if (isText(value)) return value;
  if (!isTable(value) || typeof value.tasks !== "number") return null;
  return `${value.tasks}/${typeof value.slots === "number" ? value.slots : 1}`;
}

function writeSnapshot(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  const known = (key: string) => key === "include" || key === "exclude";
  return isTable(value) && Object.entries(value).every(([key, one]) => known(key) && isTexts(one))
    ? true
    : null;
}

function writeVariables(value: unknown): string[] | null {
  if (!isTable(value)) return null;
  const set = Object.entries(value).filter(([, one]) => one !== undefined);
  const isPlain = (one: unknown) => ["string", "number", "boolean"].includes(typeof one);
  return set.every(([, one]) => isPlain(one)) ? set.map(([name, one]) => `${name}=${String(one)}`) : null;
}

function isTable(value: unknown): value is OptionTable {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const BUILT_IN = ["slurm", "local", "debug"];

/** Any table may be a plugin's, unless it looks like a slip of the pen. */
function mayBeTable(key: string): boolean {
  return BUILT_IN.includes(key) || nearest(key, [...Object.keys(READERS), ...BUILT_IN]) === null;
}

function unknownKey(key: string): string {
  const foreign = /^(slurm|local|debug)_(\w+)$/.exec(key);
  const near = foreign
    ? `${foreign[1]}: { ${FOREIGN[foreign[2] ?? ""] ?? foreign[2]}: … }`
    : (FOREIGN[key] ?? nearest(key, [...Object.keys(READERS), ...BUILT_IN]));
  return `There is no option ${key}${near ? `: did you mean ${near}?` : ""}`;
}

/** What submitit calls it. */
const FOREIGN: Record<string, string> = {
  timeout_min: "time",
  timeoutMin: "time",
  mem_gb: "mem",
  cpus_per_task: "cpus",
  gpus_per_node: "gpus",
  tasks_per_node: "ranksPerNode",
  ntasks_per_node: "ranksPerNode",
  array_parallelism: "parallel",
  arrayParallelism: "parallel",
  signal_delay_s: "signalDelay",
  stderr_to_stdout: "mergeOutput",
  max_num_timeout: "maxTimeouts",
  additional_parameters: "extra",
  use_srun: "use-srun",
  srun_args: "srun-args",
  cluster: "executor",
  folder: "home",
  python: "runtime",
};

function show(value: unknown): string {
  return Bun.inspect(value, { depth: 1, colors: false });
}

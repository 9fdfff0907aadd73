import { parseCount, parseLimit, parseMemory, parseName } from "../config/resources.ts";
import { parseNumber, parsePack } from "../config/run-options.ts";
import { usageError } from "../errors.ts";
import { shellWords } from "../executor/run.ts";
import { parseDuration } from "../model/durations.ts";
import { parseGpus } from "../model/gpus.ts";
import { parseSize } from "../model/sizes.ts";
import type { ExecutorOptions, OptionTable } from "./options.ts";

/** An option as the command line would have it: one text, several, a switch. */
export type Text = string | string[] | boolean;

/** How one option is read. */
export type Reader = {
  /** The flag of the same meaning; null where there is none. */
  flag: string | null;
  /** The value as the flag would be written; null where its type does not fit. */
  write(value: unknown): Text | null;
  /** What it takes, for messages. */
  takes: string;
  /** Throws where the text is wrong. */
  check?(text: string): unknown;
};

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
  write: (value) => (isNumber(value) ? String(value) : null),
});

const minutes = (flag: string, check: (text: string) => unknown): Reader => ({
  flag,
  check,
  takes: 'a number of minutes, or a text such as "1h30m"',
  write: (value) => (isNumber(value) ? `${value}m` : isText(value) ? value : null),
});

const bytes = (flag: string, check: (text: string) => unknown): Reader => ({
  flag,
  check,
  takes: 'a number of bytes, or a text such as "4G"',
  write: (value) => (isNumber(value) ? `${value}B` : isText(value) ? value : null),
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

const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

/** Every option by its key, but for the tables of executors. */
export const READERS: Record<string, Reader> = {
  executor: text("executor", nonEmpty),
  home: elsewhere("a folder's path", isText),
  profile: elsewhere("a profile's name", isText),
  shared: elsewhere("true or false", (value) => typeof value === "boolean"),
  runtime: elsewhere("a text or an array of texts", (value) => isText(value) || isTexts(value)),
  onNote: elsewhere("a function", (value) => typeof value === "function"),
  name: text("name", nonEmpty),
  after: { flag: "after", takes: "jobs, selectors or { job, kind }", write: writeAfter },
  time: minutes("time", parseLimit),
  mem: bytes("mem", parseMemory),
  cpus: count("cpus", parseCount),
  gpus: {
    flag: "gpus",
    check: parseGpus,
    takes: 'a number, or a text such as "a100:2"',
    write: (value) => (isNumber(value) ? String(value) : isText(value) ? value : null),
  },
  nodes: count("nodes", parseCount),
  ranksPerNode: count("ranks-per-node", parseCount),
  partition: text("partition", parseName),
  account: text("account", parseName),
  qos: text("qos", parseName),
  parallel: count("parallel", parseCount),
  pack: { flag: "pack", check: parsePack, takes: 'a number, "8/2" or { tasks, slots }', write: writePack },
  maxPayload: bytes("max-payload", parseSize),
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
  if (isNumber(value)) return String(value);
  if (isText(value)) return value;
  if (!isTable(value)) return null;
  const { tasks, slots = 1, ...others } = value;
  return isNumber(tasks) && isNumber(slots) && Object.keys(others).length === 0 ? `${tasks}/${slots}` : null;
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

/** An object of named values. */
export function isTable(value: unknown): value is OptionTable {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import type { GivenOptions } from "../config/settings.ts";
import { JobxError, messageOf, usageError } from "../errors.ts";
import { nearest } from "../model/nearest.ts";
import type { OptionTable } from "./options.ts";
import { isTable, type Reader, READERS, type Text } from "./readers.ts";

/** Options read from an object, by the flags' names, and the tables of executors. */
export type Given = { options: GivenOptions; tables: Record<string, OptionTable> };

/**
 * Checks options and gives them as the command line would have them. Throws USAGE that names every wrong key
 * with the nearest one, and every wrong value; whether a table's executor exists is seen later.
 */
export function readOptions(given: unknown): Given {
  if (!isTable(given)) {
    throw usageError(`The options are ${show(given)}`, 'Give an object: { executor: "local", time: "1h" }');
  }
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
    else if (BUILT_IN.includes(key)) {
      problems.push({ message: `${key} is ${show(value)}, and it takes an object of its options` });
    } else problems.push(unknownKey(key));
  }
  const [first, ...more] = problems;
  if (first) {
    const hint = more.every((problem) => problem.hint === first.hint) ? first.hint : undefined;
    throw usageError(problems.map(({ message }) => message).join("; "), hint);
  }
  return { options: new ObjectOptions(texts), tables };
}

/** An error in the words of the API: `mergeOutput` for `--merge-output`. What a scheduler or a job said stays. */
export function inOwnWords(error: JobxError): JobxError {
  const isOwn = ["USAGE", "NOT_FOUND", "PAYLOAD"].includes(error.code);
  const hint = error.hint === undefined ? undefined : ownWords(error.hint);
  const message = isOwn ? ownWords(error.message) : error.message;
  return new JobxError(error.code, message, { hint, cause: error.cause });
}

/** Flags, and keys of the configuration that have a dash, as options. */
function ownWords(text: string): string {
  const spelled = text.replaceAll(/(?<=^|\s)-e (\w+)/g, 'executor: "$1"');
  return spelled.replaceAll(/--(?:no-)?([a-z][a-z-]*)|(?<![\w.-])[a-z]+-[a-z-]+(?![\w.])/g, (word, flag) => {
    const [key] = Object.entries(READERS).find(([, reader]) => reader.flag === (flag ?? word)) ?? [];
    return key ?? word;
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

type Problem = { message: string; hint?: string };

const BUILT_IN = ["slurm", "local", "debug"];

/** Any table may be a plugin's, unless it looks like a slip of the pen. */
function mayBeTable(key: string): boolean {
  if (Object.hasOwn(FOREIGN, key)) return false;
  return BUILT_IN.includes(key) || nearest(key, [...Object.keys(READERS), ...BUILT_IN]) === null;
}

function unknownKey(key: string): Problem {
  const foreign = /^(slurm|local|debug)_(\w+)$/.exec(key);
  const [, table, name = key] = foreign ?? [];
  const near =
    FOREIGN[name] ??
    (Object.hasOwn(READERS, name) ? name : null) ??
    (table ? `${table}: { ${name}: … }` : nearest(key, [...Object.keys(READERS), ...BUILT_IN]));
  return near
    ? { message: `There is no option ${key}: did you mean ${near}?` }
    : { message: `There is no option ${key}`, hint: `The options are ${Object.keys(READERS).join(", ")}` };
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
  max_pickle_size_gb: "maxPayload",
  additional_parameters: "slurm: { … }",
  use_srun: "slurm: { useSrun: … }",
  srun_args: "slurm: { srunArgs: … }",
  cluster: "executor",
  folder: "home",
  python: "runtime",
};

/** A value as an error names it, on one line. */
export function show(value: unknown): string {
  return Bun.inspect(value, { depth: 1, colors: false, compact: true }).replaceAll(/,?\s*\n\s*/g, " ");
}

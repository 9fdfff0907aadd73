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

type Problem = { message: string; hint?: string };

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

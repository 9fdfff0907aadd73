import { JobxError, usageError } from "../errors.ts";
import { parseDuration } from "../model/durations.ts";
import { parseGpus } from "../model/gpus.ts";
import type { Resources } from "../model/resources.ts";
import { parseSize } from "../model/sizes.ts";

/** What a task needs, by the names of the flags. */
export type ResourceOption =
  "time" | "mem" | "cpus" | "gpus" | "nodes" | "ranks-per-node" | "partition" | "account" | "qos";

/**
 * Reads the resource flags; `text` gives a flag's value as it was typed, or undefined where it was not
 * given, and then its key stays absent. Throws USAGE that names the flag and shows the value.
 */
export function toResources(text: (flag: ResourceOption) => string | undefined): Resources {
  const read = <T>(flag: ResourceOption, parse: (text: string) => T): T | undefined => {
    const value = text(flag);
    return value === undefined ? undefined : named(flag, () => parse(value));
  };
  const resources: Resources = {};
  // Written out key by key: an absent key means "not asked for", one that holds undefined does not.
  const set = <K extends keyof Resources>(key: K, value: Resources[K]) => {
    if (value !== undefined) resources[key] = value;
  };
  set("timeSeconds", read("time", parseLimit));
  set("memBytes", read("mem", parseMemory));
  set("cpus", read("cpus", parseCount));
  set("gpus", read("gpus", parseGpus));
  set("nodes", read("nodes", parseCount));
  set("ranksPerNode", read("ranks-per-node", parseCount));
  set("partition", read("partition", parseName));
  set("account", read("account", parseName));
  set("qos", read("qos", parseName));
  return resources;
}

/** A whole number of at least 1. */
export function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= 1) return Number(text);
  if (/^\d{10,}$/.test(text)) throw usageError(`"${text}" is more than 999999999`);
  throw usageError(`"${text}" is not a whole number of at least 1`);
}

/** A time limit in seconds, more than 0. */
export function parseLimit(text: string): number {
  const seconds = parseDuration(text);
  // Schedulers read 0 as "no limit" or as "the partition's", or let the job wait for ever.
  if (seconds > 0) return seconds;
  throw usageError(`"${text}" is no time limit: it must be more than 0`, "Leave --time out for no limit");
}

/** Memory in bytes, more than 0. */
export function parseMemory(text: string): number {
  const bytes = parseSize(text);
  // To Slurm 0 means all that a node has, and nothing could start within it.
  if (bytes > 0) return bytes;
  const hint = "Leave --mem out for no limit; on slurm, -o mem=0 asks for all of a node's memory";
  throw usageError(`"${text}" is no memory limit: it must be more than 0`, hint);
}

/** A name without blanks. */
export function parseName(text: string): string {
  if (text !== "" && !/[\s\0]/.test(text)) return text;
  throw usageError(`${JSON.stringify(text)} is not a name`);
}

/** Puts the flag's name before what its parser says of the value. */
function named<T>(flag: ResourceOption, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof JobxError) || error.message.includes(`--${flag}`)) throw error;
    throw new JobxError(error.code, `--${flag}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

import type { ArgDef } from "citty";

import { JobxError, usageError } from "../errors.ts";
import { parseDuration } from "../model/durations.ts";
import { parseGpus } from "../model/gpus.ts";
import type { Resources } from "../model/resources.ts";
import { parseSize } from "../model/sizes.ts";

/** The flags that say what a task needs, as `submit` and `retry` declare them. */
export const resourceFlags = {
  time: {
    type: "string",
    alias: "t",
    valueHint: "T",
    description: "Time limit per task: 90 (minutes), 1h30m, 45s, 1-12:00:00",
  },
  mem: { type: "string", valueHint: "SIZE", description: "Memory per node: 512M, 4G" },
  cpus: { type: "string", alias: "c", valueHint: "N", description: "CPUs per rank" },
  gpus: {
    type: "string",
    valueHint: "[TYPE:]N",
    description: "GPUs per node (sbatch's --gpus is per job)",
  },
  nodes: { type: "string", alias: "N", valueHint: "N", description: "Nodes per task" },
  "ranks-per-node": {
    type: "string",
    alias: "ntasks-per-node",
    valueHint: "N",
    description: "Ranks (processes) per node",
  },
  partition: {
    type: "string",
    alias: "p",
    valueHint: "NAME",
    description: "The queue, on a scheduler that has them",
  },
  account: { type: "string", alias: "A", valueHint: "NAME", description: "Who pays" },
  qos: { type: "string", valueHint: "NAME", description: "The quality of service" },
} as const satisfies Record<string, ArgDef>;

export type ResourceFlag = keyof typeof resourceFlags;

/**
 * Reads the resource flags; `text` gives a flag's value as it was typed, or undefined where it was not
 * given, and then its key stays absent. Throws USAGE that names the flag and shows the value.
 */
export function toResources(text: (flag: ResourceFlag) => string | undefined): Resources {
  const read = <T>(flag: ResourceFlag, parse: (text: string) => T): T | undefined => {
    const value = text(flag);
    return value === undefined ? undefined : named(flag, () => parse(value));
  };
  const resources: Resources = {};
  // Written out key by key: an absent key means "not asked for", one that holds undefined does not.
  const set = <K extends keyof Resources>(key: K, value: Resources[K]) => {
    if (value !== undefined) resources[key] = value;
  };
  set("timeSeconds", read("time", parseLimit));
  set("memBytes", read("mem", parseSize));
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
  throw usageError(`"${text}" is not a whole number of at least 1`);
}

function parseLimit(text: string): number {
  const seconds = parseDuration(text);
  // Schedulers read 0 as "no limit" or as "the partition's", or let the job wait for ever.
  if (seconds > 0) return seconds;
  throw usageError(`"${text}" is no time limit: it must be more than 0`, "Leave --time out for no limit");
}

function parseName(text: string): string {
  if (text !== "" && !/[\s\0]/.test(text)) return text;
  throw usageError(`${JSON.stringify(text)} is not a name`);
}

/** Puts the flag's name before what its parser says of the value. */
function named<T>(flag: ResourceFlag, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof JobxError) || error.message.includes(`--${flag}`)) throw error;
    throw new JobxError(error.code, `--${flag}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

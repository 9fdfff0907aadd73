import type { ArgDef } from "citty";

import type { ResourceOption } from "../config/resources.ts";

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
} as const satisfies Record<ResourceOption, ArgDef>;

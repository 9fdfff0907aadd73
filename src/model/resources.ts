/**
 * What a job asks for, exactly as the user gave it: an absent key was not asked for, and nothing is
 * emitted for it. Times are seconds, sizes are bytes. All figures describe one task.
 */
export type Resources = {
  /** Wall-clock limit of one task, in seconds. */
  timeSeconds?: number;
  /** Memory per node, in bytes. */
  memBytes?: number;
  /** CPUs per rank. */
  cpus?: number;
  /** GPUs per node. */
  gpus?: { type?: string; count: number };
  nodes?: number;
  ranksPerNode?: number;
  /** The queue, on any scheduler that has them. */
  partition?: string;
  /** Who pays. */
  account?: string;
  qos?: string;
};

/** How many processes one task has: nodes x ranks per node, 1 by default. */
export function ranksOf(resources: Resources): number {
  return (resources.nodes ?? 1) * (resources.ranksPerNode ?? 1);
}

/** CPUs that one task occupies on one node. */
export function cpusOf(resources: Resources): number {
  return (resources.cpus ?? 1) * (resources.ranksPerNode ?? 1);
}

import type { JobSpec } from "./job.ts";

/**
 * What runs a lost task again, for the end of its reason. `options` are those that would have done it by themselves; null
 * where there are none, or they did not help.
 */
export function wayOut({ id, run }: Pick<JobSpec, "id" | "run">, options: string | null): string {
  if (options === null) return `jobx retry ${id} --failed runs it again`;
  if (run.retries === 0) return `with ${options} it would run again by itself`;
  return `its ${run.retries === 1 ? "retry is" : `${run.retries} retries are`} used up`;
}

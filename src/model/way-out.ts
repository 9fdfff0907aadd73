import type { JobSpec } from "./job.ts";

/**
 * What runs a lost task again, for the end of its reason: by hand now, and what would have done it by itself.
 * `options` are those that the job could have had for that; null where there are none, or they did not help.
 */
export function wayOut({ id, run }: Pick<JobSpec, "id" | "run">, options: string | null): string {
  const byHand = `jobx retry ${id} --failed runs it again`;
  if (options === null) return byHand;
  if (run.retries === 0) return `${byHand}, as ${options} would have`;
  return `its ${run.retries === 1 ? "retry is" : `${run.retries} retries are`} used up; ${byHand}`;
}

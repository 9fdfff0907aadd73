import { type Counts, finalOf, totalOf } from "../model/states.ts";

/** How far tasks are, for logs: "18 of 24 done, 2 running, 1 failed". */
export function progressText(counts: Counts): string {
  const bad = counts.failed + counts.timeout + counts.lost;
  const parts = [
    `${finalOf(counts)} of ${totalOf(counts)} done`,
    ...(counts.running > 0 ? [`${counts.running} running`] : []),
    ...(bad > 0 ? [`${bad} failed`] : []),
    ...(counts.cancelled > 0 ? [`${counts.cancelled} cancelled`] : []),
  ];
  return parts.join(", ");
}

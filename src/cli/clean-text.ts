import { formatSize } from "../model/sizes.ts";
import type { CleanReport } from "../orchestrator/clean.ts";
import type { Style } from "./output.ts";
import { printable } from "./printable.ts";
import { showRanges } from "./ranges.ts";
import { paintState } from "./states.ts";

/** More jobs than this are told by their ids. */
const MOST_LINES = 20;

/** What was removed, or would be: each job with its size, then the rest, then the sum. */
export function renderClean(report: CleanReport, style: Style, options: { dryRun: boolean }): string {
  const { jobs } = report;
  const verb = options.dryRun ? "Would remove" : "Removed";
  const sum = `${verb} ${summaryOfClean(report)}`;
  if (jobs.length > MOST_LINES) {
    return `${sum}\n${style.dim(
      `Jobs ${showRanges(
        jobs.map(({ id }) => id),
        30,
      )}`,
    )}`;
  }
  const lines = jobs.map(({ id, name, state, bytes }) => {
    const what = state === null ? style.dim("an unfinished submission") : paintState(state, style);
    return `  job ${id}${name === null ? "" : ` (${printable(name)})`}: ${what}, ${formatSize(bytes)}`;
  });
  return [...lines, sum].join("\n");
}

/** "2 jobs, 1 snapshot and 1 runtime: 104.2 MiB". */
export function summaryOfClean({ jobs, snapshots, runtimes, bytes }: CleanReport): string {
  const parts = [
    counted(jobs.length, "job"),
    ...(snapshots.length > 0 ? [counted(snapshots.length, "snapshot")] : []),
    ...(runtimes.length > 0 ? [counted(runtimes.length, "runtime")] : []),
  ];
  const last = parts.pop();
  const list = parts.length > 0 ? `${parts.join(", ")} and ${last}` : last;
  return `${list}: ${formatSize(bytes)}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

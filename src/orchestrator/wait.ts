import { JobxError } from "../errors.ts";
import { formatDuration } from "../model/durations.ts";
import { JobReader } from "./job-reader.ts";
import type { Selected } from "./select.ts";
import type { Services } from "./services.ts";
import { type JobView, viewOf } from "./view.ts";
import { Watcher } from "./watcher.ts";

export type WaitOptions = {
  timeoutSeconds?: number;
  /** Ends the wait with INTERRUPTED; the jobs go on. */
  signal?: AbortSignal;
  /** Called when something is new, at most ten times a second, and at the end. */
  onProgress?(views: JobView[]): void;
  /** Calls `onProgress` also when nothing is new for this long, in milliseconds: times go on. */
  tickMs?: number;
};

/**
 * Waits until every selected task has ended, and gives the jobs as they then stand. It never hangs: a
 * task that its executor has forgotten gets its verdict, or is submitted again where it has retries left. Rejects
 * with WAIT_TIMEOUT or INTERRUPTED.
 */
export async function waitFor(
  services: Services,
  selected: Selected[],
  options: WaitOptions = {},
): Promise<JobView[]> {
  const readers = openReaders(services, selected);
  const views = () => [...readers.values()].map(viewOf);
  const watched = selected.flatMap(({ id, tasks }) => {
    const reader = readers.get(id);
    return reader ? [{ services, reader, tasks }] : [];
  });
  const { timeoutSeconds, signal, tickMs, onProgress } = options;
  const onNews = onProgress && (() => onProgress(views()));
  const outcome = await new Watcher().wait(watched, { timeoutSeconds, signal, tickMs, onNews });
  if (outcome === "timeout") throw waitTimedOut(namesOf(selected), timeoutSeconds ?? 0);
  if (outcome === "aborted") throw waitInterrupted(namesOf(selected));
  return views();
}

function openReaders(services: Services, selected: Selected[]): Map<number, JobReader> {
  const readers = new Map<number, JobReader>();
  for (const { id } of selected) {
    if (!readers.has(id)) readers.set(id, new JobReader(services.home, id));
  }
  return readers;
}

/** That time passed while these jobs had not ended. */
export function waitTimedOut(names: string[], seconds: number): JobxError {
  const one = names.length === 1;
  const what = `${jobsOf(names)} ${one ? "has" : "have"} not ended`;
  return new JobxError("WAIT_TIMEOUT", `${formatDuration(seconds)} passed and ${what}`, {
    hint: `${one ? "It goes" : "They go"} on; look with jobx status ${names.join(" ")}`,
  });
}

/** That somebody gave up waiting for these jobs. */
export function waitInterrupted(names: string[]): JobxError {
  const one = names.length === 1;
  return new JobxError("INTERRUPTED", `Stopped waiting; ${jobsOf(names)} ${one ? "goes" : "go"} on`, {
    hint: `Wait again with jobx wait ${names.join(" ")}, or end ${one ? "it" : "them"} with jobx cancel ${names.join(" ")}`,
  });
}

function namesOf(selected: Selected[]): string[] {
  return selected.map((one) => String(one.id));
}

function jobsOf(names: string[]): string {
  return `${names.length === 1 ? "job" : "jobs"} ${names.join(", ")}`;
}

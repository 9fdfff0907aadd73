import { JobxError } from "../errors.ts";
import { formatDuration } from "../model/durations.ts";
import { finalOf, isFinal } from "../model/states.ts";
import { JobReader } from "./job-reader.ts";
import type { Selected } from "./select.ts";
import type { Services } from "./services.ts";
import { settle } from "./settle.ts";
import { type JobView, viewOf } from "./view.ts";

export type WaitOptions = {
  timeoutSeconds?: number;
  /** Ends the wait with INTERRUPTED; the jobs go on. */
  signal?: AbortSignal;
  /** Called when something is new, at most ten times a second, and at the end. */
  onProgress?(views: JobView[]): void;
  /** Calls `onProgress` also when nothing is new for this long, in milliseconds: times go on. */
  tickMs?: number;
};

/** Records are looked for at once and then ever more rarely, at most this often... */
const FIRST_LOOK_MS = 5;
/** Records come in groups, 20 ms apart. */
const NEXT_LOOK_MS = 20;
const LAST_LOOK_MS = 250;
/** ...and executors are asked far more rarely: records come without them. */
const FIRST_ASK_MS = 500;
const LAST_ASK_MS = 60_000;
const REPORT_MS = 100;

/**
 * Waits until every selected task has ended, and gives the jobs as they then stand. It never hangs: a
 * task that its executor has forgotten gets its verdict. Rejects with WAIT_TIMEOUT or INTERRUPTED.
 */
export async function waitFor(
  services: Services,
  selected: Selected[],
  options: WaitOptions = {},
): Promise<JobView[]> {
  const readers = openReaders(services, selected);
  const began = performance.now();
  const deadline =
    options.timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : began + options.timeoutSeconds * 1000;
  let reported = Number.NEGATIVE_INFINITY;
  const report = () => {
    reported = performance.now();
    options.onProgress?.([...readers.values()].map(viewOf));
  };
  const done = () => selected.every((one) => hasEnded(readers, one));

  await settle(services, [...readers.values()]);
  report();
  let unreported = false;
  let look = FIRST_LOOK_MS;
  let ask = FIRST_ASK_MS;
  let nextAsk = began + ask;
  let left = unended(readers);
  let lastNews = began;
  while (!done()) {
    if (performance.now() >= deadline) throw timedOut(selected, options.timeoutSeconds ?? 0);
    await pause(Math.min(look, deadline - performance.now()), options.signal);
    if (options.signal?.aborted) throw interrupted(selected);
    const open = [...readers.values()].filter((reader) => !reader.isFinal);
    const news = open.map((reader) => reader.refresh()).some(Boolean);
    unreported ||= news;
    if (news) {
      const before = left;
      left = unended(readers);
      look = lookAfterNews(performance.now() - lastNews, before, left);
      lastNews = performance.now();
    } else {
      look = Math.min(look * 1.5, LAST_LOOK_MS);
    }
    if (performance.now() >= nextAsk) {
      ask = Math.min(ask * 1.5, LAST_ASK_MS);
      nextAsk = performance.now() + ask;
      await settle(services, open);
      unreported = true;
    }
    const silent = performance.now() - reported;
    if ((unreported && silent >= REPORT_MS) || silent >= (options.tickMs ?? Number.POSITIVE_INFINITY)) {
      unreported = false;
      report();
    }
  }
  await settle(services, [...readers.values()]);
  report();
  return [...readers.values()].map(viewOf);
}

/** Half of the time that is left at the present pace, so that many short tasks cost few looks. */
function lookAfterNews(elapsedMs: number, before: number, left: number): number {
  const remainingMs = before > left ? (elapsedMs * left) / (before - left) : 0;
  return Math.min(Math.max(NEXT_LOOK_MS, remainingMs / 2), REPORT_MS);
}

/** How many tasks have not ended. */
function unended(readers: Map<number, JobReader>): number {
  let count = 0;
  for (const reader of readers.values()) count += reader.spec.tasks - finalOf(reader.counts);
  return count;
}

function openReaders(services: Services, selected: Selected[]): Map<number, JobReader> {
  const readers = new Map<number, JobReader>();
  for (const { id } of selected) {
    if (!readers.has(id)) readers.set(id, new JobReader(services.home, id));
  }
  return readers;
}

function hasEnded(readers: Map<number, JobReader>, selected: Selected): boolean {
  const reader = readers.get(selected.id);
  if (!reader || reader.isFinal) return true;
  return selected.tasks?.every((task) => isFinal(reader.recordedState(task))) ?? false;
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(finish, Math.max(0, ms));
    function finish() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    }
    signal?.addEventListener("abort", finish);
  });
}

function timedOut(selected: Selected[], seconds: number): JobxError {
  const one = selected.length === 1;
  const what = `${namesOf(selected)} ${one ? "has" : "have"} not ended`;
  return new JobxError("WAIT_TIMEOUT", `${formatDuration(seconds)} passed and ${what}`, {
    hint: `${one ? "It goes" : "They go"} on; look with jobx status ${selected.map((one) => one.id).join(" ")}`,
  });
}

function interrupted(selected: Selected[]): JobxError {
  const ids = selected.map((one) => one.id).join(" ");
  const goes = selected.length === 1 ? "goes" : "go";
  return new JobxError("INTERRUPTED", `Stopped waiting; ${namesOf(selected)} ${goes} on`, {
    hint: `Wait again with jobx wait ${ids}, or end ${selected.length === 1 ? "it" : "them"} with jobx cancel ${ids}`,
  });
}

function namesOf(selected: Selected[]): string {
  return selected.length === 1
    ? `job ${selected[0]?.id}`
    : `jobs ${selected.map((one) => one.id).join(", ")}`;
}

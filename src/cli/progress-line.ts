import { type Counts, finalOf, totalOf } from "../model/states.ts";
import { progressText as countsText } from "../orchestrator/progress-text.ts";
import type { Style } from "./output.ts";
import { paintState } from "./states.ts";
import { fit } from "./table.ts";
import { showDuration } from "./times.ts";

/** What a progress bar shows. */
export type Progress = {
  /** What is waited for: "job 12", "3 jobs". */
  label: string;
  counts: Counts;
  /** Tasks that end per second; null while that cannot be said. */
  rate: number | null;
  /** Seconds since the wait began. */
  elapsed: number;
};

/**
 * A progress bar of at most `width` columns: done, running, failed, rate, time left. On a narrow terminal
 * the parts that matter least go first.
 */
export function progressLine(progress: Progress, width: number, style: Style): string {
  const { counts } = progress;
  const total = totalOf(counts);
  const done = finalOf(counts);
  const count = `${done}/${total}`;
  const extras = [...stateParts(counts, style), ...paceParts(progress)];
  // From the most to the least that fits: label, bar, count and every extra; then fewer extras; then the count.
  for (let kept = extras.length; kept >= 0; kept--) {
    const rest = [count, ...extras.slice(0, kept)].join("  ");
    const barWidth = Math.min(WIDEST_BAR, width - Bun.stringWidth(`${progress.label}    ${rest}`));
    if (barWidth >= NARROWEST_BAR) {
      return `${style.bold(progress.label)}  ${bar(counts, barWidth, style)}  ${rest}`;
    }
  }
  return fit(`${progress.label}  ${count}`, width).trimEnd();
}

/** The same as a plain line, for logs: "job 12: 18 of 24 done, 2 running, 1 failed". */
export function progressText({ label, counts }: Pick<Progress, "label" | "counts">): string {
  return `${label}: ${countsText(counts)}`;
}

/** Seconds that the rest takes at this rate; null where nobody can say. */
export function timeLeft(counts: Counts, rate: number | null): number | null {
  const left = counts.queued + counts.running;
  return rate === null || rate <= 0 || left === 0 ? null : left / rate;
}

/** How many tasks end per second: of late, or since the beginning where nothing has ended of late. */
export class RateMeter {
  readonly #samples: Sample[] = [];
  readonly #window: number;
  #origin: Sample | undefined;

  constructor(windowSeconds = 30) {
    this.#window = windowSeconds;
  }

  /** Notes that `done` tasks have ended at `at` (seconds on any clock). */
  add(at: number, done: number): void {
    const sample = { at, done };
    this.#origin ??= sample;
    this.#samples.push(sample);
    while (this.#samples.length > 2 && (this.#samples[1]?.at ?? at) < at - this.#window)
      this.#samples.shift();
  }

  /** The rate as of `at`; null until something has ended while it was watched. */
  perSecond(at: number): number | null {
    const last = this.#samples.at(-1);
    return between(this.#samples[0], last, at) ?? between(this.#origin, last, at);
  }
}

type Sample = { at: number; done: number };

function between(from: Sample | undefined, to: Sample | undefined, at: number): number | null {
  if (!from || !to || to.done <= from.done || at <= from.at) return null;
  return (to.done - from.done) / (at - from.at);
}

const WIDEST_BAR = 40;
const NARROWEST_BAR = 6;

function bar(counts: Counts, width: number, style: Style): string {
  const total = Math.max(1, totalOf(counts));
  const bad = finalOf(counts) - counts.succeeded;
  // Rounded towards what is left, so that a full bar means the end; one failure always shows.
  const filled = Math.floor((finalOf(counts) / total) * width);
  const red = bad === 0 ? 0 : Math.min(filled, Math.max(1, Math.round((bad / total) * width)));
  const running = Math.min(width - filled, Math.ceil((counts.running / total) * width));
  return (
    style.green("█".repeat(filled - red)) +
    style.red("█".repeat(red)) +
    style.cyan("▒".repeat(running)) +
    style.dim("░".repeat(width - filled - running))
  );
}

function stateParts(counts: Counts, style: Style): string[] {
  const bad = counts.failed + counts.timeout + counts.lost;
  return [
    ...(bad > 0 ? [paintState("failed", style, `${bad} failed`)] : []),
    ...(counts.running > 0 ? [paintState("running", style, `${counts.running} running`)] : []),
    ...(counts.cancelled > 0 ? [paintState("cancelled", style, `${counts.cancelled} cancelled`)] : []),
  ];
}

function paceParts(progress: Progress): string[] {
  const left = timeLeft(progress.counts, progress.rate);
  return [
    left === null ? showDuration(progress.elapsed) : `${showDuration(left)} left`,
    ...(progress.rate === null ? [] : [showRate(progress.rate)]),
  ];
}

function showRate(rate: number): string {
  if (rate >= 9.95) return `${Math.round(rate)}/s`;
  if (rate >= 0.95) return `${rate.toFixed(1)}/s`;
  return rate * 60 >= 0.95 ? `${(rate * 60).toFixed(1)}/min` : `${(rate * 3600).toFixed(1)}/h`;
}

import { finalOf, isFinal } from "../model/states.ts";
import type { JobReader } from "./job-reader.ts";
import type { Services } from "./services.ts";
import { settle } from "./settle.ts";

/** Tasks of a job that somebody waits for, null for all of them, and who is asked about them. */
export type Watched = { services: Services; reader: JobReader; tasks: readonly number[] | null };

export type WatchOptions = {
  /** Gives up after this long; 0 looks once. */
  timeoutSeconds?: number;
  /** Gives up when it is aborted. */
  signal?: AbortSignal;
  /** Called when something is new, at most ten times a second, at the beginning and at the end. */
  onNews?(): void;
  /** Calls `onNews` also when nothing is new for this long, in milliseconds. */
  tickMs?: number;
};

export type WatchOutcome = "ended" | "timeout" | "aborted";

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
 * Waits for tasks to end, for as many callers as there are: one loop and one timer, however many wait, and
 * neither of them once nobody does. It never hangs: a task that its executor has forgotten gets its verdict.
 */
export class Watcher {
  readonly #waits = new Set<Wait>();
  /** What is looked at, and how many waits are about it. */
  readonly #readers = new Map<JobReader, { services: Services; waits: number }>();
  #running = false;
  #look = FIRST_LOOK_MS;
  #ask = FIRST_ASK_MS;
  #nextAsk = 0;
  #lastNews = 0;
  #wake = Promise.withResolvers<void>();

  /** Waits until all of these have ended, or gives up. Rejects where a job cannot be read. */
  wait(watched: Watched[], options: WatchOptions = {}): Promise<WatchOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<WatchOutcome>();
    const { timeoutSeconds, signal, onNews, tickMs = Number.POSITIVE_INFINITY } = options;
    const now = performance.now();
    const deadline = timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : now + timeoutSeconds * 1000;
    const reportedAt = Number.NEGATIVE_INFINITY;
    const wake = () => this.#wake.resolve();
    const wait: Wait = {
      watched,
      deadline,
      signal,
      onNews,
      tickMs,
      reportedAt,
      hasNews: true,
      resolve,
      reject,
      wake,
    };
    signal?.addEventListener("abort", wake);
    this.#waits.add(wait);
    for (const { reader, services } of watched) {
      const known = this.#readers.get(reader);
      if (known) known.waits++;
      else {
        this.#readers.set(reader, { services, waits: 1 });
        this.#startAnew();
      }
    }
    if (!this.#running) void this.#run();
    return promise;
  }

  /** A job that nobody has looked at yet is asked about at once. */
  #startAnew(): void {
    this.#look = FIRST_LOOK_MS;
    this.#ask = FIRST_ASK_MS;
    this.#nextAsk = 0;
    this.#lastNews = performance.now();
    this.#wake.resolve();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waits.size > 0) {
        this.#wake = Promise.withResolvers();
        await this.#turn();
        if (this.#waits.size > 0) await this.#pause();
      }
    } catch (error) {
      for (const wait of this.#waits) this.#end(wait, () => wait.reject(error));
    } finally {
      this.#running = false;
    }
  }

  async #turn(): Promise<void> {
    const open = [...this.#readers.keys()].filter((reader) => !reader.isFinal);
    const before = unended(open);
    const news = new Set(open.filter((reader) => this.#refresh(reader)));
    if (news.size > 0) {
      const now = performance.now();
      this.#look = lookAfterNews(now - this.#lastNews, before, unended(open));
      this.#lastNews = now;
    } else {
      this.#look = Math.min(this.#look * 1.5, LAST_LOOK_MS);
    }
    const isAskTime = performance.now() >= this.#nextAsk;
    if (isAskTime) {
      const isFirst = this.#nextAsk === 0;
      if (isFirst) this.#look = FIRST_LOOK_MS;
      else this.#ask = Math.min(this.#ask * 1.5, LAST_ASK_MS);
      // Set before they are asked: a job that comes meanwhile is asked about next.
      this.#nextAsk = performance.now() + this.#ask;
      await this.#askAbout(open);
    }
    const finished = [...this.#readers.keys()].filter((reader) => reader.isFinal && !reader.summarised);
    await this.#settle(finished);
    for (const wait of this.#waits) {
      wait.hasNews ||= isAskTime || wait.watched.some(({ reader }) => news.has(reader));
      try {
        this.#consider(wait);
      } catch (error) {
        // What is told of the news is the caller's code.
        this.#end(wait, () => wait.reject(error));
      }
    }
  }

  /** Whoever gives up meanwhile is let go: an executor may take minutes to answer. A wait of no time gets its look. */
  async #askAbout(readers: JobReader[]): Promise<void> {
    const began = performance.now();
    const alone = Promise.withResolvers<void>();
    const timer = setInterval(() => {
      const now = performance.now();
      for (const wait of this.#waits) {
        const isLate = wait.deadline > began && now >= wait.deadline;
        if (wait.signal?.aborted) this.#end(wait, () => wait.resolve("aborted"));
        else if (isLate) this.#end(wait, () => wait.resolve("timeout"));
      }
      if (this.#waits.size === 0) alone.resolve();
    }, REPORT_MS);
    try {
      await Promise.race([this.#settle(readers), alone.promise]);
    } finally {
      clearInterval(timer);
    }
  }

  async #settle(readers: JobReader[]): Promise<void> {
    for (const [services, jobs] of Map.groupBy(readers, (reader) => this.#readers.get(reader)?.services)) {
      if (!services) continue;
      try {
        await settle(services, jobs, { resubmit: true });
      } catch (error) {
        this.#fail(jobs, error);
      }
    }
  }

  #refresh(reader: JobReader): boolean {
    try {
      return reader.refresh();
    } catch (error) {
      this.#fail([reader], error);
      return false;
    }
  }

  /** Whoever waits for other jobs goes on. */
  #fail(readers: readonly JobReader[], error: unknown): void {
    for (const wait of this.#waits) {
      if (wait.watched.some(({ reader }) => readers.includes(reader)))
        this.#end(wait, () => wait.reject(error));
    }
  }

  /** Ends a wait that is over, and reports to one that goes on. */
  #consider(wait: Wait): void {
    const now = performance.now();
    const outcome = outcomeOf(wait, now);
    const silent = now - wait.reportedAt;
    if (outcome === "ended" || (wait.hasNews && silent >= REPORT_MS) || silent >= wait.tickMs) {
      wait.hasNews = false;
      wait.reportedAt = now;
      wait.onNews?.();
    }
    if (outcome) this.#end(wait, () => wait.resolve(outcome));
  }

  #end(wait: Wait, settleIt: () => void): void {
    if (!this.#waits.delete(wait)) return;
    wait.signal?.removeEventListener("abort", wait.wake);
    for (const { reader } of wait.watched) {
      const known = this.#readers.get(reader);
      if (known && --known.waits === 0) this.#readers.delete(reader);
    }
    settleIt();
  }

  /** The one timer. */
  async #pause(): Promise<void> {
    let until = performance.now() + this.#look;
    for (const { deadline } of this.#waits) until = Math.min(until, deadline);
    const timer = setTimeout(() => this.#wake.resolve(), Math.max(0, until - performance.now()));
    await this.#wake.promise;
    clearTimeout(timer);
  }
}

type Wait = {
  watched: Watched[];
  deadline: number;
  signal: AbortSignal | undefined;
  onNews: (() => void) | undefined;
  tickMs: number;
  reportedAt: number;
  hasNews: boolean;
  resolve(outcome: WatchOutcome): void;
  reject(error: unknown): void;
  wake(): void;
};

function outcomeOf({ watched, signal, deadline }: Wait, now: number): WatchOutcome | null {
  if (watched.every(hasEnded)) return "ended";
  if (signal?.aborted) return "aborted";
  return now >= deadline ? "timeout" : null;
}

function hasEnded({ reader, tasks }: Watched): boolean {
  return reader.isFinal || (tasks?.every((task) => isFinal(reader.recordedState(task))) ?? false);
}

/** Half of the time that is left at the present pace, so that many short tasks cost few looks. */
function lookAfterNews(elapsedMs: number, before: number, left: number): number {
  const remainingMs = before > left ? (elapsedMs * left) / (before - left) : 0;
  return Math.min(Math.max(NEXT_LOOK_MS, remainingMs / 2), REPORT_MS);
}

/** How many tasks have not ended. */
function unended(readers: readonly JobReader[]): number {
  let count = 0;
  for (const reader of readers) count += reader.spec.tasks - finalOf(reader.counts);
  return count;
}

/**
 * The time that deadlines are kept by, in milliseconds: that of `performance.now()` without what this process was
 * stopped for. A scheduler that suspends a job moves its end by as long.
 *
 * A process learns by SIGCONT that it was stopped, and by what it has missed for how long. Either alone says nothing:
 * it may merely have been busy, as with a file system that does not answer, and schedulers send SIGCONT before SIGTERM.
 */
export class Clock {
  readonly #read: () => number;
  #stopped = 0;
  /** When it last looked; infinite while nobody has it look. */
  #seen = Infinity;
  #missed: { milliseconds: number; until: number } | null = null;

  constructor(read: () => number = () => performance.now()) {
    this.#read = read;
  }

  now(): number {
    return this.#read() - this.#stopped;
  }

  /** Looks all the while for what it misses, until the function it returns is called. */
  watch(): () => void {
    this.#seen = this.#read();
    const timer = setInterval(() => this.#look(), LOOK_MS);
    timer.unref();
    return () => {
      clearInterval(timer);
      this.#seen = Infinity;
    };
  }

  /** The process was told to continue (SIGCONT): what it has just missed, it was stopped for. */
  continued(): void {
    if (this.isUnsure() && this.#missed) this.#stopped += this.#missed.milliseconds;
    this.#missed = null;
  }

  /** Whether it has missed some time and may yet hear that it was stopped: timers ring before signals are heard. */
  isUnsure(): boolean {
    const now = this.#look();
    return this.#missed !== null && now - this.#missed.until < HEARD_MS;
  }

  #look(): number {
    const now = this.#read();
    const gap = now - this.#seen;
    // It was stopped somewhere between two looks.
    if (gap > 2 * LOOK_MS) this.#missed = { milliseconds: gap - LOOK_MS / 2, until: now };
    if (this.#seen !== Infinity) this.#seen = now;
    return now;
  }
}

const LOOK_MS = 500;
/** How long after it went on a process has surely heard the signal, in milliseconds. */
export const HEARD_MS = 100;

/** This process's. */
export const clock = new Clock();

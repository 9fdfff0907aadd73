import { clock, HEARD_MS } from "./clock.ts";

type Alarm = { at: number; ring: () => void };

/**
 * Deadlines of everything that runs, on one timer; time for which the process was stopped does not count. Meant for as
 * many alarms as tasks run at once, set and cleared a thousand times a second: neither touches the timer unless it must
 * ring earlier.
 */
export class Alarms {
  readonly #alarms = new Set<Alarm>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #timerAt = Infinity;

  /** Rings once, `milliseconds` from now; the function it returns clears it. */
  after(milliseconds: number, ring: () => void): () => void {
    const alarm = { at: clock.now() + milliseconds, ring };
    this.#alarms.add(alarm);
    this.#arm(alarm.at);
    return () => void this.#alarms.delete(alarm);
  }

  /** Forgets every alarm. */
  clear(): void {
    this.#alarms.clear();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = Infinity;
  }

  #arm(at: number): void {
    if (at >= this.#timerAt) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timerAt = at;
    const delay = Math.min(Math.max(at - clock.now(), 0), LONGEST_TIMEOUT_MS);
    this.#timer = setTimeout(() => this.#fire(), delay);
  }

  #fire(): void {
    this.#timer = null;
    this.#timerAt = Infinity;
    if (clock.isUnsure()) return this.#arm(clock.now() + HEARD_MS);
    const now = clock.now();
    for (const alarm of this.#alarms) {
      if (alarm.at > now) continue;
      this.#alarms.delete(alarm);
      alarm.ring();
    }
    let next = Infinity;
    for (const alarm of this.#alarms) next = Math.min(next, alarm.at);
    if (next < Infinity) this.#arm(next);
  }
}

/** Timers hold 31 bits of milliseconds; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

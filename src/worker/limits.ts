import type { Alarms } from "./alarms.ts";

/** How long something may take to leave after SIGTERM before it is killed, in milliseconds. */
export const GRACE_MS = 5_000;

/** As GRACE_MS, for a function whose allocation has ended: it may save its state. Slurm kills after 30 s (slurm.conf(5), KillWait). */
export const FUNCTION_GRACE_MS = 20_000;

/** Limits of one attempt in time; `null` for none. Seconds. */
export type TimeLimit = { limitSeconds: number | null; warnSeconds: number };

/**
 * Arms the warning and the limit of an attempt; the function it returns disarms both. Where the limit is
 * no longer than the notice, the warning comes at half the time: at the start nobody listens yet.
 */
export function armLimit(
  alarms: Alarms,
  { limitSeconds, warnSeconds }: TimeLimit,
  ring: { warn: () => void; expire: () => void },
): () => void {
  if (limitSeconds === null) return () => undefined;
  const notice = warnSeconds < limitSeconds ? warnSeconds : limitSeconds / 2;
  const clearWarning = alarms.after((limitSeconds - notice) * 1000, ring.warn);
  const clearLimit = alarms.after(limitSeconds * 1000, ring.expire);
  return () => {
    clearWarning();
    clearLimit();
  };
}

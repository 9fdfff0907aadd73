import { parseDuration } from "../model/durations.ts";
import { clock } from "./clock.ts";
import type { Allocation } from "./element.ts";

/** Asks when the allocation ends, and keeps the answer in it: a limit that nobody asked for is the site's. */
export async function learnEnd(allocation: Allocation, words: string[]): Promise<void> {
  const seconds = await askTimeLeft(words);
  allocation.endsAt = clock.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000;
}

/**
 * Asks the scheduler, by the words that its script gave, how many seconds the allocation still has. Null where it has no
 * limit or gives no answer in time: whoever asks has been warned, and tasks wait to be told.
 */
export async function askTimeLeft(words: string[]): Promise<number | null> {
  try {
    const child = Bun.spawn(words, {
      stdio: ["ignore", "pipe", "ignore"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    return parseDuration(await child.stdout.text());
  } catch {
    return null;
  }
}

const TIMEOUT_MS = 3_000;

import { errnoOf, JobxError, messageOf } from "../errors.ts";

/** What may pass by itself: a full disk or quota, an expired ticket, a stale handle, a hiccup of the server. */
const PASSING = new Set([
  "ENOSPC",
  "EDQUOT",
  "ESTALE",
  "EIO",
  "EACCES",
  "EKEYEXPIRED",
  "ETIMEDOUT",
  "EAGAIN",
]);

const HINTS: Record<string, string> = {
  ENOSPC: "The disk is full: make room, or choose another home with --home",
  EDQUOT: "The quota is used up: make room, or choose another home with --home",
  EACCES: "Check who owns the folder, and whether a ticket has expired",
  EPERM: "Check who owns the folder",
  EROFS: "The file system is read-only: choose another home with --home",
  ENOTDIR: "Something on the way is a file, not a folder",
};

export function isPassing(error: unknown): boolean {
  return PASSING.has(errnoOf(error) ?? "");
}

/** A STORAGE error that says which file could not be written (or read) and what to do. */
export function storageError(path: string, verb: "written" | "read" | "removed", error: unknown): JobxError {
  if (error instanceof JobxError) return error;
  return new JobxError("STORAGE", `${path} cannot be ${verb}: ${messageOf(error)}`, {
    hint: HINTS[errnoOf(error) ?? ""],
    cause: error,
  });
}

/** How long a worker tries to write before it gives up. */
const RETRY_MS = 60_000;

/** `retryMs`: how long refused writes are tried again, 60 s by default. `onRefused` is told at the first refusal. */
export type RetryOptions = { retryMs?: number; onRefused?: (why: string) => void };

const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 2_000;

/** The pauses, in ms, between tries to write a file that was refused for now, until `retryMs` are over. */
export function* retryPauses(path: string, error: unknown, options: RetryOptions): Iterable<number> {
  const { retryMs = RETRY_MS, onRefused } = options;
  const deadline = performance.now() + retryMs;
  try {
    onRefused?.(`${storageError(path, "written", error).message}; it is tried again for ${retryMs / 1000} s`);
  } catch {
    // The log may be on the same full disk.
  }
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
    const left = deadline - performance.now();
    if (left <= 0) return;
    yield Math.min(pause, left);
  }
}

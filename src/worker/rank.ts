import { messageOf } from "../errors.ts";
import type { SubmitRequest } from "../executor/contract.ts";
import type { TaskPayload } from "../model/job.ts";
import type { RemoteError, StoredValue, Usage } from "../model/records.ts";
import type { Slot } from "../queue/protocol.ts";
import type { Cause } from "./policy.ts";
import type { ProcessTree } from "./sampler.ts";

/** How one rank of an attempt ended. Success and failure have one shape. */
export type RankEnd = {
  exitCode: number | null;
  signal: string | null;
  value: StoredValue | null;
  /** Stores its value, which may take its time: for when nothing of the attempt runs any more. */
  store?: () => Promise<StoredValue | null>;
  error: RemoteError | null;
  /** Why it did not succeed, where that is more than its exit code; null lets the exit code speak. */
  reason: string | null;
  /** Whether it gave what was asked of it. */
  ok: boolean;
  /** It asked for another run (exit code 85), or refused one; null says nothing. */
  again: boolean | null;
  usage: Usage | null;
};

/** What a rank of an attempt is started with. */
export type RankStart = {
  task: number;
  attempt: number;
  rank: number;
  slot: Slot;
  payload: TaskPayload;
  /** Why the attempt before this one ended; null for the first. */
  why: string | null;
  /** The number of the task's latest state when the attempt began, where several ranks go on from it. */
  upTo: number | null;
  watched: ProcessTree;
  /** A control group for it, where memory can be limited by one. */
  cgroup: string | null;
};

/** One attempt of one task in this process. */
export type InlineTask = {
  request: SubmitRequest;
  task: number;
  attempt: number;
  payload: TaskPayload;
  env: Record<string, string>;
  /** Aborted when the task shall end at once. */
  signal: AbortSignal;
};

/** One running rank: a command, or a function in its runner. */
export type RankProcess = {
  /** The process to account and to recover; its group holds the whole task. */
  pid: number;
  /** False where the process outlives the task (a runner), so that its group must be left alone. */
  ownsGroup: boolean;
  ended: Promise<RankEnd>;
  /**
   * Passes a preemption or timeout warning on; returns how many processes listen. A function counts as one:
   * `unheard` is called later where it turns out to do nothing about warnings, or to block its event loop.
   */
  warn(kind: "preempted" | "timeout", unheard: (how: Unheard) => void): number;
  /** Asks it to end; a function whose allocation `ended` is warned, and all others are killed. */
  end(cause: Cause | null): void;
  /** Ends it, with everything in its group. */
  kill(): void;
};

export type Unheard = "unheeded" | "blocked";

/** The end of a rank with its value; one whose value cannot be stored has failed. */
export async function withValue({ store, ...end }: RankEnd): Promise<RankEnd> {
  if (!store) return end;
  try {
    return { ...end, value: await store() };
  } catch (error) {
    return { ...end, ok: false, reason: messageOf(error) };
  }
}

/** A rank that never ran. */
export function neverRan(reason: string, exitCode: number | null = null): RankEnd {
  return {
    exitCode,
    signal: null,
    value: null,
    error: null,
    reason,
    ok: false,
    again: null,
    usage: null,
  };
}

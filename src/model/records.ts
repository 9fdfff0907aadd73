import type { FinalState } from "./states.ts";

/** What a process used. Bytes and seconds. */
export type Usage = {
  maxRssBytes: number;
  /** True where the kernel's figure can only be an upper bound: very short commands, functions in a shared runner. */
  maxRssIsUpperBound: boolean;
  userSeconds: number;
  systemSeconds: number;
};

/** Where a value stands: in the record, or in a file of its own when it is large. */
export type StoredValue = { kind: "inline"; value: unknown } | { kind: "file"; name: string; bytes: number };

/** An error that user code threw, as plain data. */
export type RemoteError = {
  name: string;
  message: string;
  /** Frames in the user's own files and lines. */
  stack: string | null;
  cause: unknown;
  /** The error's own enumerable fields. */
  fields: Record<string, unknown>;
};

/** Written when an attempt begins; not synced. Identifies the process for recovery. */
export type StartedRecord = {
  kind: "started";
  task: number;
  rank: number;
  attempt: number;
  pid: number;
  /** The kernel's start time of the process, so that a reused pid is not mistaken for it; null where unknown. */
  pidStart: string | null;
  node: string;
  /** ISO 8601 UTC. */
  startedAt: string;
};

/** The end of an attempt that is not run again: success and failure have one shape. */
export type ResultRecord = {
  kind: "result";
  task: number;
  rank: number;
  attempt: number;
  status: FinalState;
  value: StoredValue | null;
  error: RemoteError | null;
  exitCode: number | null;
  /** "SIGKILL" and its like. */
  signal: string | null;
  /** Something a person can act on; null on success. */
  reason: string | null;
  node: string;
  startedAt: string;
  endedAt: string;
  usage: Usage | null;
};

/** The end of an attempt that is followed by another one. */
export type AgainRecord = {
  kind: "again";
  task: number;
  rank: number;
  attempt: number;
  /** failed: a retry; timeout: counts towards maxTimeouts; preempted, lost: do not. */
  why: "failed" | "timeout" | "preempted" | "lost";
  reason: string;
  /** Its function asked not to be run again: should the scheduler do so all the same, it has failed. */
  refused?: boolean;
  exitCode: number | null;
  signal: string | null;
  node: string;
  startedAt: string;
  endedAt: string;
};

export type SegmentRecord = StartedRecord | ResultRecord | AgainRecord;

/** The final state of a task that left no record, from its scheduler or from the user's cancel. */
export type Verdict = {
  task: number;
  state: FinalState;
  reason: string;
  /** The scheduler's own word. */
  native: string | null;
  node: string | null;
  /** ISO 8601 UTC: when it was given. What began after that has been submitted once more, and clocks of schedulers differ. */
  endedAt: string;
};

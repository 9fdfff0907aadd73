import type { ResultRecord } from "./records.ts";
import type { TaskState } from "./states.ts";

/** What is known of one rank of a task; `task-fold.ts` derives it from records. */
export type RankView = {
  rank: number;
  state: TaskState;
  attempt: number;
  node: string | null;
  startedAt: string | null;
  /** The final record, where there is one. */
  result: ResultRecord | null;
};

/** What is known of one task, from records first and from the executor second. */
export type TaskView = {
  index: number;
  state: TaskState;
  attempt: number;
  exitCode: number | null;
  signal: string | null;
  /** Why it waits, or why it did not succeed: something a person can act on. */
  reason: string | null;
  /** The scheduler's own word, e.g. "OUT_OF_MEMORY". */
  native: string | null;
  node: string | null;
  startedAt: string | null;
  endedAt: string | null;
  seconds: number | null;
  maxRssBytes: number | null;
  ranks: RankView[];
};

import type { LoadableCode } from "../code/snapshot.ts";
import type { RemoteError, StoredValue, Usage } from "../model/records.ts";

/** One call of a function, as a supervisor hands it to its runner. */
export type FunctionTask = {
  task: number;
  rank: number;
  attempt: number;
  /** The task's row, given to the function after `args`; null without. */
  params: Record<string, unknown> | null;
  args: unknown[];
  /** The task's whole environment, `JOBX_*` included. */
  env: Record<string, string>;
  cwd: string;
  /** Paths of the logs, opened for appending; equal when they are merged. */
  out: string;
  err: string;
  code: LoadableCode;
  /** The job's directory, and the name in it of a value that is too large for a record. */
  dir: string;
  valueName: string;
};

/** Why a task is asked to leave. */
export type AbortKind = "preempted" | "timeout";

export type RunnerRequest = { type: "run"; task: FunctionTask } | { type: "abort"; kind: AbortKind };

/** How a call ended, unless the runner died of it. */
export type RunnerReply =
  | { kind: "value"; value: StoredValue; usage: Usage }
  | { kind: "error"; error: RemoteError; reason: string; usage: Usage };

export type RunnerOutcome = RunnerReply | { kind: "died"; exitCode: number | null; signal: string | null };

/** Both ends are the same program, so the kind of a message is all that is checked. */
export function isRequest(value: unknown): value is RunnerRequest {
  return hasWord(value, "type", ["run", "abort"]);
}

export function isReply(value: unknown): value is RunnerReply {
  return hasWord(value, "kind", ["value", "error"]);
}

function hasWord(value: unknown, key: string, words: string[]): boolean {
  return typeof value === "object" && value !== null && words.includes(Reflect.get(value, key));
}

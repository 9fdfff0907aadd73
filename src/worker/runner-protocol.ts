import { type LoadableCode, loadableCode } from "../code/snapshot.ts";
import type { FunctionEntry, TaskPayload } from "../model/job.ts";
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
  /** A sequence: what to call one after the other, instead of `code` with `args`; null without. */
  steps: { code: LoadableCode; args: unknown[] }[] | null;
  /** What says whose arguments these are, where they are to be read from the job's payload: they are large; else null. */
  left?: FunctionEntry | null;
  /** The number of the task's latest state when the attempt began, where several ranks go on from it; null to look. */
  upTo: number | null;
  /** How long before the end a warning comes. */
  noticeSeconds: number;
  /** The job's directory, and the name in it of a value that is too large for a record. */
  dir: string;
  valueName: string;
};

/** Why a task is asked to leave. */
export type AbortKind = "preempted" | "timeout";

/** What a task's payload calls: the parts of a call that are the same however it is run. Throws DAMAGED. */
export function calledBy(
  home: string,
  entry: FunctionEntry,
  { fn, args, params, steps }: TaskPayload,
): Pick<FunctionTask, "code" | "args" | "params" | "steps"> {
  const codeOf = (number?: number) => loadableCode(home, entry, number);
  return {
    code: codeOf(fn),
    args,
    params,
    steps: steps?.map((step) => ({ code: codeOf(step.fn), args: step.args })) ?? null,
  };
}

export type RunnerRequest = { type: "run"; task: FunctionTask } | { type: "abort"; kind: AbortKind };

/** How a call ended, unless the runner died of it. */
export type RunnerReply =
  | { kind: "value"; value: StoredValue; usage: Usage }
  | {
      kind: "error";
      error: RemoteError;
      reason: string;
      usage: Usage;
      /** Its `checkpoint` asked not to be run again. */
      refused: boolean;
      /** It was given up while it still ran: the runner must end. */
      abandoned: boolean;
    };

/** Sent at once for every `abort` while a task runs: a function that blocks its event loop sends nothing. */
export type RunnerHeard = {
  kind: "heard";
  /** Whether the function may do something about it. */
  heeded: boolean;
};

export type RunnerOutcome = RunnerReply | { kind: "died"; exitCode: number | null; signal: string | null };

/** Both ends are the same program, so the kind of a message is all that is checked. */
export function isRequest(value: unknown): value is RunnerRequest {
  return hasWord(value, "type", ["run", "abort"]);
}

export function isReply(value: unknown): value is RunnerReply {
  return hasWord(value, "kind", ["value", "error"]);
}

export function isHeard(value: unknown): value is RunnerHeard {
  return hasWord(value, "kind", ["heard"]);
}

function hasWord(value: unknown, key: string, words: string[]): boolean {
  return typeof value === "object" && value !== null && words.includes(Reflect.get(value, key));
}

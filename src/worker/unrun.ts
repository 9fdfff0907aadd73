import type { AgainRecord, ResultRecord } from "../model/records.ts";
import type { ElementContext } from "./element-context.ts";
import { type AttemptEnd, judge } from "./outcome.ts";
import { NO_HISTORY } from "./policy.ts";
import { neverRan } from "./rank.ts";
import type { Waiting } from "./task-line.ts";

/** Why tasks will not run: they were cancelled, or (`null`) there is nothing to run them in. */
export type Unrun = { cause: "cancelled" | null; reason: string };

/** The records of tasks that waited and will not run; no retry changes that. */
export function recordsOfUnrun(context: ElementContext, waiting: Waiting[], { cause, reason }: Unrun) {
  const now = new Date().toISOString();
  const ranks = Array.from({ length: context.ranks }, () => neverRan(reason));
  const causeReason = cause === null ? null : reason;
  const end: AttemptEnd = { cause, causeReason, ranks, startedAt: now, endedAt: now };
  const { dir, node } = context;
  const spec = { ...context.spec, run: { ...context.spec.run, retries: 0 } };
  return waiting.flatMap(
    ({ task, attempt }) => judge({ dir, node, spec, task, attempt }, end, NO_HISTORY).records,
  );
}

/** The end of an attempt that was left to another run of its element, since there will be none, and why not. */
export function recordOfLeft(left: AgainRecord, why: string): ResultRecord {
  const { kind: _kind, why: cause, reason, ...record } = left;
  return {
    ...record,
    kind: "result",
    status: cause === "timeout" ? "timeout" : "failed",
    reason: `${reason}; it could not be run again: ${why}`,
    value: null,
    error: null,
    usage: null,
  };
}

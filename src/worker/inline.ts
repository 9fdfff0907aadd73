import { hostname } from "node:os";

import { errnoOf, JobxError } from "../errors.ts";
import type { ExecutorContext, Submission, SubmitRequest } from "../executor/contract.ts";
import type { NativeId, TaskPayload } from "../model/job.ts";
import { jobFiles, segmentPath } from "../store/layout.ts";
import { openPayload } from "../store/payload.ts";
import { elementEnvironment, rankEnvironment } from "./environment.ts";
import { runCommandHere } from "./inline-command.ts";
import { runFunctionHere } from "./inline-function.ts";
import { takeSignals } from "./inline-signals.ts";
import { openInspector } from "./inspector.ts";
import { judge } from "./outcome.ts";
import { type History, NO_HISTORY } from "./policy.ts";
import { startOf } from "./proc.ts";
import { neverRan, type RankEnd } from "./rank.ts";
import { Recorder } from "./recorder.ts";
import { attemptLine } from "./start-rank.ts";

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

/**
 * Runs all tasks of a job in this process, in order, their output straight on the terminal, and leaves the
 * records that every executor leaves. Resolves when all have ended, however they ended. Ctrl-C ends the
 * task that runs, records it and those after it as cancelled, and goes on to end the process.
 */
export async function runInline(request: SubmitRequest, context: ExecutorContext): Promise<Submission> {
  const { dir, spec } = request;
  if (request.inspect) openInspector(spec, context);
  const submission: Submission = { natives: [ownNativeId()] };
  const payloads = openPayload(jobFiles.payload(dir));
  const recorder = Recorder.create(segmentPath(dir, 0, 0, 0));
  const signals = takeSignals(dir);
  request.accepted(submission);
  try {
    for (let task = 0; task < spec.tasks; task++) {
      if (spec.tasks > 1 && !signals.asked(task)) context.note(`--- task ${task} of ${spec.tasks} ---`);
      await runTask(request, context, task, payloads.get(task), recorder, signals);
    }
    if (!(await recorder.settled())) {
      throw new JobxError("STORAGE", `The records of job ${spec.id} could not be written`, {
        cause: (await recorder.broken).error,
      });
    }
    await recorder.close();
  } finally {
    payloads.close();
    signals.giveBack();
  }
  return submission;
}

/** Whether the process that a job ran in, on this host, is still there; true where that cannot be known. */
export function isInlineAlive(native: NativeId): boolean {
  if (native.cluster !== hostname()) return true;
  const { pid, start } = parseId(native.id);
  return isAlive(pid) && (start === null || startTicks(pid) === start);
}

/** Asks the process that a job runs in to look at what was cancelled, and to end it. */
export function interruptInline(native: NativeId): void {
  if (native.cluster !== hostname()) {
    throw new JobxError("UNREACHABLE", `The job runs on ${native.cluster}, inside a jobx there`, {
      hint: `Cancel it from ${native.cluster}, or press Ctrl-C in its terminal`,
    });
  }
  if (isInlineAlive(native)) process.kill(parseId(native.id).pid, "SIGTERM");
}

async function runTask(
  request: SubmitRequest,
  context: ExecutorContext,
  task: number,
  payload: TaskPayload,
  recorder: Recorder,
  signals: ReturnType<typeof takeSignals>,
): Promise<void> {
  const { dir, spec } = request;
  const node = hostname();
  const base = elementEnvironment(spec, request.environment, {});
  const slot = { id: 0, gpus: [] };
  let history: History = NO_HISTORY;
  for (let attempt = 0; ; attempt++) {
    const startedAt = new Date().toISOString();
    if (attempt > 0) context.note(`--- ${attemptLine(attempt, node)} ---`);
    const place = { dir, spec, task, rank: 0, attempt, ranks: 1, slot, payload };
    let end: RankEnd;
    if (signals.asked(task)) end = neverRan("cancelled before it started");
    else {
      const pid = process.pid;
      recorder.started({
        kind: "started",
        task,
        rank: 0,
        attempt,
        pid,
        pidStart: startOf(pid),
        node,
        startedAt,
      });
      const env = rankEnvironment(base, place);
      end = await runHere({ request, task, attempt, payload, env, signal: signals.begin(task) });
    }
    const causeReason = signals.asked(task);
    const cause = causeReason ? ("cancelled" as const) : null;
    const attemptEnd = { cause, causeReason, ranks: [end], startedAt, endedAt: new Date().toISOString() };
    const { decision, records } = judge({ dir, spec, task, attempt, node }, attemptEnd, history);
    recorder.ended(records);
    if (!("again" in decision)) {
      if (!end.ok && end.reason && !end.error) context.note(`Task ${task}: ${end.reason}`);
      return;
    }
    history = {
      ...history,
      failures: history.failures + (decision.again === "failed" ? 1 : 0),
      timeouts: history.timeouts + (decision.again === "timeout" ? 1 : 0),
    };
  }
}

function runHere(task: InlineTask): Promise<RankEnd> {
  return task.request.spec.entry.kind === "command" ? runCommandHere(task) : runFunctionHere(task);
}

/** The process is the native job; its start time tells it from a later process of the same number. */
function ownNativeId(): NativeId {
  const start = startTicks(process.pid);
  return {
    id: start === null ? String(process.pid) : `${process.pid}-${start}`,
    cluster: hostname(),
    submitted: new Date().toISOString(),
    firstElement: 0,
    elements: 1,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}

function parseId(id: string): { pid: number; start: string | null } {
  const [pid, start] = id.split("-");
  return { pid: Number(pid), start: start ?? null };
}

function startTicks(pid: number): string | null {
  return startOf(pid)?.split(":").at(-1) ?? null;
}

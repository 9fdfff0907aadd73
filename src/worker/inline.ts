import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";

import { JobxError } from "../errors.ts";
import type { ExecutorContext, Submission, SubmitRequest } from "../executor/contract.ts";
import type { TaskPayload } from "../model/job.ts";
import { libc } from "../queue/libc.ts";
import { startOf } from "../queue/proc.ts";
import { ensureDir } from "../store/files.ts";
import { addCancelled } from "../store/jobs.ts";
import { checkpointDir, jobFiles, segmentPath } from "../store/layout.ts";
import { SegmentWriter } from "../store/segments.ts";
import { openPayload } from "../store/task-payloads.ts";
import { elementEnvironment, rankEnvironment } from "./environment.ts";
import { runCommandHere } from "./inline-command.ts";
import { recordExit } from "./inline-exit.ts";
import { runFunctionHere } from "./inline-function.ts";
import { ownNativeId } from "./inline-native.ts";
import { type InlineSignals, takeSignals } from "./inline-signals.ts";
import { openInspector } from "./inspector.ts";
import { attemptLine } from "./logs.ts";
import { type AttemptEnd, judge } from "./outcome.ts";
import { type History, NO_HISTORY, withAnother } from "./policy.ts";
import { type InlineTask, neverRan, type RankEnd } from "./rank.ts";
import { Recorder } from "./recorder.ts";

/**
 * Runs all tasks of a job in this process, in order, their output straight on the terminal, and leaves the
 * records that every executor leaves. Resolves when all have ended, however they ended. Ctrl-C ends the
 * task that runs, records it and those after it as cancelled, and goes on to end the process.
 */
export async function runInline(request: SubmitRequest, context: ExecutorContext): Promise<Submission> {
  const { dir, spec } = request;
  const inspector = request.inspect ? openInspector(spec, context) : null;
  const submission: Submission = { natives: [ownNativeId()] };
  const signals = takeSignals(dir);
  try {
    request.accepted(submission);
    if (inspector) {
      // Timers stand still during the wait, and records need them: what was asked is kept without.
      const forget = signals.onEnd(() => {
        addCancelled(dir, null);
        void signals.giveBack();
      });
      inspector.wait();
      forget();
    }
    const giveBackStdout = context.taskOutput === 2 ? lendStderr() : () => {};
    await runTasks(request, context, signals).finally(giveBackStdout);
  } finally {
    await signals.giveBack();
  }
  return submission;
}

/** Has standard output lead where standard error leads, for commands and functions alike, until it is given back. */
function lendStderr(): () => void {
  const library = libc();
  if (!library) return () => {};
  const kept = openSync("/dev/null", "r");
  library.dup2(1, kept);
  library.dup2(2, 1);
  return () => {
    library.dup2(kept, 1);
    closeSync(kept);
  };
}

async function runTasks(
  request: SubmitRequest,
  context: ExecutorContext,
  signals: InlineSignals,
): Promise<void> {
  const { dir, spec } = request;
  ensureDir(jobFiles.values(dir));
  const payloads = openPayload(dir, spec);
  const segment = SegmentWriter.create(segmentPath(dir, 0, 0, 0));
  const recorder = new Recorder(segment);
  try {
    for (let task = 0; task < spec.tasks; task++) {
      if (spec.tasks > 1 && !signals.asked(task)) context.note(`--- task ${task} of ${spec.tasks} ---`);
      await runTask({ request, context, segment, recorder, signals }, task, payloads.get(task));
    }
    if (!(await recorder.settled())) {
      throw new JobxError("STORAGE", `The records of job ${spec.id} could not be written`, {
        cause: (await recorder.broken).error,
      });
    }
    await recorder.close();
  } finally {
    payloads.close();
  }
}

type InlineJob = {
  request: SubmitRequest;
  context: ExecutorContext;
  segment: SegmentWriter;
  recorder: Recorder;
  signals: InlineSignals;
};

/** All attempts of one task, to the record of its end. */
async function runTask(job: InlineJob, task: number, payload: TaskPayload): Promise<void> {
  const { request, context, recorder } = job;
  const place = { dir: request.dir, spec: request.spec, task, node: hostname() };
  let history: History = NO_HISTORY;
  for (let attempt = 0; ; attempt++) {
    if (attempt > 0) context.note(`--- ${attemptLine(attempt, place.node)} ---`);
    const end = await runAttempt(job, task, attempt, payload);
    const { decision, records } = judge({ ...place, attempt }, end, history);
    recorder.ended(records);
    const ended = end.ranks[0];
    if (!("again" in decision)) {
      // An error has been shown already, where it happened.
      if (ended && !ended.ok && !ended.error) context.note(`Task ${task}: ${records[0]?.reason}`);
      return;
    }
    history = withAnother(history, decision.again);
  }
}

async function runAttempt(
  { request, context, segment, recorder, signals }: InlineJob,
  task: number,
  attempt: number,
  payload: TaskPayload,
): Promise<AttemptEnd> {
  const { dir, spec } = request;
  const startedAt = new Date().toISOString();
  let rank = neverRan("cancelled before it started");
  if (!signals.asked(task)) {
    const who = { task, rank: 0, attempt };
    // At once and not when it has run for a while: a function may keep this process from doing anything else.
    const node = hostname();
    const self = { pid: process.pid, pidStart: startOf(process.pid), node };
    await segment.append({ kind: "started", ...who, ...self, startedAt }, { sync: false });
    const place = { ...who, dir, spec, node, ranks: 1, slot: { id: 0, gpus: [] }, payload };
    const env = rankEnvironment(elementEnvironment(spec, request.environment, {}), place);
    ensureDir(checkpointDir(dir, spec.tasks, task));
    const { note } = context;
    const forgetExit = recordExit({ dir, tasks: spec.tasks, task, attempt, node, startedAt, recorder, note });
    const here = { request, task, attempt, payload, env, signal: signals.begin(task) };
    rank = await runHere(here).finally(forgetExit);
    // The terminal's Ctrl-C reaches a command as well, whose end may be seen before the signal is.
    if (!rank.ok) await Bun.sleep(SIGNAL_MS);
  }
  const causeReason = signals.asked(task);
  const cause = causeReason ? ("cancelled" as const) : null;
  return { cause, causeReason, ranks: [rank], startedAt, endedAt: new Date().toISOString() };
}

const SIGNAL_MS = 20;

function runHere(task: InlineTask): Promise<RankEnd> {
  return task.request.spec.entry.kind === "command" ? runCommandHere(task) : runFunctionHere(task);
}

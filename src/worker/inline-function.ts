import { existsSync, writeSync } from "node:fs";

import { JobxError } from "../errors.ts";
import type { StoredValue } from "../model/records.ts";
import { formatRemoteError } from "../model/remote-error.ts";
import { homeOf, valueName } from "../store/layout.ts";
import { callFunction } from "./call-function.ts";
import { contextFromEnvironment, setJobContext } from "./context.ts";
import { closeLogs, logNames, markAttempt, openLogs } from "./logs.ts";
import { enterFolder, setEnvironment } from "./process-state.ts";
import { type InlineTask, neverRan, type RankEnd } from "./rank.ts";
import { reasonOf, remoteErrorOf, reportError } from "./remote-error.ts";
import { calledBy } from "./runner-protocol.ts";
import { Warning } from "./warning.ts";

/**
 * Imports a task's function into this process and calls it. What it throws is shown with the code around
 * its place. Environment and folder are the task's while it runs, and what they were afterwards.
 */
export async function runFunctionHere(task: InlineTask): Promise<RankEnd> {
  const { dir, spec } = task.request;
  const logs = openLogs(logNames(dir, spec.tasks, task.task, 0, spec.run.mergeOutput));
  markAttempt({ out: logs.out, err: logs.out }, "the output went to the terminal");
  // A function that runs here may have submitted this one.
  const context = setJobContext(null);
  const before = { env: { ...process.env }, cwd: process.cwd(), exitCode: process.exitCode, context };
  try {
    setEnvironment(task.env);
    enterFolder(spec.cwd);
    const { params } = task.payload;
    setJobContext(contextFromEnvironment(task.env, { params, signal: () => task.signal }));
    const note = (text: string) => markAttempt(logs, text);
    return { ...neverRan(""), reason: null, ok: true, value: await call(task, note) };
  } catch (thrown) {
    const error = remoteErrorOf(thrown);
    if (task.signal.aborted) return neverRan(reasonOf(error));
    reportError(error);
    writeSync(logs.err, `${formatRemoteError(error)}\n`);
    return { ...neverRan(reasonOf(error)), error };
  } finally {
    setJobContext(before.context);
    setEnvironment(before.env);
    goBack(before.cwd);
    process.exitCode = before.exitCode;
    closeLogs(logs);
  }
}

/** The function may have removed the folder, which does not change how it ended. */
function goBack(cwd: string): void {
  if (existsSync(cwd)) process.chdir(cwd);
}

function call(
  { request, task, attempt, payload, signal }: InlineTask,
  note: (text: string) => void,
): Promise<StoredValue> {
  const { dir, spec } = request;
  const { entry } = spec;
  if (entry.kind !== "function") throw new JobxError("BUG", "A command was called as a function");
  const call = {
    ...calledBy(homeOf(dir), entry, payload),
    rank: 0,
    attempt,
    dir,
    valueName: valueName(task, attempt, 0),
    upTo: null,
    noticeSeconds: spec.run.signalDelaySeconds,
  };
  const listen = (reject: (error: unknown) => void) => {
    const stop = () => reject(new JobxError("INTERRUPTED", "The task was interrupted"));
    signal.addEventListener("abort", stop, { once: true });
    return () => signal.removeEventListener("abort", stop);
  };
  // Nobody warns a job in this process: it is asked to end, or left alone.
  return callFunction(call, { listen, warning: new Warning(), note });
}

import { mkdirSync, statSync, writeSync } from "node:fs";

import { modulePath } from "../code/snapshot.ts";
import { JobxError } from "../errors.ts";
import type { StoredValue } from "../model/records.ts";
import { formatRemoteError } from "../model/remote-error.ts";
import { checkpointDir, homeOf, valueName } from "../store/layout.ts";
import { storeValue } from "../store/values.ts";
import { contextFromEnvironment, setJobContext } from "./context.ts";
import type { InlineTask } from "./inline.ts";
import { loadFunction } from "./load-function.ts";
import { closeLogs, logNames, markAttempt, openLogs } from "./logs.ts";
import { neverRan, type RankEnd } from "./rank.ts";
import { reasonOf, remoteErrorOf, reportError } from "./remote-error.ts";

/**
 * Imports a task's function into this process and calls it. What it throws is shown with the code around
 * its place. Environment and folder are the task's while it runs, and what they were afterwards.
 */
export async function runFunctionHere(task: InlineTask): Promise<RankEnd> {
  const { dir, spec } = task.request;
  const logs = openLogs(logNames(dir, spec.tasks, task.task, 0, spec.run.mergeOutput));
  markAttempt({ out: logs.out, err: logs.out }, "the output went to the terminal");
  const leave = enter(task);
  try {
    const value = await call(task);
    return { ...neverRan(""), reason: null, ok: true, value };
  } catch (thrown) {
    const error = remoteErrorOf(thrown);
    if (task.signal.aborted) return neverRan(reasonOf(error));
    reportError(error);
    writeSync(logs.err, `${formatRemoteError(error)}\n`);
    return { ...neverRan(reasonOf(error)), error };
  } finally {
    leave();
    closeLogs(logs);
  }
}

/** In a module graph of its own, as in a runner: each attempt finds its modules fresh. */
async function call(task: InlineTask): Promise<StoredValue> {
  const { dir, spec } = task.request;
  const { entry } = spec;
  if (entry.kind !== "function") throw new JobxError("BUG", "A command was called as a function");
  if (!statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory()) {
    throw new JobxError("NOT_FOUND", `The job's folder ${spec.cwd} does not exist on this host`);
  }
  process.chdir(spec.cwd);
  const escaped = Promise.withResolvers<never>();
  escaped.promise.catch(() => {});
  const abort = () => escaped.reject(new JobxError("INTERRUPTED", "The task was interrupted"));
  task.signal.addEventListener("abort", abort, { once: true });
  const graph = new Bun.ModuleGraph({ onError: (error) => escaped.reject(error) });
  try {
    const code = { path: modulePath(homeOf(dir), entry), export: entry.export, file: entry.file };
    const { args, params } = task.payload;
    const running = loadFunction(graph, code).then((callable) =>
      graph.run(() => callable(...(params === null ? args : [...args, params]))),
    );
    const value = await Promise.race([running, escaped.promise]);
    // A rejection that nobody handles is only reported after this turn of the event loop.
    await Promise.race([new Promise((resolve) => setImmediate(resolve)), escaped.promise]);
    return storeValue(dir, valueName(task.task, task.attempt, 0), value);
  } finally {
    task.signal.removeEventListener("abort", abort);
    graph.dispose();
  }
}

/** Makes environment, folder and job context the task's; the returned function takes all back. */
function enter(task: InlineTask): () => void {
  const { dir, spec } = task.request;
  const before = { env: { ...process.env }, cwd: process.cwd(), exitCode: process.exitCode };
  mkdirSync(checkpointDir(dir, spec.tasks, task.task), { recursive: true, mode: 0o700 });
  setEnvironment(task.env);
  setJobContext(contextFromEnvironment(task.env, { params: task.payload.params, signal: task.signal }));
  return () => {
    setJobContext(null);
    setEnvironment(before.env);
    process.chdir(before.cwd);
    process.exitCode = before.exitCode;
  };
}

function setEnvironment(env: Record<string, string | undefined>): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  for (const [name, value] of Object.entries(env)) if (process.env[name] !== value) process.env[name] = value;
}

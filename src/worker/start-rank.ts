import { messageOf } from "../errors.ts";
import { resultFilePath, valueName } from "../store/layout.ts";
import { startCommand } from "./command.ts";
import type { ElementContext } from "./element-context.ts";
import { commandWords, rankEnvironment } from "./environment.ts";
import { attemptLine, logNames, markAttempt, openLogs } from "./logs.ts";
import { neverRan, type RankEnd, type RankProcess, type RankStart } from "./rank.ts";

/** Starts one rank of an attempt, whatever the job runs. Never throws: what went wrong is the rank's end. */
export function startRank(context: ElementContext, start: RankStart): RankProcess | RankEnd {
  const { dir, spec } = context;
  const { task, attempt, rank } = start;
  try {
    // Ranks share the task's folder; a later attempt finds it as it was left.
    if (rank === 0) context.spares.makeCheckpointFolder(task);
    const env = rankEnvironment(context.environment, {
      ...start,
      dir,
      spec,
      node: context.node,
      ranks: context.ranks,
      hostnames: context.allocation?.hostnames,
    });
    if (spec.entry.kind === "function") {
      if (!context.runners) return neverRan("this supervisor was not made for functions");
      return context.runners.start(context, start, env);
    }
    if (rank === 0 && attempt === 0 && !spec.run.mergeOutput) context.spares.placeErrorLog(task);
    const names = logNames(dir, spec.tasks, task, rank, spec.run.mergeOutput);
    const logs = openLogs(names);
    if (attempt > 0) markAttempt(logs, attemptLine(attempt, context.node, start.why));
    return startCommand({
      argv: commandWords(spec.entry.argv, spec, task, start.payload),
      cwd: context.cwd,
      env,
      names,
      logs,
      cgroup: start.cgroup,
      ignoredSignals: context.allocation?.ignoredSignals,
      captureBytes: spec.run.capture ? spec.run.maxPayloadBytes : null,
      resultPath: resultFilePath(dir, task, attempt, rank),
      dir,
      valueName: valueName(task, attempt, rank),
      sampledPeakBytes: () => start.watched.peakBytes,
    });
  } catch (error) {
    return neverRan(messageOf(error));
  }
}

import { rmSync } from "node:fs";

import { messageOf } from "../errors.ts";
import { writeFileAtomic } from "../store/files.ts";
import { limitNoticePath, logPath, rankEndPath } from "../store/layout.ts";
import type { ElementContext } from "./element-context.ts";
import type { RankLauncher } from "./element.ts";
import { commandWords, rankEnvironment } from "./environment.ts";
import { endsOfLaunched, type Launch, launchedLogs } from "./launched-ends.ts";
import { attemptLine, closeLogs, markAttempt, openLogs, sizeOf } from "./logs.ts";
import { rankWords } from "./rank-script.ts";
import { neverRan, type RankEnd, type RankProcess } from "./rank.ts";
import { spawnCommand } from "./spawn.ts";

/** All ranks of an attempt behind one process, the scheduler's launcher. */
export type LaunchedRanks = Omit<RankProcess, "ended"> & { ended: Promise<RankEnd[]> };

/**
 * Starts the ranks of an attempt on all hosts of the allocation, by the scheduler's launcher, whose own words go
 * to the logs of rank 0. Never throws: what went wrong is the end of every rank.
 */
export function launchRanks(
  context: ElementContext,
  launcher: RankLauncher,
  launch: Launch,
): LaunchedRanks | RankEnd {
  try {
    context.spares.makeCheckpointFolder(launch.task);
    const offsets = Array.from({ length: context.ranks }, (_, rank) => prepareLogs(context, launch, rank));
    const notice = limitNoticePath(context.dir, launch.task, launch.attempt);
    const { promise, resolve } = Promise.withResolvers<RankEnd[]>();
    const names = launchedLogs(context, launch, 0);
    const logs = openLogs(names);
    const before = sizeOf(logs.err);
    const child = spawnCommand({
      ...wordsAndEnvironment(context, launcher, launch),
      cwd: context.cwd,
      stdio: ["ignore", logs.out, logs.err],
      detached: true,
      onExit: ({ exitCode, signalCode }) => {
        rmSync(notice, { force: true });
        const how = signalCode === null ? `exit code ${exitCode}` : String(signalCode);
        const reason = `${launcher.words[0]} ended with ${how}, and the rank left no exit code`;
        resolve(endsOfLaunched(context, launch, { offsets, launcherLog: names.err, before, reason }));
      },
    });
    closeLogs(logs);
    if ("reason" in child) return neverRan(child.reason, child.exitCode);
    const isFunction = context.spec.entry.kind === "function";
    return {
      pid: child.pid,
      ownsGroup: true,
      ended: promise,
      warn: (kind) => {
        // A signal says no more than that there is one.
        if (kind === "timeout" && isFunction) writeFileAtomic(notice, new Uint8Array(0));
        child.kill("SIGUSR2");
        return context.ranks;
      },
      end: (cause) => child.kill(isFunction && cause === "ended" ? "SIGUSR2" : "SIGUSR1"),
      kill: () => child.kill("SIGTERM"),
    };
  } catch (error) {
    return neverRan(messageOf(error));
  }
}

function wordsAndEnvironment(context: ElementContext, launcher: RankLauncher, launch: Launch) {
  const { dir, spec, node, ranks, allocation } = context;
  const { task, attempt, payload } = launch;
  const hostnames = allocation?.hostnames;
  // The launcher gives every host its GPUs.
  const slot = { id: 0, gpus: [] };
  const place = { dir, spec, node, task, rank: 0, attempt, ranks, hostnames, slot, payload };
  const env = rankEnvironment(context.environment, place);
  if (spec.entry.kind === "function") {
    const rankVariables = `${launcher.rankVariable} ${launcher.localRankVariable}`;
    return {
      argv: [...launcher.words, ...spec.runtime, "_worker", dir],
      env: {
        ...env,
        JOBX_LAUNCHED: `${task}.${attempt}.${launch.upTo ?? 0}`,
        JOBX_RANK_VARIABLES: rankVariables,
      },
    };
  }
  const argv = rankWords(launcher, commandWords(spec.entry.argv, spec, task, payload), {
    log: withoutEnding(logPath(dir, spec.tasks, task, 0, "out"), ".out"),
    end: withoutEnding(rankEndPath(dir, task, attempt, 0), ".0.end"),
    merged: spec.run.mergeOutput,
    distributed: spec.run.distributed,
    endsUnheard: spec.run.requeue === true,
  });
  return { argv: [...launcher.words, ...argv], env };
}

/** Makes a rank's logs here, so that they are as private as all others; gives the size of its output so far. */
function prepareLogs(context: ElementContext, launch: Launch, rank: number): number {
  const logs = openLogs(launchedLogs(context, launch, rank));
  if (launch.attempt > 0) markAttempt(logs, attemptLine(launch.attempt, context.node, launch.why));
  const size = sizeOf(logs.out);
  closeLogs(logs);
  return size;
}

function withoutEnding(path: string, ending: string): string {
  return path.slice(0, -ending.length);
}

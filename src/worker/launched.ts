import { existsSync, readFileSync, rmSync, unlinkSync } from "node:fs";
import { constants } from "node:os";

import { messageOf } from "../errors.ts";
import { parseIndexList } from "../model/index-list.ts";
import type { TaskPayload } from "../model/job.ts";
import type { StoredValue } from "../model/records.ts";
import { readRecordFile, writeFileAtomic } from "../store/files.ts";
import { limitNoticePath, logPath, rankEndPath, resultFilePath, valueName } from "../store/layout.ts";
import { storeValue } from "../store/values.ts";
import { readCaptured, takeResultFile } from "./command-value.ts";
import type { ElementContext } from "./element-context.ts";
import type { RankLauncher } from "./element.ts";
import { commandWords, rankEnvironment } from "./environment.ts";
import { closeLogs, type LogNames, logNames, markAttempt, openLogs, sizeOf } from "./logs.ts";
import { AGAIN_EXIT_CODE } from "./policy.ts";
import { rankWords, readRankEnd } from "./rank-script.ts";
import { neverRan, type RankEnd, type RankProcess } from "./rank.ts";
import { killedForMemory, siblingReason } from "./reasons.ts";
import { spawnCommand } from "./spawn.ts";
import { attemptLine } from "./start-rank.ts";

/** All ranks of an attempt behind one process, the scheduler's launcher. */
export type LaunchedRanks = Omit<RankProcess, "ended"> & { ended: Promise<RankEnd[]> };

type Launch = {
  task: number;
  attempt: number;
  payload: TaskPayload;
  why: string | null;
  /** The number of the task's latest state when the attempt began, for functions. */
  upTo: number | null;
};

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
    const names = namesOf(context, launch, 0);
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
        const unknown = neverRan(`${launcher.words[0]} ended with ${how}, and the rank left no exit code`);
        const ends = offsets.map((from, rank) => endOfRank(context, launch, rank, from) ?? unknown);
        resolve(withSiblings(withMemory(context, ends, names.err, before), unknown));
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
  const logs = openLogs(namesOf(context, launch, rank));
  if (launch.attempt > 0) markAttempt(logs, attemptLine(launch.attempt, context.node, launch.why));
  const size = sizeOf(logs.out);
  closeLogs(logs);
  return size;
}

function namesOf({ dir, spec }: ElementContext, { task }: Launch, rank: number): LogNames {
  return logNames(dir, spec.tasks, task, rank, spec.run.mergeOutput);
}

/** What a rank left in its file: a function's whole end, a command's exit code. Null where it left none. */
function endOfRank(context: ElementContext, launch: Launch, rank: number, from: number): RankEnd | null {
  const { dir, spec } = context;
  const path = rankEndPath(dir, launch.task, launch.attempt, rank);
  if (!existsSync(path)) return null;
  try {
    if (spec.entry.kind === "function") return readRecordFile(path) as RankEnd;
    const { code, usage } = readRankEnd(readFileSync(path, "utf8"));
    const signal = SIGNALS.get(code) ?? null;
    const exitCode = signal === null ? code : null;
    const again = exitCode === AGAIN_EXIT_CODE ? true : null;
    const end: RankEnd = {
      ...neverRan(""),
      reason: null,
      usage,
      exitCode,
      signal,
      ok: exitCode === 0,
      again,
    };
    return end.ok ? { ...end, value: valueOf(context, launch, rank, from) } : end;
  } catch (error) {
    return neverRan(messageOf(error));
  } finally {
    unlinkSync(path);
  }
}

function valueOf(context: ElementContext, launch: Launch, rank: number, from: number): StoredValue | null {
  const { dir, spec } = context;
  const { task, attempt } = launch;
  const name = valueName(task, attempt, rank);
  const written = takeResultFile(resultFilePath(dir, task, attempt, rank));
  if (written !== undefined) return storeValue(dir, name, written);
  if (!spec.run.capture) return null;
  const logs = openLogs(namesOf(context, launch, rank));
  try {
    return storeValue(dir, name, readCaptured(logs.out, from, sizeOf(logs.out), spec.run.maxPayloadBytes));
  } finally {
    closeLogs(logs);
  }
}

/**
 * Ranks that their host killed for want of memory, by srun's word on its standard error: `srun: error: node3: task 1:
 * Out Of Memory` (22.05).
 */
function withMemory(context: ElementContext, ends: RankEnd[], log: string, from: number): RankEnd[] {
  if (!ends.some((end) => end.signal === "SIGKILL" || end.exitCode === null)) return ends;
  const words = readFileSync(log).subarray(from).toString("utf8");
  const found = [...words.matchAll(/error: (\S+): tasks? ([\d,-]+): Out Of Memory/g)];
  return ends.map((end, rank) => {
    const [, node = ""] = found.find(([, , ranks = ""]) => isIn(ranks, rank)) ?? [];
    if (node === "" || end.ok) return end;
    return { ...end, reason: killedForMemory(node, context.spec.resources.memBytes ?? null) };
  });
}

function isIn(list: string, rank: number): boolean {
  const indices = parseIndexList(list);
  return Array.isArray(indices) && indices.includes(rank);
}

/** Ranks that were ended because another one failed say so. */
function withSiblings(ends: RankEnd[], unknown: RankEnd): RankEnd[] {
  const isEnded = (end: RankEnd) => end === unknown || end.signal === "SIGTERM" || end.signal === "SIGKILL";
  const failed = ends.filter((end) => !end.ok && end !== unknown && end.signal !== "SIGTERM");
  const culprit = failed.find((end) => !isEnded(end)) ?? failed[0];
  if (!culprit) return ends;
  const reason = siblingReason(ends.indexOf(culprit), culprit);
  return ends.map((end) => (end !== culprit && isEnded(end) ? { ...end, reason } : end));
}

function withoutEnding(path: string, ending: string): string {
  return path.slice(0, -ending.length);
}

/** Signals by the exit code with which a shell tells of them: 128 and the signal's number. Of two names, the first. */
const SIGNALS = new Map<number, string>(
  Object.entries(constants.signals)
    .map(([name, number]): [number, string] => [128 + number, name])
    .reverse(),
);

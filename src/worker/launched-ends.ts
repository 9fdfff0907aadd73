import { existsSync, readFileSync, unlinkSync } from "node:fs";
import { constants } from "node:os";

import { messageOf } from "../errors.ts";
import { parseIndexList } from "../model/index-list.ts";
import type { TaskPayload } from "../model/job.ts";
import type { StoredValue } from "../model/records.ts";
import { readRecordFile } from "../store/files.ts";
import { rankEndPath, resultFilePath, valueName } from "../store/layout.ts";
import { storeValue } from "../store/values.ts";
import { readCaptured, takeResultFile } from "./command-value.ts";
import type { ElementContext } from "./element-context.ts";
import { closeLogs, type LogNames, logNames, noteInLogs, openLogs, sizeOf } from "./logs.ts";
import { AGAIN_EXIT_CODE } from "./policy.ts";
import { readRankEnd } from "./rank-script.ts";
import { neverRan, type RankEnd } from "./rank.ts";
import { killedForMemory, siblingReason } from "./reasons.ts";

/** An attempt whose ranks the scheduler's launcher starts. */
export type Launch = {
  task: number;
  attempt: number;
  payload: TaskPayload;
  why: string | null;
  /** The number of the task's latest state when the attempt began, for functions. */
  upTo: number | null;
};

/** What is known of an attempt when its launcher has ended. */
export type LaunchTraces = {
  /** Where each rank's output begins in its log. */
  offsets: number[];
  /** The log that has the launcher's own words, and where these begin. */
  launcherLog: string;
  before: number;
  /** Why a rank failed that left nothing. */
  reason: string;
};

/** How the ranks of an attempt ended, by what each left in a file and what the launcher said. */
export function endsOfLaunched(context: ElementContext, launch: Launch, traces: LaunchTraces): RankEnd[] {
  const unknown = neverRan(traces.reason);
  const ends = traces.offsets.map((from, rank) => endOfRank(context, launch, rank, from) ?? unknown);
  return withSiblings(withMemory(context, ends, traces.launcherLog, traces.before), unknown);
}

export function launchedLogs({ dir, spec }: ElementContext, { task }: Launch, rank: number): LogNames {
  return logNames(dir, spec.tasks, task, rank, spec.run.mergeOutput);
}

/** What a rank left in its file: a function's whole end, a command's exit code. Null where it left none. */
function endOfRank(context: ElementContext, launch: Launch, rank: number, from: number): RankEnd | null {
  const { dir, spec } = context;
  const path = rankEndPath(dir, launch.task, launch.attempt, rank);
  if (!existsSync(path)) return null;
  try {
    if (spec.entry.kind === "function") return readRecordFile(path) as RankEnd;
    const left = readRankEnd(readFileSync(path, "utf8"));
    if (left === null) return null;
    const { code, usage } = left;
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
    return end.ok ? { ...end, store: () => storeValueOf(context, launch, rank, from) } : end;
  } catch (error) {
    return neverRan(messageOf(error));
  } finally {
    unlinkSync(path);
  }
}

/** Stores what a rank gave as its value; null without. */
async function storeValueOf(
  context: ElementContext,
  launch: Launch,
  rank: number,
  from: number,
): Promise<StoredValue | null> {
  const value = takeValue(context, launch, rank, from);
  if (value === undefined) return null;
  const name = valueName(launch.task, launch.attempt, rank);
  const onRefused = (why: string) => noteInLogs(launchedLogs(context, launch, rank), why);
  return storeValue(context.dir, name, value, { onRefused });
}

function takeValue(context: ElementContext, launch: Launch, rank: number, from: number): unknown {
  const { dir, spec } = context;
  const written = takeResultFile(resultFilePath(dir, launch.task, launch.attempt, rank));
  if (written !== undefined || !spec.run.capture) return written;
  const logs = openLogs(launchedLogs(context, launch, rank));
  try {
    return readCaptured(logs.out, from, sizeOf(logs.out), spec.run.maxPayloadBytes);
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

/** Signals by the exit code with which a shell tells of them: 128 and the signal's number. Of two names, the first. */
const SIGNALS = new Map<number, string>(
  Object.entries(constants.signals)
    .map(([name, number]): [number, string] => [128 + number, name])
    .reverse(),
);

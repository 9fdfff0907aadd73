import { messageOf } from "../errors.ts";
import type { StoredValue } from "../model/records.ts";
import { storeValue } from "../store/values.ts";
import { readCaptured, takeResultFile } from "./command-value.ts";
import { closeLogs, type Logs, markAttempt, sizeOf } from "./logs.ts";
import { AGAIN_EXIT_CODE } from "./policy.ts";
import { signalGroup, warnGroup } from "./processes.ts";
import { neverRan, type RankEnd, type RankProcess } from "./rank.ts";
import { spawnCommand } from "./spawn.ts";
import { usageOf } from "./usage.ts";

export type CommandStart = {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  /** Closed by the time it has ended. */
  logs: Logs;
  cgroup: string | null;
  ignoredSignals?: string[];
  /** Keep standard output as the value; null without `--capture`, else the most bytes that may be kept. */
  captureBytes: number | null;
  /** The file that `JOBX_RESULT` names. */
  resultPath: string;
  /** The job's directory and the name of this rank's value in it. */
  dir: string;
  valueName: string;
  /** The largest memory that was seen while it ran, in bytes; asked at its end. */
  sampledPeakBytes: () => number;
};

/** Where a command leaves what it did. */
type CommandTraces = Omit<CommandStart, "argv" | "cwd" | "env" | "cgroup">;

/** Starts a command as one rank of a task; a rank that could not be started has ended already. */
export function startCommand(start: CommandStart): RankProcess | RankEnd {
  const offset = start.captureBytes === null ? 0 : sizeOf(start.logs.out);
  const { promise, resolve } = Promise.withResolvers<RankEnd>();
  const child = spawnCommand({
    ...start,
    stdio: ["ignore", start.logs.out, start.logs.err],
    detached: true,
    onExit: (ended) => {
      resolve(endOfCommand(start, ended, offset));
      if (start.captureBytes !== null) closeLogs(start.logs);
    },
  });
  if ("reason" in child) {
    closeLogs(start.logs);
    return neverRan(child.reason, child.exitCode);
  }
  if (start.captureBytes === null) closeLogs(start.logs);
  const { pid } = child;
  return {
    pid,
    ownsGroup: true,
    ended: promise,
    warn: () => warnGroup(pid),
    end: () => void signalGroup(pid, "SIGTERM"),
    kill: () => void signalGroup(pid, "SIGKILL"),
  };
}

/** How an ended command is told, its value included; `offset` is where its output begins in the log. */
export function endOfCommand(start: CommandTraces, ended: Bun.Subprocess, offset: number): RankEnd {
  const { exitCode, signalCode } = ended;
  const end: RankEnd = {
    exitCode,
    signal: signalCode === null ? null : String(signalCode),
    value: null,
    error: null,
    reason: null,
    ok: exitCode === 0,
    again: exitCode === AGAIN_EXIT_CODE ? true : null,
    usage: usageOf(ended.resourceUsage(), start.sampledPeakBytes()),
  };
  try {
    const value = valueOf(start, offset);
    return end.ok ? { ...end, value } : end;
  } catch (error) {
    return end.ok ? { ...end, ok: false, reason: messageOf(error) } : end;
  }
}

function valueOf(start: CommandTraces, offset: number): StoredValue | null {
  const written = takeResultFile(start.resultPath);
  const onRefused = (why: string) => markAttempt(start.logs, why);
  if (written !== undefined) return storeValue(start.dir, start.valueName, written, { onRefused });
  if (start.captureBytes === null) return null;
  const output = readCaptured(start.logs.out, offset, sizeOf(start.logs.out), start.captureBytes);
  return storeValue(start.dir, start.valueName, output, { onRefused });
}

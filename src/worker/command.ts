import { messageOf } from "../errors.ts";
import { storeValue } from "../store/values.ts";
import { readCaptured, takeResultFile } from "./command-value.ts";
import { closeLogs, type LogNames, type Logs, noteInLogs, sizeOf } from "./logs.ts";
import { AGAIN_EXIT_CODE } from "./policy.ts";
import { signalGroup, warnGroup } from "./processes.ts";
import { neverRan, type RankEnd, type RankProcess } from "./rank.ts";
import { spawnCommand } from "./spawn.ts";
import { usageOf } from "./usage.ts";

export type CommandStart = {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  names: LogNames;
  /** The same, open. Closed by the time it has ended. */
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

/** How an ended command is told, its value to be stored; `offset` is where its output begins in the log. */
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
    const value = takeValue(start, offset);
    if (!end.ok || value === undefined) return end;
    // By then the logs are closed.
    const onRefused = (why: string) => noteInLogs(start.names, why);
    return { ...end, store: () => storeValue(start.dir, start.valueName, value, { onRefused }) };
  } catch (error) {
    return end.ok ? { ...end, ok: false, reason: messageOf(error) } : end;
  }
}

/** What the command gave as its value; undefined without. */
function takeValue({ resultPath, captureBytes, logs }: CommandTraces, offset: number): unknown {
  const written = takeResultFile(resultPath);
  if (written !== undefined || captureBytes === null) return written;
  return readCaptured(logs.out, offset, sizeOf(logs.out), captureBytes);
}

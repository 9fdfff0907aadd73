import { closeSync, constants, fstatSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";

import { errnoOf } from "../errors.ts";
import { ensureDir, openFile } from "../store/files.ts";
import { logFolder, logPath } from "../store/layout.ts";

/** The open logs of one rank; equal descriptors when the streams are merged. */
export type Logs = { out: number; err: number };

export type LogNames = { out: string; err: string };

/** Where a rank's output goes; equal paths when stderr goes where stdout goes. */
export function logNames(dir: string, tasks: number, task: number, rank: number, merged: boolean): LogNames {
  const out = logPath(dir, tasks, task, rank, "out");
  return { out, err: merged ? out : logPath(dir, tasks, task, rank, "err") };
}

/** Opens both logs for appending, readable too; the folder is made when it is missing. */
export function openLogs(names: LogNames): Logs {
  const out = openLog(names.out);
  return { out, err: names.err === names.out ? out : openLog(names.err) };
}

export function closeLogs(logs: Logs): void {
  closeSync(logs.out);
  if (logs.err !== logs.out) closeSync(logs.err);
}

/** Makes the folder of a task's logs, so that opening them cannot miss it. */
export function makeLogFolder(dir: string, tasks: number, task: number): void {
  ensureDir(logFolder(dir, tasks, task));
}

/** Writes the line that separates attempts, on a line of its own. */
export function markAttempt(logs: Logs, text: string): void {
  for (const fd of new Set([logs.out, logs.err])) {
    writeSync(fd, `${endsInsideLine(fd) ? "\n" : ""}--- jobx: ${text} ---\n`);
  }
}

/** The line that begins an attempt in its logs; `why` is how the one before it ended. */
export function attemptLine(attempt: number, node: string, why: string | null = null): string {
  const line = `attempt ${attempt} on ${node} at ${new Date().toISOString()}`;
  return why === null ? line : `${line}, after: ${why}`;
}

/** Writes such a line into logs that others may have open, where the disk takes it: it is only a note. */
export function noteInLogs(names: LogNames, text: string): void {
  try {
    const logs = openLogs(names);
    try {
      markAttempt(logs, text);
    } finally {
      closeLogs(logs);
    }
  } catch {
    // What it tells of is told in the task's record as well.
  }
}

export function sizeOf(fd: number): number {
  return fstatSync(fd).size;
}

function openLog(path: string): number {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
  try {
    return openFile(path, flags);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    ensureDir(dirname(path));
    return openFile(path, flags);
  }
}

function endsInsideLine(fd: number): boolean {
  const size = sizeOf(fd);
  if (size === 0) return false;
  const last = new Uint8Array(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] !== "\n".charCodeAt(0);
}

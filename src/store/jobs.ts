import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";

import { errnoOf, JobxError } from "../errors.ts";
import type { JobSpec, NativeJob } from "../model/job.ts";
import type { Verdict } from "../model/records.ts";
import type { Counts } from "../model/states.ts";
import { appendChange, changesVersion, readChanges, unexpectedContents } from "./changes.ts";
import {
  type AtomicOptions,
  ensureDir,
  isShared,
  makeDir,
  readRecordFile,
  shareDir,
  syncFolder,
  whenThere,
  writeRecordFile,
} from "./files.ts";
import { homeDirs, jobDir, jobFiles } from "./layout.ts";
import { changeRequest, readRequest, type RequestedTasks } from "./requests.ts";
import { storageError } from "./storage-errors.ts";

/** What `list` needs of a job that has ended. Times are ISO 8601 UTC; null where no task ever ran. */
export type Summary = {
  counts: Counts;
  startedAt: string | null;
  endedAt: string | null;
  seconds: number | null;
};

/**
 * Makes the folders of a home. With `shared` the group may read what is made from now on, with false it may not;
 * null leaves that as it is: as the folder of the jobs has it, and private in a new home. Throws STORAGE.
 */
export function ensureHome(home: string, shared: boolean | null = null): void {
  try {
    const wanted = shared ?? isShared(homeDirs.jobs(home));
    mkdirSync(home, { recursive: true, mode: 0o700 });
    if (wanted) shareDir(home, true);
    for (const folder of Object.values(homeDirs).map((of) => of(home))) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      shareDir(folder, wanted);
    }
  } catch (error) {
    throw storageError(home, "written", error);
  }
}

/**
 * Takes the next id by making its folder, which only one of many processes can do: the highest one ever
 * plus 1, or the next that is free. The folder is durable with the job's request. Throws STORAGE.
 */
export function allocateJob(home: string): { id: number; dir: string } {
  const names = namesIn(home);
  let highest = names.includes(RESERVED) ? reservedIds(home) : 0;
  for (const id of idsAmong(names)) highest = Math.max(highest, id);
  for (let id = highest + 1; ; id++) {
    const dir = jobDir(home, id);
    try {
      makeDir(dir);
      return { id, dir };
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw storageError(dir, "written", error);
    }
  }
}

/**
 * Keeps ids up to this one from being given again once their jobs are removed: what names a job, in a note or
 * in another job's origin, shall not come to mean a later one. Throws STORAGE.
 */
export function reserveIds(home: string, highest: number): void {
  if (highest > reservedIds(home)) writeRecordFile(reservedPath(home), highest);
}

function reservedIds(home: string): number {
  const highest = readRecordFile(reservedPath(home));
  return typeof highest === "number" ? highest : 0;
}

function reservedPath(home: string): string {
  return `${homeDirs.jobs(home)}/${RESERVED}`;
}

const RESERVED = "reserved.msgpack";

/** The ids of all jobs of a home, in no order. A home that does not exist has none; one that is no folder throws STORAGE. */
export function jobIds(home: string): number[] {
  return idsAmong(namesIn(home));
}

function namesIn(home: string): string[] {
  const folder = homeDirs.jobs(home);
  const names = whenThere(folder, () => readdirSync(folder));
  if (names === null && statSync(home, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new JobxError("STORAGE", `The home ${home} is not a folder`, {
      hint: "Name another one with --home",
    });
  }
  return names ?? [];
}

function idsAmong(names: string[]): number[] {
  return names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
}

/** Removes a job and everything that belongs to it. Throws STORAGE. */
export function removeJob(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true });
  } catch (error) {
    throw storageError(dir, "removed", error);
  }
}

/** Writes the request, durably, and so the folder that it is in and what was written there before. Throws STORAGE. */
export function writeSpec(dir: string, spec: JobSpec): void {
  writeRecordFile(jobFiles.spec(dir), spec);
  syncFolder(dirname(dir));
}

/** The request of a job. Throws NOT_FOUND where there is none, DAMAGED, FORMAT or STORAGE. */
export function readSpec(dir: string): JobSpec {
  const path = jobFiles.spec(dir);
  const spec = readRecordFile(path);
  if (spec === null) {
    throw new JobxError("NOT_FOUND", `There is no job in ${dir}`, {
      hint: "jobx list shows the jobs there are",
    });
  }
  if (!isSpec(spec)) throw unexpectedContents(path);
  return spec;
}

export function writeNative(dir: string, native: NativeJob, options: AtomicOptions = {}): void {
  writeRecordFile(jobFiles.native(dir), native, options);
}

/** The native ids; null until the scheduler has accepted, and where a crash of the machine took them. */
export function readNative(dir: string): NativeJob | null {
  const path = jobFiles.native(dir);
  const native = readRecordFile(path, { synced: false });
  if (native !== null && !isNative(native)) throw unexpectedContents(path);
  return native;
}

/** The tasks that somebody asked to cancel. */
export function readCancelled(dir: string): RequestedTasks {
  return readRequest(jobFiles.cancelled(dir), () => readSpec(dir).tasks);
}

/** Asks to cancel tasks; null for all. Requests made at the same time all count. */
export function addCancelled(dir: string, tasks: number[] | null): void {
  changeRequest(jobFiles.cancelled(dir), tasks, true, () => readSpec(dir).tasks);
}

/** The tasks that are held back. */
export function readHeld(dir: string): RequestedTasks {
  return readRequest(jobFiles.held(dir), () => readSpec(dir).tasks);
}

/** Holds tasks back; null for all. */
export function addHeld(dir: string, tasks: number[] | null): void {
  changeRequest(jobFiles.held(dir), tasks, true, () => readSpec(dir).tasks);
}

/** Lets held tasks go; null for all. */
export function removeHeld(dir: string, tasks: number[] | null): void {
  changeRequest(jobFiles.held(dir), tasks, false, () => readSpec(dir).tasks);
}

/** A warning that somebody wants running tasks to have; `signalled` where it comes by the scheduler's signal as well. */
export type Interrupt = { tasks: number[]; kind: "preempted" | "timeout"; signalled: boolean };

/** Asks the workers of tasks, which look at the folder, to warn them. */
export function addInterrupt(dir: string, interrupt: Interrupt): void {
  appendChange(jobFiles.interrupted(dir), interrupt);
}

/** All of those, oldest first. */
export function readInterrupts(dir: string): Interrupt[] {
  const path = jobFiles.interrupted(dir);
  return readChanges(path).map((interrupt) => {
    if (!isInterrupt(interrupt)) throw unexpectedContents(path);
    return interrupt;
  });
}

/** Gives tasks their final state. The first verdict on a task stands. */
export function addVerdicts(dir: string, verdicts: Verdict[]): void {
  if (verdicts.length === 0) return;
  ensureDir(jobFiles.verdicts(dir));
  appendChange(verdictsPath(dir), verdicts);
}

/** The verdicts by task. */
export function readVerdicts(dir: string): Map<number, Verdict> {
  const path = verdictsPath(dir);
  const byTask = new Map<number, Verdict>();
  for (const verdicts of readChanges(path)) {
    if (!Array.isArray(verdicts)) throw unexpectedContents(path);
    for (const verdict of verdicts) {
      if (!isVerdict(verdict)) throw unexpectedContents(path);
      if (!byTask.has(verdict.task)) byTask.set(verdict.task, verdict);
    }
  }
  return byTask;
}

/** A text that differs whenever verdicts were added; empty without any. */
export function verdictsVersion(dir: string): string {
  return changesVersion(verdictsPath(dir));
}

export function writeSummary(dir: string, summary: Summary): void {
  writeRecordFile(jobFiles.summary(dir), summary);
}

/** The summary; null until the job has ended, and where it may not be read: it only saves time. */
export function readSummary(dir: string): Summary | null {
  const path = jobFiles.summary(dir);
  let summary: unknown;
  try {
    summary = readRecordFile(path);
  } catch (error) {
    if (error instanceof JobxError && errnoOf(error.cause) === "EACCES") return null;
    throw error;
  }
  if (summary !== null && !isSummary(summary)) throw unexpectedContents(path);
  return summary;
}

/** Keeps the submitter's environment, for an executor that cannot carry it; nobody else may read it, even in a shared home. */
export function writeEnvironment(dir: string, environment: Record<string, string>): void {
  writeRecordFile(jobFiles.environment(dir), environment, { shared: false });
}

export function readEnvironment(dir: string): Record<string, string> | null {
  const path = jobFiles.environment(dir);
  const environment = readRecordFile(path);
  if (environment !== null && !isEnvironment(environment)) throw unexpectedContents(path);
  return environment;
}

/** Forgets the environment, once the job is final. */
export function removeEnvironment(dir: string): void {
  rmSync(jobFiles.environment(dir), { force: true });
}

function verdictsPath(dir: string): string {
  return `${jobFiles.verdicts(dir)}/verdicts.msgpack`;
}

function has<K extends string>(value: unknown, ...keys: K[]): value is Record<K, unknown> {
  return typeof value === "object" && value !== null && keys.every((key) => key in value);
}

// The checksum has vouched for the bytes; these only tell one kind of file from another.
function isSpec(value: unknown): value is JobSpec {
  return has(value, "id", "executor", "tasks", "entry", "run");
}

function isNative(value: unknown): value is NativeJob {
  return has(value, "natives") && Array.isArray(value.natives);
}

function isInterrupt(value: unknown): value is Interrupt {
  return has(value, "tasks", "kind") && Array.isArray(value.tasks);
}

function isSummary(value: unknown): value is Summary {
  return has(value, "counts", "startedAt", "endedAt", "seconds");
}

function isVerdict(value: unknown): value is Verdict {
  return has(value, "task", "state", "reason");
}

function isEnvironment(value: unknown): value is Record<string, string> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((item) => typeof item === "string")
  );
}

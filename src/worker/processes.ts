import { constants } from "node:os";

import type { StartedRecord } from "../model/records.ts";
import { hasMarker } from "../queue/identity.ts";
import { libc } from "../queue/libc.ts";
import {
  allProcesses,
  environmentOf,
  groupOf,
  isZombie,
  ownChildren,
  readStatus,
  startOf,
  treeOf,
} from "../queue/proc.ts";

export type SignalName = NodeJS.Signals;

/** Signals every process of a group; false when the group has none left. */
export function signalGroup(group: number, signal: SignalName): boolean {
  return send(-group, signal);
}

/**
 * Warns a task's processes with SIGUSR2. Its default action is death, so it goes to those alone that have a handler: a
 * program below a shell that traps it goes on. Returns how many were told; where `/proc` is missing, the group is told.
 */
export function warnGroup(group: number): number {
  if (process.platform !== "linux") return signalGroup(group, "SIGUSR2") ? 1 : 0;
  return treeOf(group).filter((pid) => catchesWarning(pid) && send(pid, "SIGUSR2")).length;
}

/** The task that a process belongs to, by the environment it was started with; null for none of this job. */
export function taskOf(pid: number, dir: string): number | null {
  const environment = environmentOf(pid);
  // A shell that somebody opened beside a task is theirs to close.
  if (environment.has("JOBX_SHELL")) return null;
  const task = environment.get("JOBX_TASK");
  return task !== undefined && hasMarker(environment, dir) ? Number(task) : null;
}

/**
 * The supervisor's children, its own and those it adopted: as a subreaper it becomes the parent of every
 * descendant whose parent has died, also of those that left their process group with setsid.
 */
export class Family {
  readonly #own = new Set<number>();
  readonly #kept = new Set<number>();
  readonly #adopts: boolean;

  constructor() {
    this.#adopts = libc()?.becomeSubreaper() === 0;
  }

  /** A child that was started here and that Bun reaps. */
  add(pid: number): void {
    this.#own.add(pid);
  }

  delete(pid: number): void {
    this.#own.delete(pid);
  }

  /** Signals the groups of all own children. */
  signal(signal: SignalName): void {
    for (const pid of this.#own) signalGroup(pid, signal);
  }

  /** Takes what the setup left running as the element's own: it serves the tasks, and ends with `end`. */
  keepAdopted(): void {
    for (const pid of this.adopted()) if (!isService(pid)) this.#kept.add(pid);
  }

  /** Kills what was kept and whatever else was adopted. */
  end(): void {
    for (const pid of this.#kept) if (libc()?.reap(pid) === 0) killTree(pid);
    this.#kept.clear();
    for (const pid of this.adopted()) if (!isService(pid)) killTree(pid);
  }

  /** Reaps adopted processes that have ended; returns those that live. */
  adopted(): number[] {
    if (!this.#adopts) return [];
    const others = ownChildren().filter((pid) => !this.#own.has(pid) && !this.#kept.has(pid));
    return others.filter((pid) => libc()?.reap(pid) === 0);
  }

  /**
   * Kills what a task's ended leaders have left behind: members of their groups, and adopted processes
   * with the task's marker; when no other task runs, every adopted process. Returns at once when there is
   * nothing, which is the usual case.
   */
  async sweep(groups: number[], dir: string, task: number, alone: boolean): Promise<void> {
    const belongs = (pid: number): boolean => groups.includes(groupOf(pid) ?? 0) || taskOf(pid, dir) === task;
    const deadline = performance.now() + SWEEP_MS;
    while (performance.now() < deadline) {
      const left = groups.filter((group) => signalGroup(group, "SIGKILL"));
      const strays = this.adopted().filter((pid) => !isService(pid) && (alone || belongs(pid)));
      if (left.length === 0 && strays.length === 0) return;
      for (const pid of strays) killTree(pid);
      await Bun.sleep(SWEEP_PAUSE_MS);
    }
  }
}

/**
 * Kills what a dead supervisor's tasks left running on this host: the recorded processes, where the pid
 * still means the same one, and all that carry the mark of a task that `includes` names. Returns the tasks
 * that were found alive by their mark.
 */
export function killSurvivors(
  dir: string,
  started: StartedRecord[],
  node: string,
  includes: (task: number) => boolean,
): Set<number> {
  const alive = new Set<number>();
  for (const record of started) {
    if (record.node === node && isSameProcess(record)) signalGroup(record.pid, "SIGKILL");
  }
  for (const pid of allProcesses()) {
    const task = taskOf(pid, dir);
    if (task === null || !includes(task)) continue;
    send(pid, "SIGKILL");
    alive.add(task);
  }
  return alive;
}

/** A queue or another job's supervisor, adopted because a task or this supervisor had started the queue. */
function isService(pid: number): boolean {
  return environmentOf(pid).has("JOBX_SERVICE");
}

function isSameProcess(record: StartedRecord): boolean {
  return record.pidStart !== null && startOf(record.pid) === record.pidStart;
}

/** Kills a process and everything below it. */
export function killTree(pid: number): void {
  for (const member of treeOf(pid)) if (!isZombie(member)) send(member, "SIGKILL");
}

function catchesWarning(pid: number): boolean {
  return readStatus(pid)?.catches(constants.signals.SIGUSR2) ?? false;
}

function send(pid: number, signal: SignalName): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** SIGKILL works at once unless a process hangs in the kernel: then waiting longer does not help. */
const SWEEP_MS = 2_000;
const SWEEP_PAUSE_MS = 2;

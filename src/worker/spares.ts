import { readdirSync, renameSync, statSync } from "node:fs";

import { ensureDir } from "../store/files.ts";
import { checkpointDir, logPath } from "../store/layout.ts";

/**
 * The checkpoint folders and error logs that tasks left empty, to be renamed for tasks to come: that
 * costs a fraction of making new ones, and a job of thousands of quiet tasks does not fill the home with
 * empty files.
 */
export class Spares {
  readonly #folders: string[] = [];
  readonly #logs: string[] = [];

  readonly #dir: string;
  readonly #tasks: number;

  /** For the tasks of one job, by its folder and task count. */
  constructor(dir: string, tasks: number) {
    this.#dir = dir;
    this.#tasks = tasks;
  }

  /** Makes a task's checkpoint folder, which lasts across its attempts. */
  makeCheckpointFolder(task: number): void {
    const path = checkpointDir(this.#dir, this.#tasks, task);
    if (this.#rename(this.#folders, path)) return;
    ensureDir(path);
  }

  /** Puts an empty error log where the first rank of a task will open it, if there is a spare one. */
  placeErrorLog(task: number): void {
    this.#rename(this.#logs, logPath(this.#dir, this.#tasks, task, 0, "err"));
  }

  /** Takes what a task has left empty; nothing of it may run any more, and it is not run again. */
  collect(task: number): void {
    const folder = checkpointDir(this.#dir, this.#tasks, task);
    const log = logPath(this.#dir, this.#tasks, task, 0, "err");
    try {
      if (statSync(log, { throwIfNoEntry: false })?.size === 0) this.#logs.push(log);
      if (readdirSync(folder).length === 0) this.#folders.push(folder);
    } catch {
      // What cannot be looked at stays where it is.
    }
  }

  #rename(spares: string[], path: string): boolean {
    const spare = spares.pop();
    if (spare === undefined) return false;
    try {
      renameSync(spare, path);
      return true;
    } catch {
      // The folder above is new, or somebody has tidied up: the caller makes one.
      return false;
    }
  }
}

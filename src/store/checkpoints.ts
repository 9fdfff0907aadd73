import { constants, cpSync, readdirSync } from "node:fs";
import { basename } from "node:path";

import { ensureDir } from "./files.ts";
import { isStateLeftover } from "./layout.ts";
import { storageError } from "./storage-errors.ts";

/** Whether a task's checkpoint folder holds more than what a save left that was cut short. */
export function holdsCheckpoint(folder: string): boolean {
  return namesIn(folder).some((name) => !isStateLeftover(name));
}

/** Copies what one task keeps for another one, without the bytes where the file system can share them. Throws STORAGE. */
export function copyCheckpoint(from: string, to: string): void {
  ensureDir(to);
  try {
    cpSync(from, to, {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
      filter: (path) => !isStateLeftover(basename(path)),
    });
  } catch (error) {
    throw storageError(to, "written", error);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

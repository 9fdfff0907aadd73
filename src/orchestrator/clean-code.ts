import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { messageOf } from "../errors.ts";
import { whenThere } from "../store/files.ts";
import { homeDirs } from "../store/layout.ts";
import { folderBytes } from "./folder-bytes.ts";

/** A snapshot or runtime that goes, by its name in its folder. */
export type CleanedFile = { name: string; bytes: number };

export type CodeChoice = {
  /** What the remaining jobs name, as text. */
  references: string;
  dryRun: boolean;
  /** What was made or used within this many milliseconds stays: its job may not be written yet. */
  youngMs: number;
};

/** Removes snapshots (`code/<sha256>`), and what interrupted ones left, that nothing refers to. */
export function cleanCode(home: string, choice: CodeChoice, note: (text: string) => void): CleanedFile[] {
  return cleanFolder(homeDirs.code(home), choice, note);
}

/** Removes pinned runtimes (`bin/jobx-...`) that nothing refers to. */
export function cleanRuntimes(home: string, choice: CodeChoice, note: (text: string) => void): CleanedFile[] {
  return cleanFolder(homeDirs.bin(home), choice, note);
}

function cleanFolder(folder: string, choice: CodeChoice, note: (text: string) => void): CleanedFile[] {
  const cleaned: CleanedFile[] = [];
  for (const name of whenThere(folder, () => readdirSync(folder)) ?? []) {
    if (choice.references.includes(name) || isYoung(join(folder, name), choice.youngMs)) continue;
    const bytes = folderBytes(join(folder, name));
    try {
      if (choice.dryRun || removeUnlessTouched(folder, name, choice.youngMs)) cleaned.push({ name, bytes });
    } catch (error) {
      note(`${join(folder, name)} cannot be removed: ${messageOf(error)}`);
    }
  }
  return cleaned;
}

/**
 * A submission that uses a snapshot again renews its time first. So it is taken aside, looked at once more, and
 * put back if that happened in between.
 */
function removeUnlessTouched(folder: string, name: string, youngMs: number): boolean {
  const path = join(folder, name);
  const aside = name.startsWith(ASIDE) ? path : join(folder, `${ASIDE}${name}`);
  if (aside !== path) renameSync(path, aside);
  if (isYoung(aside, youngMs)) {
    renameSync(aside, path);
    return false;
  }
  rmSync(aside, { recursive: true, force: true });
  return true;
}

/** Starts with a dot, so that it is neither a snapshot nor a runtime to anyone. */
const ASIDE = ".removed-";

function isYoung(path: string, youngMs: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined || Date.now() - stat.mtimeMs <= youngMs;
}

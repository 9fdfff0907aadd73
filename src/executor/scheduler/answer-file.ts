import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

import { ensureDir, isOwn, temporaryFor } from "../../store/files.ts";
import { answerPath, homeDirs } from "../../store/layout.ts";

/**
 * A scheduler's answer in the home's cache, which the jobx processes of a user share; null where there is none that
 * can be read. Whoever can write there could as well write the jobs themselves, so its shape is not looked at.
 */
export function readAnswer<T>(home: string, name: string): T | null {
  try {
    const answer: T | null = JSON.parse(readFileSync(answerPath(home, name), "utf8"));
    return answer;
  } catch {
    return null;
  }
}

/**
 * Keeps an answer in the user's own home; not durable, and a home that cannot be written to only makes the next process
 * ask again.
 */
export function writeAnswer(home: string, name: string, answer: object): void {
  if (!isOwn(home)) return;
  const path = answerPath(home, name);
  const temporary = temporaryFor(path);
  try {
    ensureDir(homeDirs.cache(home));
    writeFileSync(temporary, JSON.stringify(answer), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    rmSync(temporary, { force: true });
  }
}

/** Makes the next process ask anew. */
export function forgetAnswer(home: string, name: string): void {
  try {
    rmSync(answerPath(home, name), { force: true });
  } catch {
    // It grows old by itself.
  }
}

import { closeSync, openSync, rmSync, statSync } from "node:fs";

import { messageOf } from "../../errors.ts";
import { ensureDir, isOwn } from "../../store/files.ts";
import { answerPath, homeDirs } from "../../store/layout.ts";
import { readAnswer, writeAnswer } from "./answer-file.ts";
import type { NativeStatus } from "./native.ts";

/** One answer of a scheduler, as it is kept for other processes. */
export type Answer = {
  /** When it was asked for, in milliseconds. */
  at: number;
  /** The native ids that it is about; null for all jobs of the users that its name says. */
  ids: string[] | null;
  rows: NativeStatus[];
  /** What went wrong; there are no rows then. A scheduler that is down is asked no more often than one that is up. */
  failure: string | null;
};

/** How old an answer may be: 2 s for young jobs, a tenth of their age later on, 60 s at most. */
export function maxAgeMs(jobAgeMs: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, jobAgeMs / 10));
}

/** No answer is asked for sooner than this after the one before. */
export const SHORTEST_MS = 2_000;
const LONGEST_MS = 60_000;

/** Somebody who asks is waited for this long; one that has died is not waited for. */
const PATIENCE_MS = 15_000;
const LOOK_MS = 25;

/**
 * The kept answer where it will do, else a new one. Of several processes that want a new one at once, one asks and the
 * others wait for what it gets. `ask` gives the rows, for the ids of an older answer as well; what it throws is kept
 * as a failure.
 */
export async function sharedAnswer(
  home: string,
  name: string,
  ids: string[] | null,
  options: {
    maxAgeMs: number;
    /** No answer from before this moment will do, unless it is younger than the shortest age. */
    after: number;
    ask(ids: string[] | null): Promise<NativeStatus[]>;
  },
): Promise<Answer> {
  const usable = (answer: Answer | null): answer is Answer => {
    if (answer === null || !covers(answer, ids)) return false;
    const age = Date.now() - answer.at;
    if (age < 0) return false;
    return age < SHORTEST_MS || (age < options.maxAgeMs && answer.at > options.after);
  };
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const kept = readAnswer<Answer>(home, name);
    if (usable(kept)) return kept;
    const release = claim(home, name);
    if (release) {
      try {
        return await askAndKeep(home, name, ids, kept, options.ask);
      } finally {
        release();
      }
    }
    if (Date.now() > deadline) return await askAndKeep(home, name, ids, kept, options.ask);
    await Bun.sleep(LOOK_MS);
  }
}

async function askAndKeep(
  home: string,
  name: string,
  ids: string[] | null,
  kept: Answer | null,
  ask: (ids: string[] | null) => Promise<NativeStatus[]>,
): Promise<Answer> {
  // Whoever asked for the other ids a moment ago will ask for them again.
  const recent = kept !== null && kept.ids !== null && Date.now() - kept.at < LONGEST_MS ? kept.ids : [];
  const all = ids === null ? null : [...new Set([...ids, ...recent])];
  const at = Date.now();
  let answer: Answer;
  try {
    answer = { at, ids: all, rows: await ask(all), failure: null };
  } catch (error) {
    answer = { at, ids: all, rows: [], failure: messageOf(error) };
  }
  writeAnswer(home, name, answer);
  return answer;
}

function covers(answer: Answer, ids: string[] | null): boolean {
  if (answer.ids === null || ids === null) return answer.ids === ids;
  const known = new Set(answer.ids);
  return ids.every((id) => known.has(id));
}

/**
 * Makes this process the one that asks; null while another one does. A home that cannot be written to, or is another
 * user's, stops nobody.
 */
function claim(home: string, name: string): (() => void) | null {
  if (!isOwn(home)) return () => undefined;
  const path = `${answerPath(home, name)}.asking`;
  try {
    ensureDir(homeDirs.cache(home));
    closeSync(openSync(path, "wx", 0o600));
    return () => rmSync(path, { force: true });
  } catch {
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (since === undefined) return isMissing(path) ? () => undefined : null;
    if (Date.now() - since > PATIENCE_MS) rmSync(path, { force: true });
    return null;
  }
}

/** Whether the claim could not even be made, rather than being let go in between. */
function isMissing(path: string): boolean {
  try {
    closeSync(openSync(path, "wx", 0o600));
    rmSync(path, { force: true });
    return false;
  } catch {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  }
}

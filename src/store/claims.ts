import { statSync, utimesSync } from "node:fs";

import { errnoOf } from "../errors.ts";
import { recordFileBytes, writeNewFile } from "./files.ts";
import { jobFiles } from "./layout.ts";
import { storageError } from "./storage-errors.ts";

/** `isRenewed`: its last holder died with it, or was silent for long: the scheduler may have accepted what it submitted. */
export type Claim = { path: string; isRenewed: boolean };

/**
 * Makes this process the one that says what becomes of lost elements of a job, of all that see them lost: by the number
 * of native arrays so far. Null for the others. A claim that was given back, or whose holder has been silent for five
 * minutes, is followed by the next one, which again only one can make: none is ever removed. Throws STORAGE.
 */
export function claimAgain(dir: string, arrays: number): Claim | null {
  let isRenewed = false;
  for (let turn = 0; ; turn++) {
    const path = jobFiles.again(dir, arrays, turn);
    try {
      writeNewFile(path, recordFileBytes(null));
      return { path, isRenewed };
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw storageError(path, "written", error);
    }
    const since = statSync(path).mtimeMs;
    if (since !== GIVEN_BACK_MS && Date.now() - since < ABANDONED_MS) return null;
    isRenewed = since !== GIVEN_BACK_MS;
  }
}

/** Gives a claim back, so that what is lost next, or came to nothing now, can be claimed at once. Throws STORAGE. */
export function releaseAgain({ path }: Claim): void {
  try {
    utimesSync(path, GIVEN_BACK_MS, GIVEN_BACK_MS);
  } catch (error) {
    throw storageError(path, "written", error);
  }
}

/** The time that a file of a claim has which was given back. */
const GIVEN_BACK_MS = 0;
const ABANDONED_MS = 300_000;

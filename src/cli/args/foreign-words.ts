import { readFileSync } from "node:fs";

import { usageError } from "../../errors.ts";
import { decodeUtf8 } from "../../model/utf8.ts";

/**
 * Refuses words that are not UTF-8, for which other text has come here: it would name other files. Only Linux tells
 * that from words that hold such text themselves. Throws USAGE.
 */
export function checkWords(): void {
  if (process.platform !== "linux") return;
  const bytes = readFileSync("/proc/self/cmdline");
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    const word = bytes.subarray(start, end === -1 ? bytes.length : end);
    if (decodeUtf8(word) === null) {
      throw usageError(
        `The word ${JSON.stringify(word.toString())} is not UTF-8`,
        "Give it a name that is; or leave the word to a script, which the job runs",
      );
    }
    start += word.length + 1;
  }
}

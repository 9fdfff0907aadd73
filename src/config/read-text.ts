import { readFileSync } from "node:fs";

import { errnoOf, JobxError, messageOf, usageError } from "../errors.ts";
import { decodeUtf8 } from "../model/utf8.ts";

/** The text of a file that the user named. Throws NOT_FOUND or USAGE. */
export function readText(path: string, shown: string): string {
  return textOf(readBytes(path, shown), shown);
}

/** The text of what the user gave. Throws USAGE that names the line that is not UTF-8. */
export function textOf(bytes: Uint8Array, shown: string): string {
  const text = decodeUtf8(bytes);
  if (text !== null) return text;
  throw usageError(
    `${shown}:${firstBadLine(bytes)} is not UTF-8`,
    "Convert it first: iconv -f LATIN1 -t UTF-8, or from whatever it is",
  );
}

function firstBadLine(bytes: Uint8Array): number {
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1 || decodeUtf8(bytes.subarray(start, end)) === null) return line;
    start = end + 1;
  }
}

const NEWLINE = 10;

function readBytes(path: string, shown: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const missing = errnoOf(error) === "ENOENT";
    throw new JobxError(
      missing ? "NOT_FOUND" : "USAGE",
      missing ? `There is no file ${shown}` : `${shown} cannot be read: ${messageOf(error)}`,
      { hint: "Check the path; it is taken from the current folder", cause: error },
    );
  }
}

import { closeSync, fstatSync, openSync } from "node:fs";

import { errnoOf } from "../errors.ts";
import { readInto } from "../store/files.ts";

/**
 * The last `lines` lines of a log as text, for messages: at most `maxBytes` are read (4 KiB by default), and
 * bytes that are no UTF-8 become U+FFFD. Empty where there is no log.
 */
export function tailText(path: string, lines: number, maxBytes = 4096): string {
  const fd = openLog(path);
  if (fd === null) return "";
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(size - maxBytes, lastLinesOffset(fd, size, lines, maxBytes));
    const bytes = readAt(fd, from, new Uint8Array(size - from));
    return new TextDecoder().decode(bytes).replace(/^\uFFFD+/, "");
  } finally {
    closeSync(fd);
  }
}

/**
 * Where the last `lines` lines of a file of `size` bytes begin; read from the end in blocks, so a large file
 * costs no more than its last lines. A final line without a newline counts. Gives up at `most` bytes from
 * the end.
 */
export function lastLinesOffset(fd: number, size: number, lines: number, most = Infinity): number {
  if (lines <= 0) return size;
  const block = new Uint8Array(BLOCK);
  let missing = lines;
  for (let end = size; end > 0 && size - end < most;) {
    const start = Math.max(0, end - BLOCK);
    const bytes = readAt(fd, start, block.subarray(0, end - start));
    for (let at = bytes.length - 1; at >= 0; at--) {
      // The newline that ends the last line begins no other one.
      if (bytes[at] !== NEWLINE || start + at === size - 1) continue;
      if (--missing === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** Opens a log for reading; null where it does not exist (yet). */
export function openLog(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** Fills `buffer` from `position` on, as far as the file goes. */
export function readAt(fd: number, position: number, buffer: Uint8Array): Uint8Array {
  return buffer.subarray(0, readInto(fd, buffer, position));
}

const BLOCK = 64 * 1024;
const NEWLINE = 10;

import { closeSync, fstatSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { errnoOf } from "../errors.ts";
import { checksum } from "./checksum.ts";
import { decode, encodeAt } from "./codec.ts";
import { readInto, whenThere } from "./files.ts";
import { isStateLeftover, parseStateName, statePath } from "./layout.ts";
import { damaged, PREAMBLE_BYTES, readPreamble, writePreamble } from "./preamble.ts";
import { storageError } from "./storage-errors.ts";
import { writeFileAsync } from "./write-async.ts";

/** What is known of a state without reading it. */
export type StateMark = {
  /** The attempt that saved it, and when (ISO 8601 UTC). */
  attempt: number;
  savedAt: string;
  /** Whether the function saved anything itself; without, there are only arguments or finished steps. */
  saved: boolean;
  /** What to call the function with, instead of the arguments that it was submitted with; null for those. */
  args: unknown[] | null;
  /** Of a sequence: the values of the steps that are done. The state and the arguments are the next step's. */
  done: unknown[];
};

/** A state as it is stored: `body` is what `encodeAt` made of it. */
export type StoredState = { mark: StateMark; body: Uint8Array };

/** After the preamble: length of the mark 4, of the state 8, checksum of the mark 4, of the state 4, and of all of these 4. */
const HEADER_BYTES = 24;

/** The numbers of a task's states, the latest first; none where there is no folder. */
export function listStates(folder: string): number[] {
  return namesIn(folder)
    .map(parseStateName)
    .filter((number) => number !== null)
    .sort((a, b) => b - a);
}

/** Removes what saves of earlier attempts left when they were cut short. */
export function removeLeftovers(folder: string): void {
  for (const name of namesIn(folder)) {
    if (isStateLeftover(name)) rmSync(join(folder, name), { force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw storageError(folder, "read", error);
  }
}

/** The parts of a state's file, to be written one after the other. Throws PAYLOAD where arguments or values cannot be stored. */
export function encodeState({ mark, body }: StoredState): Uint8Array[] {
  const head = encodeAt(mark, "");
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(head.length, 0);
  header.writeDoubleLE(body.length, 4);
  header.writeUInt32LE(checksum(head), 12);
  header.writeUInt32LE(checksum(body), 16);
  header.writeUInt32LE(checksum(header.subarray(0, 20)), 20);
  return [Buffer.concat([writePreamble("state"), header, head]), body];
}

/** Keeps encoded bytes as a task's state of this number, whole and durably. Rejects with STORAGE. */
export function writeState(folder: string, number: number, pieces: readonly Uint8Array[]): Promise<void> {
  return writeFileAsync(statePath(folder, number), async (write) => {
    let at = 0;
    for (const piece of pieces) {
      await write(piece, at);
      at += piece.length;
    }
  });
}

/** A state that was kept; null where it is gone. Throws DAMAGED, FORMAT or STORAGE. */
export function readState(folder: string, number: number): StoredState | null {
  return opened(folder, number, (file, path) => {
    const { mark, start, length, sum } = readMark(file, path);
    const body = new Uint8Array(length);
    readInto(file, body, start);
    if (checksum(body) !== sum) throw damaged(path, start, "the state does not match its checksum");
    return { mark, body };
  });
}

/** The mark of the latest state that is whole as far as its size tells, without reading it; null without any that can be read. */
export function latestMark(folder: string): StateMark | null {
  try {
    for (const number of listStates(folder)) {
      const mark = wholeMark(folder, number);
      if (mark) return mark;
    }
  } catch {
    // The folder cannot be read just now.
  }
  return null;
}

function wholeMark(folder: string, number: number): StateMark | null {
  try {
    return opened(folder, number, (file, path) => readMark(file, path).mark);
  } catch {
    return null;
  }
}

function opened<T>(folder: string, number: number, read: (file: number, path: string) => T): T | null {
  const path = statePath(folder, number);
  const file = whenThere(path, () => openSync(path, "r"));
  if (file === null) return null;
  try {
    return read(file, path);
  } finally {
    closeSync(file);
  }
}

function readMark(file: number, path: string) {
  const bytes = Buffer.alloc(PREAMBLE_BYTES + HEADER_BYTES);
  const got = readInto(file, bytes, 0);
  if (!readPreamble(bytes, "state", path))
    throw damaged(path, 0, "its first bytes are not those of a jobx file");
  const header = bytes.subarray(PREAMBLE_BYTES);
  if (got < bytes.length || header.readUInt32LE(20) !== checksum(header.subarray(0, 20)))
    throw damaged(path, PREAMBLE_BYTES, "its header does not match its checksum");
  const head = Buffer.alloc(header.readUInt32LE(0));
  const start = bytes.length + head.length;
  const length = header.readDoubleLE(4);
  const { size } = fstatSync(file);
  if (size !== start + length)
    throw damaged(path, Math.min(size, start + length), `it has ${size} bytes instead of ${start + length}`);
  readInto(file, head, bytes.length);
  if (checksum(head) !== header.readUInt32LE(12))
    throw damaged(path, bytes.length, "its mark does not match its checksum");
  return { mark: decode(head) as StateMark, start, length, sum: header.readUInt32LE(16) };
}

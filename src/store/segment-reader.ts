import { closeSync, fstatSync, openSync } from "node:fs";

import type { SegmentRecord } from "../model/records.ts";
import { checksum } from "./checksum.ts";
import { decode } from "./codec.ts";
import { readInto, whenThere } from "./files.ts";
import { PREAMBLE_BYTES, readPreamble } from "./preamble.ts";
import {
  END_LENGTH,
  findFrame,
  FRAME_HEADER_BYTES,
  isTornHeader,
  parseFrameHeader,
} from "./segment-format.ts";

/** Bytes that did not match their checksum: where, and how many were passed over. */
export type Damage = { file: string; offset: number; bytes: number };

export type SegmentContents = {
  records: SegmentRecord[];
  /** Where to go on reading: after the last record, before a torn tail. */
  next: number;
  damage: Damage[];
  /** The size of the file when it was read. */
  size: number;
  /** Whether its writer said that nothing more will come. */
  ended: boolean;
};

/**
 * Reads the records of a segment from an offset (0: all). A torn tail, which an interrupted or unfinished
 * write leaves, is not read; damaged bytes cost the records they hit and are reported. A missing file has no
 * records. Throws FORMAT for a newer format, STORAGE where the file cannot be read.
 */
export function readSegment(path: string, from = 0): SegmentContents {
  const none: SegmentContents = { records: [], next: from, damage: [], size: 0, ended: false };
  const file = whenThere(path, () => openSync(path, "r"));
  if (file === null) return none;
  try {
    const size = fstatSync(file).size;
    const head = readAt(file, 0, Math.min(size, PREAMBLE_BYTES));
    if (head.length < PREAMBLE_BYTES) return { ...none, size };
    const preamble = readPreamble(head, "segment", path);
    const start = Math.max(from, PREAMBLE_BYTES);
    const bytes = readAt(file, start, Math.max(0, size - start));
    const contents = scan(bytes, start, path, preamble?.salt ?? null);
    if (!preamble && from === 0) contents.damage.unshift({ file: path, offset: 0, bytes: PREAMBLE_BYTES });
    return contents;
  } finally {
    closeSync(file);
  }
}

/** Reads frames; `base` is where `bytes` begin in the file. Where the preamble is damaged the first frame gives the salt. */
function scan(bytes: Uint8Array, base: number, file: string, salt: number | null): SegmentContents {
  const records: SegmentRecord[] = [];
  const damage: Damage[] = [];
  let ended = false;
  let at = 0;
  let next = 0;
  while (at < bytes.length) {
    const header = parseFrameHeader(bytes, at, base + at, salt);
    if (!header) {
      const found = findFrame(bytes, at + 1, base, salt);
      const tail = bytes.subarray(at);
      if (found < 0 && isTornHeader(tail)) break;
      addDamage(damage, { file, offset: base + at, bytes: (found < 0 ? bytes.length : found) - at });
      if (found < 0) break;
      at = found;
      continue;
    }
    salt = header.salt;
    const start = at + FRAME_HEADER_BYTES;
    const end = start + header.length;
    if (end > bytes.length) break;
    const record =
      header.length === END_LENGTH ? null : recordOf(bytes.subarray(start, end), header.checksum);
    if (record) records.push(record);
    else if (header.length === END_LENGTH) ended = true;
    else addDamage(damage, { file, offset: base + at, bytes: end - at });
    at = end;
    // A damaged last record may be one that a network file system has not shown in full yet.
    if (record || ended) next = at;
  }
  return { records, next: base + next, damage, size: base + bytes.length, ended };
}

/** The record, or null where its bytes do not match their checksum or are not a record. */
function recordOf(bytes: Uint8Array, expected: number): SegmentRecord | null {
  if (checksum(bytes) !== expected) return null;
  try {
    const value = decode(bytes);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is SegmentRecord {
  if (typeof value !== "object" || value === null || !("kind" in value) || !("task" in value)) return false;
  const { kind, task } = value;
  return (kind === "started" || kind === "result" || kind === "again") && typeof task === "number";
}

/** Neighbouring damage is one. */
function addDamage(damage: Damage[], more: Damage): void {
  const last = damage.at(-1);
  if (last && last.offset + last.bytes === more.offset) last.bytes += more.bytes;
  else damage.push(more);
}

function readAt(file: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readInto(file, bytes, offset));
}

import { encode } from "./codec.ts";

/** At least as long as such a task gets. */
export const INDEX_TASK_BYTES = 64;

/** An index that takes four bytes, and whose bytes stand nowhere else in such a task. */
const SAMPLE = 0x7a6b5c4d;

let frame: { before: Uint8Array; after: Uint8Array } | null = null;

/**
 * Puts what `encode` gives for a task that is nothing but its number in an array at a place, and gives where it ends.
 * Only the number differs from task to task, and encoding a thousand of them takes a young process 10 ms.
 */
export function putIndexTask(target: Uint8Array, at: number, index: number): number {
  frame ??= frameOf();
  target.set(frame.before, at);
  const end = putInteger(target, at + frame.before.length, index);
  target.set(frame.after, end);
  return end + frame.after.length;
}

function frameOf() {
  const bytes = Buffer.from(encode({ params: { index: SAMPLE }, line: null, args: [] }));
  const sample = new Uint8Array(5);
  const length = putInteger(sample, 0, SAMPLE);
  const at = bytes.indexOf(sample);
  return { before: bytes.subarray(0, at), after: bytes.subarray(at + length) };
}

/** The msgpack specification, "int format family"; bytes from 0x40 on may name msgpackr's structures instead. */
function putInteger(target: Uint8Array, at: number, value: number): number {
  if (value < 0x40) {
    target[at] = value;
    return at + 1;
  }
  if (value < 0x10000) {
    target[at] = 0xcd;
    target[at + 1] = value >>> 8;
    target[at + 2] = value;
    return at + 3;
  }
  target[at] = 0xce;
  target[at + 1] = value >>> 24;
  target[at + 2] = value >>> 16;
  target[at + 3] = value >>> 8;
  target[at + 4] = value;
  return at + 5;
}

import { closeSync, fstatSync, openSync } from "node:fs";

import { JobxError } from "../errors.ts";
import type { TaskPayload } from "../model/job.ts";
import { checksum } from "./checksum.ts";
import { decode, encodeAt } from "./codec.ts";
import { readInto, whenThere, writeAtomically, writeFully } from "./files.ts";
import { damaged, PREAMBLE_BYTES, readPreamble, writePreamble } from "./preamble.ts";

/**
 * payload.msgpack: preamble, records, the offset of each record, footer. A record has a header of 12 bytes
 * (length, its checksum, the header's checksum, both mixed with the task's index). Where offsets or footer are
 * damaged, records are found by walking from one header to the next.
 */
const RECORD_HEADER_BYTES = 12;
const OFFSET_BYTES = 6;
/** Count 4, offset of the index 8, checksum 4. */
const FOOTER_BYTES = 16;
const BUFFER_BYTES = 1024 * 1024;
/** A collection takes some milliseconds, which do not show beside writing as much as this. */
const COLLECTED_BYTES = 32 * 1024 * 1024;
/** Tasks are mostly asked for in order, so what follows a record or its offset is read along with it. */
const WINDOW_BYTES = 8 * 1024;

/**
 * Writes the arguments of all tasks, as they come, to one file; atomic. Throws PAYLOAD for what cannot be
 * stored, with its path (`args[0].model.fn is a function`), and for more than `maxBytes` in all. The file's name is
 * durable with that of the request, which is written after it.
 */
export function writePayload(
  path: string,
  tasks: Iterable<TaskPayload>,
  maxBytes: number,
): { count: number; bytes: number } {
  const write = (file: number) => {
    const out = new BufferedFile(file);
    const offsets: number[] = [];
    out.add(writePreamble("payload"));
    for (const task of tasks) {
      const index = offsets.length;
      offsets.push(out.position);
      out.addRecord(encodeTask(task, index), index);
      if (out.position > maxBytes) throw tooLarge(maxBytes, index);
    }
    const indexAt = out.position;
    out.add(offsetIndex([...offsets, indexAt]));
    out.add(footer(offsets.length, indexAt));
    out.flush();
    // What was written is garbage now; left to itself it may lie there until the results come, as large again.
    if (out.position >= COLLECTED_BYTES) Bun.gc(true);
    return { count: offsets.length, bytes: out.position };
  };
  return writeAtomically(path, write, { sync: "contents" });
}

/** Opens a file of arguments. Throws NOT_FOUND, DAMAGED, FORMAT or STORAGE. */
export function openPayloadFile(path: string): PayloadFile {
  const file = whenThere(path, () => openSync(path, "r"));
  if (file === null) throw new JobxError("NOT_FOUND", `${path} does not exist`);
  return new PayloadFile(path, file);
}

/** The arguments of a job's tasks, one seek each. Close it. */
export class PayloadFile {
  readonly count: number;
  readonly #path: string;
  readonly #file: number;
  readonly #size: number;
  /** null where the footer is damaged. */
  readonly #indexAt: number | null;
  #walked: number[] | null = null;
  readonly #records: Window = { start: 0, bytes: Buffer.alloc(0) };
  readonly #offsets: Window = { start: 0, bytes: Buffer.alloc(0) };

  constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
    try {
      this.#size = fstatSync(file).size;
      readPreamble(this.#read(0, PREAMBLE_BYTES) ?? new Uint8Array(), "payload", path);
      const bytes = this.#read(this.#size - FOOTER_BYTES, FOOTER_BYTES);
      const found = bytes && parseFooter(bytes, this.#size);
      this.#indexAt = found ? found.indexAt : null;
      this.count = found ? found.count : this.#walk().length;
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** The arguments of a task. Throws NOT_FOUND for an index outside, DAMAGED where its bytes do not match. */
  get(index: number): TaskPayload {
    this.#check(index);
    const offset = this.#offsetOf(index);
    let length = this.#recordLength(offset, index);
    let from = offset;
    if (length === null) {
      from = this.#walk()[index] ?? offset;
      length = this.#recordLength(from, index);
    }
    const head = length === null ? null : this.#read(from, RECORD_HEADER_BYTES + length);
    if (!head) throw damaged(this.#path, from, `the arguments of task ${index} cannot be read`);
    const record = head.subarray(RECORD_HEADER_BYTES);
    if (head.readUInt32LE(4) !== checksum(record, index)) {
      throw damaged(this.#path, from, `the arguments of task ${index} do not match their checksum`);
    }
    const value = decode(record);
    if (!isTaskPayload(value))
      throw damaged(this.#path, from, `the arguments of task ${index} are something else`);
    return value;
  }

  /** How many bytes the arguments of a task take; 0 where that is damaged. Throws NOT_FOUND for an index outside. */
  sizeOf(index: number): number {
    this.#check(index);
    return this.#recordLength(this.#offsetOf(index), index) ?? 0;
  }

  close(): void {
    closeSync(this.#file);
  }

  #check(index: number): void {
    if (Number.isInteger(index) && index >= 0 && index < this.count) return;
    throw new JobxError("NOT_FOUND", `${this.#path} has no task ${index}: it holds ${this.count}`);
  }

  #offsetOf(index: number): number {
    const entry =
      this.#indexAt === null
        ? null
        : this.#read(this.#indexAt + index * OFFSET_BYTES, OFFSET_BYTES, this.#offsets);
    return entry ? entry.readUIntLE(0, OFFSET_BYTES) : (this.#walk()[index] ?? 0);
  }

  #recordLength(offset: number, index: number): number | null {
    const header = this.#read(offset, RECORD_HEADER_BYTES);
    if (!header || header.readUInt32LE(8) !== checksum(header.subarray(0, 8), index)) return null;
    return header.readUInt32LE(0);
  }

  /** The offsets of the records, from header to header, as far as the headers are whole. */
  #walk(): number[] {
    if (this.#walked) return this.#walked;
    const offsets: number[] = [];
    for (let at = PREAMBLE_BYTES; ;) {
      const length = this.#recordLength(at, offsets.length);
      if (length === null) break;
      offsets.push(at);
      at += RECORD_HEADER_BYTES + length;
    }
    this.#walked = offsets;
    return offsets;
  }

  /** Bytes of the file, not to be kept; null where it ends before them. */
  #read(offset: number, length: number, window = this.#records): Buffer | null {
    if (offset < 0 || offset + length > this.#size) return null;
    const at = offset - window.start;
    if (at >= 0 && at + length <= window.bytes.length) return window.bytes.subarray(at, at + length);
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.#size - offset);
    const bytes = Buffer.allocUnsafe(wanted);
    const got = readInto(this.#file, bytes, offset);
    // A large record is not kept.
    if (wanted <= WINDOW_BYTES) Object.assign(window, { start: offset, bytes: bytes.subarray(0, got) });
    return got >= length ? bytes.subarray(0, length) : null;
  }
}

/** A piece of the file as it was read; the file never changes. */
type Window = { start: number; bytes: Buffer };

/** Many small pieces in few writes. */
class BufferedFile {
  position = 0;
  readonly #file: number;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);
  #used = 0;

  constructor(file: number) {
    this.#file = file;
  }

  add(bytes: Uint8Array): void {
    this.position += bytes.length;
    if (this.#used + bytes.length > BUFFER_BYTES) this.flush();
    if (bytes.length > BUFFER_BYTES) return writeFully(this.#file, bytes);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  addRecord(record: Uint8Array, index: number): void {
    if (this.#used + RECORD_HEADER_BYTES > BUFFER_BYTES) this.flush();
    this.#putHeader(record, index);
    this.position += RECORD_HEADER_BYTES;
    this.#used += RECORD_HEADER_BYTES;
    this.add(record);
  }

  #putHeader(record: Uint8Array, index: number): void {
    const at = this.#used;
    this.#view.setUint32(at, record.length, true);
    this.#view.setUint32(at + 4, checksum(record, index), true);
    this.#view.setUint32(at + 8, checksum(this.#buffer.subarray(at, at + 8), index), true);
  }

  flush(): void {
    writeFully(this.#file, this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

function encodeTask(task: TaskPayload, index: number): Uint8Array {
  try {
    return encodeAt(task, "");
  } catch (error) {
    if (index === 0 || !(error instanceof JobxError)) throw error;
    throw new JobxError(error.code, `${error.message} (task ${index})`, {
      hint: error.hint,
      cause: error.cause,
    });
  }
}

function offsetIndex(offsets: number[]): Uint8Array {
  const bytes = new Uint8Array(offsets.length * OFFSET_BYTES);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const offset of offsets) {
    view.setUint32(at, offset, true);
    view.setUint16(at + 4, offset / 2 ** 32, true);
    at += OFFSET_BYTES;
  }
  return bytes;
}

function footer(count: number, indexAt: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(FOOTER_BYTES);
  bytes.writeUInt32LE(count, 0);
  bytes.writeDoubleLE(indexAt, 4);
  bytes.writeUInt32LE(checksum(bytes.subarray(0, 12)), 12);
  return bytes;
}

function parseFooter(bytes: Buffer, size: number): { count: number; indexAt: number } | null {
  if (bytes.readUInt32LE(12) !== checksum(bytes.subarray(0, 12))) return null;
  const count = bytes.readUInt32LE(0);
  const indexAt = bytes.readDoubleLE(4);
  return indexAt + (count + 1) * OFFSET_BYTES + FOOTER_BYTES === size ? { count, indexAt } : null;
}

function tooLarge(maxBytes: number, task: number): JobxError {
  return new JobxError(
    "PAYLOAD",
    `The arguments are larger than ${maxBytes} bytes (reached with task ${task})`,
    {
      hint: "Pass the names of files instead of their contents, or raise max-payload",
    },
  );
}

function isTaskPayload(value: unknown): value is TaskPayload {
  return (
    typeof value === "object" && value !== null && "params" in value && "line" in value && "args" in value
  );
}

import { closeSync, constants, fdatasync, truncateSync, write } from "node:fs";
import { dirname } from "node:path";

import { JobxError } from "../errors.ts";
import type { SegmentRecord } from "../model/records.ts";
import { encode } from "./codec.ts";
import { ensureDir, openFile, syncFolder, writeNewFile } from "./files.ts";
import { PREAMBLE_BYTES, writePreamble } from "./preamble.ts";
import { frameHeader } from "./segment-format.ts";
import { isPassing, type RetryOptions, retryPauses, storageError } from "./storage-errors.ts";

/** Records are synced in groups, at most this often: what makes thousands of records a second possible. */
const GROUP_MS = 20;

type Pending = { record: Uint8Array; sync: boolean; resolve: () => void; reject: (error: Error) => void };

/**
 * The one writer of a segment file. Writes go to explicit offsets, so a write that took only a part is simply
 * continued or repeated, and a reader sees at worst a torn tail.
 */
export class SegmentWriter {
  readonly path: string;
  readonly #retrying: RetryOptions;
  readonly #salt = newSalt();
  #file: number | null = null;
  /** Up to here, everything was synced. */
  #synced = 0;
  /** Where the next frame goes. */
  #end = PREAMBLE_BYTES;
  /** What stands between the two, kept to be written again: a failed sync may have dropped it. */
  #unsynced: Uint8Array[];
  #rewrite = true;
  #pending: Pending[] = [];
  #timer: { id: NodeJS.Timeout; due: number } | null = null;
  #flushing: Promise<void> | null = null;
  #lastWrite = Number.NEGATIVE_INFINITY;
  #lastSync = Number.NEGATIVE_INFINITY;
  #closed = false;

  /**
   * Makes a new segment and the folders above it. Where the disk refuses for now, the first records make it.
   * Throws STORAGE when the file exists or can never be made.
   */
  static create(path: string, options: RetryOptions = {}): SegmentWriter {
    const writer = new SegmentWriter(path, options);
    try {
      ensureDir(dirname(path));
      writer.#file = openFile(path, "wx");
    } catch (error) {
      const cause = error instanceof JobxError ? error.cause : error;
      if (!isPassing(cause)) throw storageError(path, "written", error);
    }
    return writer;
  }

  private constructor(path: string, retrying: RetryOptions) {
    this.path = path;
    this.#retrying = retrying;
    this.#unsynced = [writePreamble("segment", this.#salt)];
  }

  /**
   * Appends a record and resolves when it is durable; with `sync: false` resolves at once and the record
   * follows within 20 ms. Rejects with PAYLOAD for what cannot be stored, and with STORAGE when the disk
   * refused for 60 s; later records are tried anew.
   */
  async append(record: SegmentRecord, options: { sync?: boolean } = {}): Promise<void> {
    if (this.#closed) throw new JobxError("BUG", `${this.path} is closed`);
    const bytes = encode(record);
    const sync = options.sync ?? true;
    const written = new Promise<void>((resolve, reject) => {
      this.#pending.push({ record: bytes, sync, resolve, reject });
    });
    this.#schedule(sync);
    if (sync) return await written;
    // Nobody waits for it: a refusal is reported with the result that follows.
    written.catch(() => {});
  }

  /** Writes what waits, marks the segment as complete and closes it. Refusals reach the appends that wait. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer.id);
    this.#timer = null;
    while (this.#flushing || this.#pending.length > 0) await (this.#flushing ?? this.#flush());
    // The end mark only saves readers a look, so it is tried once.
    const end = frameHeader(new Uint8Array(0), this.#salt, this.#end);
    await this.#write([end], true).catch(() => {});
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #schedule(sync: boolean): void {
    if (this.#flushing || this.#closed) return;
    const due = (sync ? this.#lastSync : this.#lastWrite) + GROUP_MS;
    if (this.#timer && this.#timer.due <= due) return;
    if (this.#timer) clearTimeout(this.#timer.id);
    const id = setTimeout(
      () => {
        this.#timer = null;
        void this.#flush();
      },
      Math.max(0, due - performance.now()),
    );
    this.#timer = { id, due };
  }

  async #flush(): Promise<void> {
    this.#flushing = this.#flushNow();
    await this.#flushing;
    this.#flushing = null;
    if (this.#pending.length > 0 && !this.#closed) this.#schedule(this.#pending.some((entry) => entry.sync));
  }

  /** One group: one write and, where somebody waits for durability, one sync. Never rejects. */
  async #flushNow(): Promise<void> {
    const group = this.#pending.splice(0);
    if (group.length === 0) return;
    const sync = group.some((entry) => entry.sync);
    const frames: Uint8Array[] = [];
    let end = this.#end;
    for (const { record } of group) {
      const header = frameHeader(record, this.#salt, end);
      frames.push(header, record);
      end += header.length + record.length;
    }
    try {
      await this.#writeTrying(frames, sync);
      for (const entry of group) entry.resolve();
    } catch (error) {
      this.#cutBack();
      for (const entry of group) entry.reject(storageError(this.path, "written", error));
    }
  }

  async #writeTrying(frames: Uint8Array[], sync: boolean): Promise<void> {
    let pauses: Iterator<number> | null = null;
    for (;;) {
      try {
        return await this.#write(frames, sync);
      } catch (error) {
        if (!isPassing(error)) throw error;
        // A stale handle never becomes fresh again, and a new one costs nothing.
        this.#forgetFile();
        pauses ??= retryPauses(this.path, error, this.#retrying)[Symbol.iterator]();
        const pause = pauses.next();
        if (pause.done) throw error;
        await Bun.sleep(pause.value);
      }
    }
  }

  async #write(frames: Uint8Array[], sync: boolean): Promise<void> {
    // Not for appending, which would ignore the offsets.
    this.#file ??= openFile(this.path, constants.O_WRONLY | constants.O_CREAT);
    const bytes = Buffer.concat(this.#rewrite ? [...this.#unsynced, ...frames] : frames);
    await writeAt(this.#file, bytes, this.#rewrite ? this.#synced : this.#end);
    this.#lastWrite = performance.now();
    if (sync) {
      await syncData(this.#file);
      if (this.#synced === 0) syncFolder(dirname(this.path));
      this.#lastSync = performance.now();
    }
    this.#rewrite = false;
    this.#end += frames.reduce((sum, frame) => sum + frame.length, 0);
    if (sync) {
      this.#synced = this.#end;
      this.#unsynced = [];
    } else {
      this.#unsynced.push(...frames);
    }
  }

  #forgetFile(): void {
    this.#rewrite = true;
    try {
      if (this.#file !== null) closeSync(this.#file);
    } catch {
      // Closing reports the same refusal again.
    }
    this.#file = null;
  }

  /** Takes back what a refused group may have written in part. */
  #cutBack(): void {
    try {
      truncateSync(this.path, this.#end);
    } catch {
      // A torn tail, which readers ignore and the next group is written over.
    }
  }
}

/** Writes a whole segment at once, durably, for a process that is about to end. Throws what the system says. */
export function writeSegment(path: string, records: SegmentRecord[]): void {
  const salt = newSalt();
  const pieces = [writePreamble("segment", salt)];
  let end = PREAMBLE_BYTES;
  for (const body of [...records.map(encode), new Uint8Array(0)]) {
    const header = frameHeader(body, salt, end);
    pieces.push(header, body);
    end += header.length + body.length;
  }
  writeNewFile(path, Buffer.concat(pieces));
  syncFolder(dirname(path));
}

function newSalt(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

async function writeAt(file: number, bytes: Uint8Array, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    done += await new Promise<number>((resolve, reject) => {
      write(file, bytes, done, bytes.length - done, offset + done, (error, taken) =>
        error ? reject(error) : resolve(taken),
      );
    });
  }
}

async function syncData(file: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    fdatasync(file, (error) => (error ? reject(error) : resolve()));
  });
}

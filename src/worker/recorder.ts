import { JobxError, messageOf } from "../errors.ts";
import type { AgainRecord, ResultRecord, SegmentRecord, StartedRecord } from "../model/records.ts";
import { SegmentWriter } from "../store/segments.ts";

/** The exit code of a worker whose records could not be stored (EX_IOERR). */
export const STORAGE_EXIT_CODE = 74;

/**
 * The records of one supervisor. Ends of attempts are appended in groups; `settled` resolves when all
 * that was given is durable. Once a write has failed for good, nothing more is accepted.
 */
export class Recorder {
  /** Resolves with the error when records cannot be stored any more. */
  readonly broken: Promise<StorageFailure>;
  #failure: StorageFailure | null = null;
  #fail: (failure: StorageFailure) => void = () => undefined;
  /** Attempts whose beginning is not written yet. */
  readonly #beginning = new Set<Beginning>();
  #beginningTimer: ReturnType<typeof setTimeout> | null = null;
  readonly #pending = new Map<Promise<void>, SegmentRecord>();

  readonly #writer: SegmentWriter;

  constructor(writer: SegmentWriter) {
    this.#writer = writer;
    this.broken = new Promise((resolve) => (this.#fail = resolve));
  }

  /** `onRefused` is told when records wait, because the disk refuses them for now. */
  static create(path: string, onRefused: (why: string) => void): Recorder {
    return new Recorder(SegmentWriter.create(path, { onRefused }));
  }

  /**
   * Says that an attempt began; the function it returns says that it has ended. Attempts shorter than
   * 20 ms leave no such record: nobody could act on it, and finding out a process's identity while it
   * starts costs more than starting it. Not synced: it only matters while the machine is up.
   */
  started(make: () => StartedRecord): () => void {
    const beginning = { make, due: performance.now() + STARTED_MS };
    this.#beginning.add(beginning);
    this.#beginningTimer ??= setTimeout(() => this.#writeBeginnings(), STARTED_MS);
    return () => void this.#beginning.delete(beginning);
  }

  /** Says how attempts ended, one record per rank. */
  ended(records: (ResultRecord | AgainRecord)[]): void {
    for (const record of records) this.#append(record, true);
  }

  /** The records that are not known to be durable yet. */
  unwritten(): SegmentRecord[] {
    return [...this.#pending.values()];
  }

  /** Waits until every record so far is durable; false when storing failed. */
  async settled(): Promise<boolean> {
    while (this.#pending.size > 0 && !this.#failure) await Promise.all(this.#pending.keys());
    return this.#failure === null;
  }

  async close(): Promise<void> {
    if (this.#beginningTimer) clearTimeout(this.#beginningTimer);
    if (await this.settled()) await this.#writer.close();
  }

  /** Writes those that are due, the oldest first, and comes again for the others. */
  #writeBeginnings(): void {
    this.#beginningTimer = null;
    const now = performance.now();
    for (const beginning of this.#beginning) {
      const early = beginning.due - now;
      if (early > 0) {
        this.#beginningTimer = setTimeout(() => this.#writeBeginnings(), Math.ceil(early));
        return;
      }
      this.#beginning.delete(beginning);
      this.#append(beginning.make(), false);
    }
  }

  #append(record: SegmentRecord, sync: boolean): void {
    if (this.#failure) return;
    const written = this.#writer.append(record, { sync }).then(
      () => void this.#pending.delete(written),
      (error: unknown) => {
        this.#pending.delete(written);
        const bare = withoutContents(record, error);
        if (bare) return this.#append(bare, sync);
        this.#failure ??= { error, record };
        this.#fail(this.#failure);
      },
    );
    this.#pending.set(written, record);
  }
}

/** The record of an end without what cannot be stored of it, which must not cost the others theirs; null where that is no help. */
function withoutContents(record: SegmentRecord, error: unknown): ResultRecord | null {
  if (!(error instanceof JobxError) || error.code !== "PAYLOAD" || record.kind !== "result") return null;
  if (record.value === null && record.error === null) return null;
  const status = record.status === "succeeded" ? "failed" : record.status;
  const what = `what came of it cannot be stored: ${error.message}`.toWellFormed();
  const reason = record.reason === null ? what : `${record.reason}; ${what}`;
  return { ...record, status, value: null, error: null, reason };
}

const STARTED_MS = 20;

/** An attempt that runs, and when (of `performance.now`) it will have lasted long enough to be written down. */
type Beginning = { make: () => StartedRecord; due: number };

/** `record` is the outcome that could not be stored. */
export type StorageFailure = { error: unknown; record: SegmentRecord | null };

/** What goes to the element's log when an outcome could not be stored anywhere else. */
export function describeFailure({ error, record }: StorageFailure): string {
  return `cannot store records: ${messageOf(error)}; the outcome was ${JSON.stringify(record, bigints)}`;
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

import { messageOf } from "../errors.ts";
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
  readonly #beginning = new Set<() => StartedRecord>();
  #beginningTimer: ReturnType<typeof setTimeout> | null = null;
  readonly #pending = new Set<Promise<void>>();

  readonly #writer: SegmentWriter;

  constructor(writer: SegmentWriter) {
    this.#writer = writer;
    this.broken = new Promise((resolve) => (this.#fail = resolve));
  }

  static create(path: string): Recorder {
    return new Recorder(SegmentWriter.create(path));
  }

  /**
   * Says that an attempt began; the function it returns says that it has ended. Attempts shorter than
   * 20 ms leave no such record: nobody could act on it, and finding out a process's identity while it
   * starts costs more than starting it. Not synced: it only matters while the machine is up.
   */
  started(make: () => StartedRecord): () => void {
    this.#beginning.add(make);
    this.#beginningTimer ??= setTimeout(() => this.#writeBeginnings(), STARTED_MS);
    return () => void this.#beginning.delete(make);
  }

  /** Says how attempts ended, one record per rank. */
  ended(records: (ResultRecord | AgainRecord)[]): void {
    for (const record of records) this.#append(record, true);
  }

  /** Waits until every record so far is durable; false when storing failed. */
  async settled(): Promise<boolean> {
    while (this.#pending.size > 0 && !this.#failure) await Promise.all(this.#pending);
    return this.#failure === null;
  }

  async close(): Promise<void> {
    if (this.#beginningTimer) clearTimeout(this.#beginningTimer);
    if (await this.settled()) await this.#writer.close();
  }

  #writeBeginnings(): void {
    this.#beginningTimer = null;
    const due = [...this.#beginning];
    this.#beginning.clear();
    for (const make of due) this.#append(make(), false);
  }

  #append(record: SegmentRecord, sync: boolean): void {
    if (this.#failure) return;
    const written = this.#writer.append(record, { sync }).then(
      () => void this.#pending.delete(written),
      (error: unknown) => {
        this.#pending.delete(written);
        this.#failure ??= { error, record };
        this.#fail(this.#failure);
      },
    );
    this.#pending.add(written);
  }
}

const STARTED_MS = 20;

/** `record` is the outcome that could not be stored. */
export type StorageFailure = { error: unknown; record: SegmentRecord | null };

/** What goes to the element's log when an outcome could not be stored anywhere else. */
export function describeFailure({ error, record }: StorageFailure): string {
  return `cannot store records: ${messageOf(error)}; the outcome was ${JSON.stringify(record, bigints)}`;
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

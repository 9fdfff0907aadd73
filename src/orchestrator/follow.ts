import { isFinal, type TaskState } from "../model/states.ts";
import { type LogFile, LogReader } from "./logs.ts";

/** New bytes of one log. */
export type LogChunk = LogFile & { bytes: Uint8Array };

export type FollowOptions = {
  /** Begin with the last lines of logs that exist already; null: with everything. */
  lines: number | null;
  /** How a task stands by its records: what looks lost may be submitted again. Asked often, so it must be cheap. */
  stateOf(task: number): TaskState;
  /** Resolves when all tasks have ended: everything is then read once more, and that is all. */
  ended?: Promise<unknown>;
  /** Ends the following by throwing the signal's reason. */
  signal?: AbortSignal;
};

/**
 * Yields what comes into the logs until every task has ended and its logs are read to their end. Sizes are
 * looked at every 100 ms, down to once a second while nothing comes; logs of tasks that wait are not looked
 * at. Within one log the order is kept; chunks end anywhere, inside lines and characters too.
 */
export async function* followLogs(
  files: readonly LogFile[],
  options: FollowOptions,
): AsyncGenerator<LogChunk> {
  let open = files.map((file) => ({ file, reader: new LogReader(file.path, options.lines) }));
  let pauseMs = FASTEST_MS;
  let over = false;
  options.ended?.then(
    () => (over = true),
    () => {},
  );
  for (let first = true; open.length > 0; first = false) {
    const last = over;
    const left: typeof open = [];
    let news = false;
    for (const each of open) {
      // Asked before the log is read: what a task wrote before its end is then read before it counts as over.
      const state = options.stateOf(each.file.task);
      if (first || state !== "queued" || each.reader.begun) {
        for await (const bytes of each.reader.read()) {
          options.signal?.throwIfAborted();
          news = true;
          yield { ...each.file, bytes };
        }
      }
      if (first) each.reader.expectAll();
      if (!isFinal(state)) left.push(each);
    }
    open = left;
    if (last || open.length === 0) return;
    pauseMs = news ? FASTEST_MS : Math.min(pauseMs * 1.25, SLOWEST_MS);
    await pause(pauseMs, options);
  }
}

const FASTEST_MS = 100;
const SLOWEST_MS = 1000;

async function pause(ms: number, { signal, ended }: FollowOptions): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", resolve);
  // A wait that failed is told by the signal.
  await Promise.race([promise, ...(ended ? [ended.catch(() => {})] : [])]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", resolve);
  signal?.throwIfAborted();
}

import { closeSync, fstatSync, readdirSync } from "node:fs";
import { basename, dirname } from "node:path";

import { errnoOf } from "../errors.ts";
import { ranksOf } from "../model/resources.ts";
import { elementLogPath, jobFiles, logPath, type LogStream } from "../store/layout.ts";
import { lastLinesOffset, openLog, readAt } from "./log-tail.ts";
import type { JobView } from "./view.ts";

/** One log: a stream of a task's rank. */
export type LogFile = { task: number; rank: number; stream: LogStream; path: string };

/**
 * The logs that the selected tasks have or may come to have, in the order of tasks, ranks and streams. Null
 * selects every task, or every rank. Where stderr was merged into stdout there is only `out`.
 */
export function logFiles(
  view: Pick<JobView, "dir" | "spec">,
  tasks: readonly number[] | null,
  rank: number | null,
  streams: readonly LogStream[] = ["out", "err"],
): LogFile[] {
  const { dir, spec } = view;
  const ranks = rank === null ? [...Array(ranksOf(spec.resources)).keys()] : [rank];
  const present = spec.run.mergeOutput ? streams.filter((stream) => stream === "out") : streams;
  const files: LogFile[] = [];
  for (const task of tasks ?? Array(spec.tasks).keys()) {
    for (const each of ranks) {
      for (const stream of present) {
        files.push({ task, rank: each, stream, path: logPath(dir, spec.tasks, task, each, stream) });
      }
    }
  }
  return files;
}

/**
 * Those of the files that exist. Their folders are listed, once each: that is cheap for many tasks, and a
 * network file system then knows of files that another machine has just made.
 */
export function existingLogs(files: readonly LogFile[]): LogFile[] {
  const folders = new Map<string, Set<string>>();
  return files.filter(({ path }) => {
    const folder = dirname(path);
    const names = folders.get(folder) ?? new Set(namesIn(folder));
    folders.set(folder, names);
    return names.has(basename(path));
  });
}

/** What the scheduler itself captured around a job's workers, by path; for tasks that never got a log. */
export function elementLogs(dir: string): string[] {
  const pattern = new Bun.Glob(basename(elementLogPath(dir, 0)).replace("0", "*"));
  const names = namesIn(jobFiles.logs(dir)).filter((name) => pattern.match(name));
  return names.sort().map((name) => `${jobFiles.logs(dir)}/${name}`);
}

/**
 * The bytes of a log from its last `lines` lines on (null: from its beginning), as they are now, in chunks of
 * at most 256 KiB. Lets other events through between chunks, so that Ctrl-C ends a long one.
 */
export async function* readLog(path: string, lines: number | null = null): AsyncGenerator<Uint8Array> {
  yield* new LogReader(path, lines).read();
}

/** Reads a log from where it stopped the last time. */
export class LogReader {
  readonly #path: string;
  readonly #lines: number | null;
  #offset: number | null = null;
  #begun = false;

  constructor(path: string, lines: number | null) {
    this.#path = path;
    this.#lines = lines;
  }

  /** Whether the log has been seen. */
  get begun(): boolean {
    return this.#begun;
  }

  /** From now on a log that did not exist counts as new: none of its lines is left out. */
  expectAll(): void {
    this.#offset ??= 0;
  }

  /** What has come since the last call. Opened anew each time: over NFS only that shows what others wrote. */
  async *read(): AsyncGenerator<Uint8Array> {
    const fd = openLog(this.#path);
    if (fd === null) return;
    this.#begun = true;
    try {
      const { size } = fstatSync(fd);
      let offset = this.#offset ?? (this.#lines === null ? 0 : lastLinesOffset(fd, size, this.#lines));
      // A log that was cut short is read from its new beginning.
      if (offset > size) offset = 0;
      this.#offset = offset;
      while (offset < size) {
        const bytes = readAt(fd, offset, new Uint8Array(Math.min(CHUNK, size - offset)));
        if (bytes.length === 0) break;
        offset += bytes.length;
        this.#offset = offset;
        yield bytes;
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      closeSync(fd);
    }
  }
}

const CHUNK = 256 * 1024;

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

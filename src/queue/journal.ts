import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";

import { errnoOf } from "../errors.ts";
import type { EnqueueRequest, Slot } from "./protocol.ts";

/** What a queue that was killed leaves to the next one of a job. */
export type JournaledJob = {
  request: EnqueueRequest;
  held: boolean;
  /** The supervisor that was started last; null for a job that has none. */
  supervisor: { pid: number; start: string | null } | null;
  /** What that supervisor held, by the queue's books. */
  slots: readonly Slot[];
};

type Entry =
  | { kind: "job"; request: EnqueueRequest }
  | { kind: "held"; dir: string; held: boolean }
  | { kind: "supervisor"; dir: string; pid: number; start: string | null }
  | { kind: "slots"; dir: string; slots: readonly Slot[] }
  | { kind: "end"; dir: string };

/** Entries that concern no living job may fill the file up to this many before it is written anew. */
const SLACK = 2_000;

/**
 * The accepted jobs of a queue, a JSON line per change, in the order of acceptance. Not synced: it outlives
 * the process, and after a crash of the machine jobs are enqueued again from their records. What cannot
 * be read is skipped for the same reason.
 */
export class Journal {
  readonly #path: string;
  #fd: number;
  #entries = 0;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "a", 0o600);
    // Whatever a crash has cut ends here.
    writeSync(this.#fd, "\n");
  }

  /** The living jobs, oldest first. */
  read(): JournaledJob[] {
    const jobs = new Map<string, JournaledJob>();
    for (const line of readText(this.#path).split("\n")) {
      const entry = parse(line);
      if (!entry) continue;
      apply(jobs, entry);
      this.#entries++;
    }
    return [...jobs.values()];
  }

  append(entry: Entry): void {
    this.#entries++;
    writeSync(this.#fd, `${JSON.stringify(entry)}\n`);
  }

  /** Writes the file anew when most of it concerns jobs that are over; `living` is asked only then. */
  compact(count: number, living: () => Iterable<JournaledJob>): void {
    if (this.#entries < SLACK + 4 * count) return;
    const temporary = `${this.#path}.new`;
    const lines: string[] = [];
    for (const job of living()) for (const entry of entriesOf(job)) lines.push(`${JSON.stringify(entry)}\n`);
    writeFileSync(temporary, lines.join(""), { mode: 0o600 });
    renameSync(temporary, this.#path);
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, "a", 0o600);
    this.#entries = lines.length;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function entriesOf(job: JournaledJob): Entry[] {
  const dir = job.request.dir;
  const entries: Entry[] = [{ kind: "job", request: job.request }];
  if (job.held) entries.push({ kind: "held", dir, held: true });
  if (job.supervisor) entries.push({ kind: "supervisor", dir, ...job.supervisor });
  if (job.slots.length > 0) entries.push({ kind: "slots", dir, slots: job.slots });
  return entries;
}

function apply(jobs: Map<string, JournaledJob>, entry: Entry): void {
  if (entry.kind === "job") {
    jobs.set(entry.request.dir, { request: entry.request, held: false, supervisor: null, slots: [] });
    return;
  }
  const job = jobs.get(entry.dir);
  if (!job) return;
  if (entry.kind === "end") jobs.delete(entry.dir);
  else if (entry.kind === "held") job.held = entry.held;
  else if (entry.kind === "supervisor") job.supervisor = { pid: entry.pid, start: entry.start };
  else job.slots = entry.slots;
}

/** A line of the file; null for one that a crash has cut. */
function parse(line: string): Entry | null {
  if (line === "") return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}

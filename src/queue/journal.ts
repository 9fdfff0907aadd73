import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";

import { errnoOf, messageOf } from "../errors.ts";
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
 * be read is skipped for the same reason, and what cannot be written keeps nobody: a full disk costs the next
 * queue some of what it would have known, until there is room to write the file anew.
 */
export class Journal {
  readonly #path: string;
  readonly #log: (line: string) => void;
  #fd: number;
  #entries = 0;
  /** What the file lacks: nothing, or changes that could not be written; `due` once there may be room for them. */
  #gap: "none" | "open" | "due" = "none";

  constructor(path: string, log: (line: string) => void = () => undefined) {
    this.#path = path;
    this.#log = log;
    this.#fd = openSync(path, "a", 0o600);
    // Whatever a crash has cut ends here.
    this.#attempt(() => writeText(this.#fd, "\n"));
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
    // The line before may have been cut.
    const start = this.#gap === "none" ? "" : "\n";
    const isWritten = this.#attempt(() => writeText(this.#fd, `${start}${JSON.stringify(entry)}\n`));
    if (isWritten && this.#gap === "open") this.#gap = "due";
  }

  /** Writes the file anew when most of it concerns jobs that are over, or changes are missing; `living` is asked only then. */
  compact(count: number, living: () => Iterable<JournaledJob>): void {
    if (this.#entries < SLACK + 4 * count && this.#gap !== "due") return;
    const lines: string[] = [];
    for (const job of living()) for (const entry of entriesOf(job)) lines.push(`${JSON.stringify(entry)}\n`);
    // Where that fails, not at once again.
    this.#entries = lines.length;
    if (this.#attempt(() => this.#replace(lines.join("")))) this.#gap = "none";
  }

  close(): void {
    closeSync(this.#fd);
  }

  #replace(text: string): void {
    const temporary = `${this.#path}.new`;
    const fd = openSync(temporary, "w", 0o600);
    try {
      writeText(fd, text);
      renameSync(temporary, this.#path);
    } catch (error) {
      closeSync(fd);
      rmSync(temporary, { force: true });
      throw error;
    }
    closeSync(this.#fd);
    this.#fd = fd;
  }

  /** Whether the file could be written; that it could not is said once, until it can again. */
  #attempt(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (this.#gap === "none") this.#log(`the journal cannot be written: ${messageOf(error)}`);
      this.#gap = "open";
      return false;
    }
  }
}

/** Writes all of it: a disk that fills up takes a part without an error. */
function writeText(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
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

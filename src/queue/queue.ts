import { statSync } from "node:fs";
import { hostname } from "node:os";

import { JobxError, messageOf } from "../errors.ts";
import type { FinalState } from "../model/states.ts";
import { otherOwner, placeOf } from "../store/files.ts";
import { readCancelled, readHeld, readSpec } from "../store/jobs.ts";
import { homeOf } from "../store/layout.ts";
import { type Entry, type Link, newEntry } from "./entry.ts";
import { Gates } from "./gates.ts";
import { killLeftovers } from "./identity.ts";
import { Journal, type JournaledJob } from "./journal.ts";
import { Line } from "./line.ts";
import { giveOrder, giveWaitingOrders } from "./orders.ts";
import type { QueuePaths } from "./paths.ts";
import { startOf } from "./proc.ts";
import type { EnqueueRequest, QueuedJob, QueueInfo, QueueLimits, Slot, Tasks } from "./protocol.ts";
import { requestOf } from "./request.ts";
import { infoOf, statusOf } from "./status.ts";
import { Supervision } from "./supervision.ts";
import { adoptSupervisor } from "./supervisor.ts";
import { closeJob } from "./verdicts.ts";

export type QueueSettings = {
  paths: QueuePaths;
  env: Record<string, string | undefined>;
  log(line: string): void;
  /** Called when a job was taken in, with its folder. */
  entered(dir: string): void;
  /** Called when a job has left. */
  ended(): void;
};

/** How many ended jobs are remembered, so that their end is told from a job never heard of. */
const MEMORY = 20_000;

/**
 * The jobs of one user on one host: who waits, who runs, who holds what. It knows no sockets: links to
 * supervisors are given to it, and clients' requests are its methods.
 */
export class Queue {
  readonly #settings: QueueSettings;
  readonly #journal: Journal;
  readonly #line: Line;
  readonly #supervision: Supervision;
  readonly #gates: Gates;
  readonly #entries = new Map<string, Entry>();
  /** The key of an entry by its place, where that is another path. */
  readonly #spellings = new Map<string, string>();
  /** The places of jobs that have left. */
  readonly #ended = new Set<string>();
  readonly #host = hostname();
  #nextOrder = 1;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
    this.#journal = new Journal(settings.paths.journal, settings.log);
    this.#line = new Line(this.#journal, settings.env, {
      entry: (dir) => this.#entries.get(dir),
      granted: (entry) => {
        if (!entry.supervisor && entry.pause === null) this.#supervision.start(entry);
      },
      settled: () => this.#journal.compact(this.#entries.size, () => this.#journaled()),
    });
    const { paths, env, log } = settings;
    const supervision = { socket: paths.socket, env, log, journal: this.#journal, line: this.#line };
    this.#supervision = new Supervision(supervision, {
      entries: () => this.#entries.values(),
      has: (entry) => this.#entries.get(entry.request.dir) === entry,
      recovered: (entry) => this.#lineUp(entry),
      lost: (entry, reason) => this.#close(entry, "lost", reason),
      gone: (entry) => this.#end(entry),
    });
    this.#gates = new Gates({
      has: (dir) => this.#entries.has(dir),
      opened: (entry) => this.#lineUp(entry),
      broken: (entry, reason) => this.#close(entry, "cancelled", reason),
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  get dirs(): Iterable<string> {
    return this.#entries.keys();
  }

  /** Takes up what an earlier queue left: its jobs, and the supervisors among them that still live. */
  recover(): void {
    const jobs = this.#journal.read();
    for (const job of jobs) this.#recoverJob(job);
    const last = jobs.at(-1);
    if (last) this.#allow(last.request.limits);
    for (const entry of this.#entries.values()) this.#gates.admit(entry);
    if (jobs.length > 0) this.#settings.log(`took up ${jobs.length} jobs of an earlier queue`);
    this.#supervision.watchAdopted();
    this.#line.lookSoon();
  }

  /** Takes a job in; one that is here already stays as it is. Throws REFUSED for another user's. */
  enqueue(request: EnqueueRequest): void {
    if (this.#entryOf(request.dir)) return;
    const owner = otherOwner(request.dir);
    if (owner !== null) {
      throw new JobxError("REFUSED", `The job in ${request.dir} belongs to user ${owner}`, {
        hint: "The local queue runs only jobs of its own user; submit it in a home of yours",
      });
    }
    this.#allow(request.limits);
    const entry = newEntry(request, this.#nextOrder++);
    entry.held = readHeld(request.dir) === "all";
    this.#add(entry);
    this.#journal.append({ kind: "job", request });
    if (entry.held) this.#journal.append({ kind: "held", dir: request.dir, held: true });
    this.#gates.admit(entry);
    this.#settings.entered(request.dir);
    this.#line.lookSoon();
  }

  status(dir: string): QueuedJob {
    const entry = this.#entryOf(dir);
    if (!entry) {
      const state = this.#ended.has(placeOf(dir)) ? "ended" : "unknown";
      return { dir, state, reason: null, supervisor: null, slots: 0 };
    }
    return statusOf(entry, this.#entries, this.#line);
  }

  info(): QueueInfo {
    return infoOf(this.#entries, this.#line, this.#host);
  }

  /** A job that has not started ends here; a running one is told. */
  cancel(dir: string, tasks: Tasks): void {
    const entry = this.#entryOf(dir);
    if (!entry) return;
    if (entry.supervisor) return giveOrder(entry, { type: "cancel", tasks, reason: null });
    if (tasks === null || this.#allCancelled(entry)) {
      this.#close(entry, "cancelled", "cancelled before it started");
    }
  }

  hold(dir: string, tasks: Tasks): void {
    const entry = this.#entryOf(dir);
    if (!entry) return;
    if (tasks === null) this.#setHeld(entry, true);
    if (entry.supervisor) giveOrder(entry, { type: "hold", tasks });
    else if (tasks === null) this.#line.leave(entry);
    this.#line.lookSoon();
  }

  release(dir: string, tasks: Tasks): void {
    const entry = this.#entryOf(dir);
    if (!entry) return;
    // Where only some of a held job's tasks may go, the others stay held by the job's folder.
    if (tasks === null || readHeld(dir) !== "all") this.#setHeld(entry, false);
    if (entry.supervisor) giveOrder(entry, { type: "release", tasks });
    else this.#lineUp(entry);
    this.#line.lookSoon();
  }

  /** Throws REFUSED when the job is not running. */
  interrupt(dir: string, tasks: Tasks, kind: "preempted" | "timeout"): void {
    const entry = this.#entryOf(dir);
    if (entry?.link) return entry.link.order({ type: "interrupt", tasks, kind });
    throw new JobxError("REFUSED", "The job is not running, so there is nothing to interrupt");
  }

  /** A supervisor has connected, for the first time or again. */
  hello(link: Link, dir: string, pid: number, held: Slot[], want: number | null): void {
    const entry = this.#entryOf(dir) ?? this.#welcomeUnknown(dir);
    if (!entry) return link.order({ type: "cancel", tasks: null, reason: "its folder cannot be read" });
    if (entry.supervisor?.pid !== pid) entry.supervisor = adoptSupervisor(pid, startOf(pid));
    entry.link = link;
    link.most(this.#line.mostOf(entry));
    const granted = entry.undelivered;
    entry.undelivered = [];
    this.#line.adopt(entry, [...held, ...granted]);
    if (want !== null) this.#line.want(entry.request.dir, want);
    giveWaitingOrders(entry, link);
    if (granted.length > 0) link.order({ type: "grant", slots: [...granted] });
    this.#line.lookSoon();
  }

  want(dir: string, slots: number): void {
    this.#line.want(this.#knownAs(dir), slots);
    this.#line.lookSoon();
  }

  releaseSlot(dir: string, slot: number): void {
    this.#line.release(this.#knownAs(dir), slot);
    this.#line.lookSoon();
  }

  /** Every task of the job has its record. */
  done(dir: string, link: Link): void {
    link.goodbye();
    const entry = this.#entryOf(dir);
    if (entry) this.#end(entry);
  }

  /** A supervisor's connection has ended: it is dead, or will connect again. */
  unlinked(dir: string, link: Link): void {
    const entry = this.#entryOf(dir);
    if (!entry || entry.link !== link) return;
    entry.link = null;
    this.#supervision.watchAdopted();
  }

  /** Lets go of waiting jobs whose home was removed: nobody can ask for them any more, and the queue could never end. */
  forgetRemoved(): void {
    const gone = new Map<string, boolean>();
    for (const entry of this.#entries.values()) {
      if (entry.supervisor) continue;
      const home = homeOf(entry.request.dir);
      if (!gone.has(home)) gone.set(home, isGone(home));
      if (gone.get(home)) this.#end(entry);
    }
  }

  #entryOf(dir: string): Entry | undefined {
    return this.#entries.get(this.#knownAs(dir));
  }

  /** The path by which the job of this folder is known here, if it is. */
  #knownAs(dir: string): string {
    if (this.#entries.has(dir)) return dir;
    const place = placeOf(dir);
    return this.#spellings.get(place) ?? place;
  }

  #add(entry: Entry): void {
    const { dir } = entry.request;
    this.#ended.delete(entry.place);
    this.#entries.set(dir, entry);
    if (entry.place !== dir) this.#spellings.set(entry.place, dir);
  }

  #recoverJob(job: JournaledJob): void {
    const { request } = job;
    const entry = newEntry(request, this.#nextOrder++);
    entry.held = job.held;
    if (job.supervisor) {
      const supervisor = adoptSupervisor(job.supervisor.pid, job.supervisor.start);
      if (supervisor.alive()) entry.supervisor = supervisor;
    }
    this.#add(entry);
    if (job.slots.length === 0 && !entry.supervisor) return;
    this.#line.restore(entry, job.slots);
    // A living supervisor gets nothing new before it has said what it wants; a dead one's slots are for the next.
    if (entry.supervisor) this.#line.want(request.dir, 0);
    else entry.undelivered = [...job.slots];
  }

  /** A supervisor whose job this queue has never heard of: the journal was lost. Null when its job is gone too. */
  #welcomeUnknown(dir: string): Entry | null {
    try {
      const request = requestOf(readSpec(dir), dir);
      this.enqueue(request);
      return this.#entryOf(dir) ?? null;
    } catch {
      return null;
    }
  }

  /** Puts a job in the line if nothing keeps it from starting. */
  #lineUp(entry: Entry): void {
    if (entry.waitsFor === null && entry.pause === null) {
      if (!entry.held) this.#line.enter(entry);
      // Kept from a supervisor that died: what it left running is this job's own, until the next one has killed it. That
      // one is needed by a held job as well, whose other tasks it keeps back as the job's folder says.
      if (entry.undelivered.length > 0 && !entry.supervisor) this.#supervision.start(entry);
    }
    this.#line.lookSoon();
  }

  /** Ends a job that no supervisor will finish; its open tasks get this state. */
  #close(entry: Entry, state: FinalState, reason: string): void {
    const { dir, job } = entry.request;
    killLeftovers(dir);
    try {
      closeJob(dir, state, reason, this.#host);
    } catch (error) {
      this.#settings.log(`job ${job}: its end (${state}: ${reason}) cannot be written: ${messageOf(error)}`);
    }
    this.#settings.log(`job ${job}: ${state}: ${reason}`);
    this.#end(entry);
  }

  #end(entry: Entry): void {
    const { dir } = entry.request;
    if (!this.#entries.delete(dir)) return;
    this.#line.remove(dir);
    this.#spellings.delete(entry.place);
    this.#ended.add(entry.place);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= MEMORY) break;
      this.#ended.delete(oldest);
    }
    this.#journal.append({ kind: "end", dir });
    this.#gates.forget(entry);
    this.#gates.ended(dir);
    this.#settings.ended();
    this.#line.lookSoon();
  }

  #setHeld(entry: Entry, held: boolean): void {
    if (entry.held === held) return;
    entry.held = held;
    this.#journal.append({ kind: "held", dir: entry.request.dir, held });
  }

  #allCancelled(entry: Entry): boolean {
    const cancelled = readCancelled(entry.request.dir);
    return cancelled === "all" || (cancelled?.size ?? 0) >= entry.request.tasks;
  }

  #allow(limits: QueueLimits): void {
    if (!this.#line.allow(limits)) return;
    for (const entry of this.#entries.values()) entry.link?.most(this.#line.mostOf(entry));
  }

  *#journaled(): Iterable<JournaledJob> {
    for (const { request, held, supervisor } of this.#entries.values()) {
      const identity = supervisor ? { pid: supervisor.pid, start: supervisor.start } : null;
      yield { request, held, supervisor: identity, slots: this.#line.heldBy(request.dir) };
    }
  }
}

/** Whether it is certain that nothing is there; a file system that does not answer says nothing. */
function isGone(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

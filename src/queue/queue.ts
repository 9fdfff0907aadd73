import { existsSync, statSync } from "node:fs";
import { hostname } from "node:os";

import { errnoOf, JobxError, messageOf } from "../errors.ts";
import type { FinalState } from "../model/states.ts";
import { readCancelled, readHeld, readSpec } from "../store/jobs.ts";
import { elementLogPath, homeOf } from "../store/layout.ts";
import { Broker } from "./broker.ts";
import { type Entry, type Link, newEntry } from "./entry.ts";
import { explainWait } from "./explain.ts";
import { Gates } from "./gates.ts";
import { killLeftovers } from "./identity.ts";
import { Journal, type JournaledJob } from "./journal.ts";
import { detectCapacity } from "./machine.ts";
import type { QueuePaths } from "./paths.ts";
import { Reader } from "./predecessors.ts";
import { startOf } from "./proc.ts";
import {
  type EnqueueRequest,
  QUEUE_PROTOCOL,
  type QueuedJob,
  type QueueInfo,
  type QueueLimits,
  type Slot,
  type Tasks,
  type WorkerOrder,
} from "./protocol.ts";
import { requestOf } from "./request.ts";
import { adoptSupervisor, startSupervisor } from "./supervisor.ts";
import { closeJob } from "./verdicts.ts";

export type QueueSettings = {
  paths: QueuePaths;
  env: Record<string, string | undefined>;
  log(line: string): void;
  /** Called when a job has left. */
  ended(): void;
};

/** A supervisor that dies this often without a new final record in between is not started again. */
const MAX_DEATHS = 3;
/** How long to wait after the first, the second death. */
const PAUSES_MS = [50, 1_000];
/** By this a supervisor says that another one runs the job (EX_TEMPFAIL): no death, but a reason to wait. */
const BUSY = "exit code 75";
const BUSY_PAUSE_MS = 1_000;
/** How often supervisors that are not this process's children are looked at. */
const WATCH_MS = 300;
/** How many ended jobs are remembered, so that their end is told from a job never heard of. */
const MEMORY = 20_000;

/**
 * The jobs of one user on one host: who waits, who runs, who holds what. It knows no sockets: links to
 * supervisors are given to it, and clients' requests are its methods.
 */
export class Queue {
  readonly #settings: QueueSettings;
  readonly #journal: Journal;
  readonly #broker: Broker;
  readonly #gates: Gates;
  readonly #entries = new Map<string, Entry>();
  readonly #ended = new Set<string>();
  readonly #host = hostname();
  #limits: QueueLimits = { cpus: null, memBytes: null, gpus: null, nice: null };
  #nextOrder = 1;
  #pumping = false;
  #alarm: ReturnType<typeof setTimeout> | null = null;
  #watch: ReturnType<typeof setInterval> | null = null;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
    this.#journal = new Journal(settings.paths.journal);
    this.#broker = new Broker(detectCapacity({ env: settings.env }), Date.now() * 1000);
    this.#gates = new Gates({
      has: (dir) => this.#entries.has(dir),
      opened: (entry) => this.#line(entry),
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
    this.#watchAdopted();
    this.#pumpSoon();
  }

  /** Takes a job in; one that is here already stays as it is. */
  enqueue(request: EnqueueRequest): void {
    if (this.#entries.has(request.dir)) return;
    this.#allow(request.limits);
    this.#ended.delete(request.dir);
    const entry = newEntry(request, this.#nextOrder++);
    entry.held = readHeld(request.dir) === "all";
    this.#entries.set(request.dir, entry);
    this.#journal.append({ kind: "job", request });
    if (entry.held) this.#journal.append({ kind: "held", dir: request.dir, held: true });
    this.#gates.admit(entry);
    this.#pumpSoon();
  }

  status(dir: string): QueuedJob {
    const entry = this.#entries.get(dir);
    if (!entry) {
      const state = this.#ended.has(dir) ? "ended" : "unknown";
      return { dir, state, reason: null, supervisor: null, slots: 0 };
    }
    const slots = this.#broker.heldBy(dir).length;
    const supervisor = entry.supervisor?.pid ?? null;
    const state = supervisor !== null && slots > 0 ? "running" : "queued";
    return { dir, state, reason: state === "running" ? null : this.#reasonOf(entry), supervisor, slots };
  }

  info(): QueueInfo {
    const jobs = [...this.#entries.values()].map((entry) => {
      const { state, slots } = this.status(entry.request.dir);
      const shown = state === "running" ? state : ("queued" as const);
      return {
        dir: entry.request.dir,
        job: entry.request.job,
        token: entry.request.token,
        state: shown,
        slots,
      };
    });
    return {
      pid: process.pid,
      host: this.#host,
      protocol: QUEUE_PROTOCOL,
      capacity: this.#broker.capacity,
      used: this.#broker.used,
      jobs,
    };
  }

  /** A job that has not started ends here; a running one is told. */
  cancel(dir: string, tasks: Tasks): void {
    const entry = this.#entries.get(dir);
    if (!entry) return;
    if (entry.supervisor) return this.#order(entry, { type: "cancel", tasks, reason: null });
    if (tasks === null || this.#allCancelled(entry)) {
      this.#close(entry, "cancelled", "cancelled before it started");
    }
  }

  hold(dir: string, tasks: Tasks): void {
    const entry = this.#entries.get(dir);
    if (!entry) return;
    if (tasks === null) this.#setHeld(entry, true);
    if (entry.supervisor) this.#order(entry, { type: "hold", tasks });
    else if (tasks === null) this.#leaveLine(entry);
    this.#pumpSoon();
  }

  release(dir: string, tasks: Tasks): void {
    const entry = this.#entries.get(dir);
    if (!entry) return;
    // Where only some of a held job's tasks may go, the others stay held by the job's folder.
    if (tasks === null || readHeld(dir) !== "all") this.#setHeld(entry, false);
    if (entry.supervisor) this.#order(entry, { type: "release", tasks });
    else this.#line(entry);
    this.#pumpSoon();
  }

  /** Throws REFUSED when the job is not running. */
  interrupt(dir: string, tasks: Tasks, kind: "preempted" | "timeout"): void {
    const entry = this.#entries.get(dir);
    if (entry?.link) return entry.link.order({ type: "interrupt", tasks, kind });
    throw new JobxError("REFUSED", "The job is not running, so there is nothing to interrupt");
  }

  /** A supervisor has connected, for the first time or again. */
  hello(link: Link, dir: string, pid: number, held: Slot[], want: number | null): void {
    const entry = this.#entries.get(dir) ?? this.#welcomeUnknown(dir);
    if (!entry) return link.order({ type: "cancel", tasks: null, reason: "its folder cannot be read" });
    if (entry.supervisor?.pid !== pid) entry.supervisor = adoptSupervisor(pid, startOf(pid));
    entry.link = link;
    link.most(this.#broker.mostOf(entry.request.shape));
    const granted = entry.undelivered;
    entry.undelivered = [];
    this.#addToLine(entry);
    this.#broker.adopt(dir, [...held, ...granted]);
    this.#noteSlots(dir);
    if (want !== null) this.#broker.want(dir, want);
    for (const order of standingOrders(entry)) link.order(order);
    for (const order of entry.pending) link.order(order);
    entry.pending = [];
    if (granted.length > 0) link.order({ type: "grant", slots: [...granted] });
    this.#pumpSoon();
  }

  want(dir: string, slots: number): void {
    this.#broker.want(dir, slots);
    this.#pumpSoon();
  }

  releaseSlot(dir: string, slot: number): void {
    this.#broker.release(dir, slot);
    this.#noteSlots(dir);
    this.#pumpSoon();
  }

  /** Every task of the job has its record. */
  done(dir: string, link: Link): void {
    link.goodbye();
    const entry = this.#entries.get(dir);
    if (entry) this.#end(entry);
  }

  /** A supervisor's connection has ended: it is dead, or will connect again. */
  unlinked(dir: string, link: Link): void {
    const entry = this.#entries.get(dir);
    if (!entry || entry.link !== link) return;
    entry.link = null;
    this.#watchAdopted();
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

  #recoverJob(job: JournaledJob): void {
    const { request } = job;
    const entry = newEntry(request, this.#nextOrder++);
    entry.held = job.held;
    if (job.supervisor) {
      const supervisor = adoptSupervisor(job.supervisor.pid, job.supervisor.start);
      if (supervisor.alive()) entry.supervisor = supervisor;
    }
    this.#entries.set(request.dir, entry);
    if (job.slots.length === 0 && !entry.supervisor) return;
    this.#addToLine(entry);
    this.#broker.adopt(request.dir, job.slots);
    // A living supervisor gets nothing new before it has said what it wants; a dead one's slots are for the next.
    if (entry.supervisor) this.#broker.want(request.dir, 0);
    else entry.undelivered = [...job.slots];
  }

  /** A supervisor whose job this queue has never heard of: the journal was lost. Null when its job is gone too. */
  #welcomeUnknown(dir: string): Entry | null {
    try {
      const request = requestOf(readSpec(dir), dir);
      this.enqueue(request);
      return this.#entries.get(dir) ?? null;
    } catch {
      return null;
    }
  }

  /** Puts a job in the line if nothing keeps it from starting. */
  #line(entry: Entry): void {
    if (!entry.held && entry.waitsFor === null && entry.pause === null) {
      this.#addToLine(entry);
      // Kept from a supervisor that died: what it left running is this job's own, until the next one has killed it.
      if (entry.undelivered.length > 0 && !entry.supervisor) this.#start(entry);
    }
    this.#pumpSoon();
  }

  #leaveLine(entry: Entry): void {
    entry.undelivered = [];
    this.#broker.remove(entry.request.dir);
    this.#noteSlots(entry.request.dir);
  }

  #addToLine(entry: Entry): void {
    const { dir, shape, tasks, parallel } = entry.request;
    const startable = tasks - (entry.waiting?.size ?? 0) - (entry.broken?.size ?? 0);
    this.#broker.add(dir, entry.order, shape, Math.min(Math.max(1, startable), parallel ?? Infinity));
  }

  /** Several events at once are answered by one look at the line. */
  #pumpSoon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    const now = performance.now();
    const { grants, reclaims, lookAgainAt } = this.#broker.allocate(now);
    for (const { key, count } of reclaims) this.#entries.get(key)?.link?.order({ type: "reclaim", count });
    for (const { key, slots } of grants) {
      const entry = this.#entries.get(key);
      if (!entry) continue;
      this.#noteSlots(key);
      if (entry.link) entry.link.order({ type: "grant", slots });
      else entry.undelivered = [...entry.undelivered, ...slots];
      if (!entry.supervisor && entry.pause === null) this.#start(entry);
    }
    if (this.#alarm) clearTimeout(this.#alarm);
    this.#alarm = lookAgainAt === null ? null : setTimeout(() => this.#pumpSoon(), lookAgainAt - now);
    this.#journal.compact(this.#entries.size, () => this.#journaled());
  }

  #start(entry: Entry): void {
    const { dir } = entry.request;
    try {
      const supervisor = startSupervisor({
        request: entry.request,
        socket: this.#settings.paths.socket,
        env: this.#settings.env,
        nice: entry.request.limits.nice ?? this.#broker.capacity.nice,
        exited: (how) => {
          if (entry.supervisor === supervisor) this.#died(entry, how);
        },
      });
      entry.supervisor = supervisor;
      this.#journal.append({ kind: "supervisor", dir, pid: supervisor.pid, start: supervisor.start });
    } catch (error) {
      this.#settings.log(`job ${entry.request.job}: its supervisor cannot be started: ${messageOf(error)}`);
      if (errnoOf(error) === "ENOENT" && !existsSync(dir)) return this.#end(entry);
      this.#died(entry, `it cannot be started: ${messageOf(error)}`);
    }
  }

  /** A supervisor has ended without a word: another one goes on by its records, with its slots. */
  #died(entry: Entry, how: string): void {
    const { dir, job } = entry.request;
    if (this.#entries.get(dir) !== entry) return;
    entry.supervisor = null;
    entry.link = null;
    entry.undelivered = [...this.#broker.heldBy(dir)];
    // The records tell which tasks have ended, and the next supervisor says what it wants.
    const busy = how === BUSY;
    if (!busy) this.#countDeath(entry);
    this.#settings.log(`job ${job}: its supervisor ended early (${how})`);
    if (entry.deaths >= MAX_DEATHS) {
      const reason = `its supervisor died ${entry.deaths} times (${how}); see ${elementLogPath(dir, 0)}`;
      return this.#close(entry, "lost", reason);
    }
    entry.pause = busy
      ? "another supervisor still runs it"
      : `its supervisor died (${how}) and is started again`;
    const pause = (busy ? undefined : PAUSES_MS[entry.deaths - 1]) ?? BUSY_PAUSE_MS;
    setTimeout(() => {
      entry.pause = null;
      if (this.#entries.get(dir) === entry && !entry.supervisor) this.#line(entry);
    }, pause);
    this.#pumpSoon();
  }

  #countDeath(entry: Entry): void {
    const finals = finalsOf(entry.request.dir);
    entry.deaths = finals > entry.finals ? 1 : entry.deaths + 1;
    entry.finals = finals;
  }

  /** Looks after supervisors whose end nobody tells: those that an earlier queue started. */
  #watchAdopted(): void {
    if (this.#watch) return;
    this.#watch = setInterval(() => {
      let left = 0;
      for (const entry of this.#entries.values()) {
        if (!entry.supervisor || entry.link) continue;
        left++;
        if (!entry.supervisor.alive()) this.#died(entry, "nobody saw how");
      }
      if (left > 0 || !this.#watch) return;
      clearInterval(this.#watch);
      this.#watch = null;
    }, WATCH_MS);
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
    this.#broker.remove(dir);
    this.#ended.add(dir);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= MEMORY) break;
      this.#ended.delete(oldest);
    }
    this.#journal.append({ kind: "end", dir });
    this.#gates.forget(entry);
    this.#gates.ended(dir);
    this.#settings.ended();
    this.#pumpSoon();
  }

  #order(entry: Entry, order: WorkerOrder): void {
    if (entry.link) entry.link.order(order);
    else entry.pending = [...entry.pending, order];
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

  /** The latest submission says how much the user allows. */
  #allow(limits: QueueLimits): void {
    if (JSON.stringify(limits) === JSON.stringify(this.#limits)) return;
    this.#limits = limits;
    this.#broker.capacity = detectCapacity({ env: this.#settings.env }, limits);
    for (const entry of this.#entries.values()) entry.link?.most(this.#broker.mostOf(entry.request.shape));
  }

  #noteSlots(dir: string): void {
    this.#journal.append({ kind: "slots", dir, slots: this.#broker.heldBy(dir) });
  }

  #reasonOf(entry: Entry): string | null {
    if (entry.held) return "held; jobx release lets it start";
    if (entry.waitsFor !== null) return entry.waitsFor;
    if (entry.pause !== null) return entry.pause;
    if (this.#broker.heldBy(entry.request.dir).length > 0) return "is being started";
    const holders = this.#broker.holders.flatMap((dir) => {
      const job = this.#entries.get(dir)?.request.job;
      return job === undefined ? [] : [{ job, slots: this.#broker.heldBy(dir).length }];
    });
    return explainWait(entry.request.shape, this.#broker.capacity, this.#broker.used, holders);
  }

  *#journaled(): Iterable<JournaledJob> {
    for (const { request, held, supervisor } of this.#entries.values()) {
      const identity = supervisor ? { pid: supervisor.pid, start: supervisor.start } : null;
      yield { request, held, supervisor: identity, slots: this.#broker.heldBy(request.dir) };
    }
  }
}

/** What every supervisor of the job has to be told, however often it connects. */
function standingOrders(entry: Entry): WorkerOrder[] {
  const orders: WorkerOrder[] = [];
  if (entry.waiting && entry.waiting.size > 0) orders.push({ type: "block", tasks: [...entry.waiting] });
  const broken = entry.broken ?? new Map<number, string>();
  for (const [reason, tasks] of Map.groupBy(broken.keys(), (task) => broken.get(task) ?? "")) {
    orders.push({ type: "cancel", tasks, reason });
  }
  return orders;
}

/** Whether it is certain that nothing is there; a file system that does not answer says nothing. */
function isGone(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** How many tasks of the job have a final record. */
function finalsOf(dir: string): number {
  const reader = Reader.open(dir);
  reader?.refresh();
  return reader?.finals ?? 0;
}

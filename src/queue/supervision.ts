import { existsSync } from "node:fs";

import { errnoOf, messageOf } from "../errors.ts";
import { otherOwner } from "../store/files.ts";
import { elementLogPath } from "../store/layout.ts";
import type { Entry } from "./entry.ts";
import type { Journal } from "./journal.ts";
import type { Line } from "./line.ts";
import { Reader } from "./predecessors.ts";
import { startSupervisor } from "./supervisor.ts";

export type SupervisionOptions = {
  /** The queue's socket, to which supervisors connect. */
  socket: string;
  env: Record<string, string | undefined>;
  journal: Journal;
  line: Line;
  log(line: string): void;
};

/** What the supervision asks of the queue. */
export type SupervisionOwner = {
  /** Every job of the queue. */
  entries(): Iterable<Entry>;
  /** Whether it is still one of them. */
  has(entry: Entry): boolean;
  /** A job whose supervisor died may get another one. */
  recovered(entry: Entry): void;
  /** A job whose supervisors keep dying. */
  lost(entry: Entry, reason: string): void;
  /** A job whose folder is gone, or somebody else's by now. */
  gone(entry: Entry): void;
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

/** Starts the supervisors of jobs, learns of their deaths, and lets others go on in their place. */
export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #owner: SupervisionOwner;
  #watch: ReturnType<typeof setInterval> | null = null;

  constructor(options: SupervisionOptions, owner: SupervisionOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** Starts a supervisor for a job that has none. */
  start(entry: Entry): void {
    const { socket, env, journal, line, log } = this.#options;
    const { dir, job, limits } = entry.request;
    try {
      const owner = otherOwner(dir);
      if (owner !== null) {
        log(`job ${job}: let go, since it belongs to user ${owner}`);
        return this.#owner.gone(entry);
      }
      const supervisor = startSupervisor({
        request: entry.request,
        socket,
        env,
        nice: limits.nice ?? line.capacity.nice,
        exited: (how) => {
          if (entry.supervisor === supervisor) this.#died(entry, how);
        },
      });
      entry.supervisor = supervisor;
      journal.append({ kind: "supervisor", dir, pid: supervisor.pid, start: supervisor.start });
    } catch (error) {
      log(`job ${job}: its supervisor cannot be started: ${messageOf(error)}`);
      if (errnoOf(error) === "ENOENT" && !existsSync(dir)) return this.#owner.gone(entry);
      this.#died(entry, `it cannot be started: ${messageOf(error)}`);
    }
  }

  /** Looks after supervisors whose end nobody tells, those that an earlier queue started, while there are any. */
  watchAdopted(): void {
    if (this.#watch) return;
    this.#watch = setInterval(() => {
      let left = 0;
      for (const entry of this.#owner.entries()) {
        if (!entry.supervisor || entry.link) continue;
        left++;
        if (!entry.supervisor.alive()) this.#died(entry, "nobody saw how");
      }
      if (left > 0 || !this.#watch) return;
      clearInterval(this.#watch);
      this.#watch = null;
    }, WATCH_MS);
  }

  /** A supervisor has ended without a word: another one goes on by its records, with its slots. */
  #died(entry: Entry, how: string): void {
    if (!this.#owner.has(entry)) return;
    const { line, log } = this.#options;
    const { dir, job } = entry.request;
    entry.supervisor = null;
    entry.link = null;
    entry.undelivered = [...line.heldBy(dir)];
    const busy = how === BUSY;
    if (!busy) countDeath(entry);
    log(`job ${job}: its supervisor ended early (${how})`);
    if (entry.deaths >= MAX_DEATHS) {
      const reason = `its supervisor died ${entry.deaths} times (${how}); see ${elementLogPath(dir, 0)}; jobx retry ${job} --failed runs it again`;
      return this.#owner.lost(entry, reason);
    }
    entry.pause = busy
      ? "another supervisor still runs it"
      : `its supervisor died (${how}) and is started again`;
    const pause = (busy ? undefined : PAUSES_MS[entry.deaths - 1]) ?? BUSY_PAUSE_MS;
    setTimeout(() => {
      entry.pause = null;
      if (this.#owner.has(entry) && !entry.supervisor) this.#owner.recovered(entry);
    }, pause);
    line.lookSoon();
  }
}

/** Counts anew where the supervisor has brought the job on before it died. */
function countDeath(entry: Entry): void {
  const finals = finalsOf(entry.request.dir);
  entry.deaths = finals > entry.finals ? 1 : entry.deaths + 1;
  entry.finals = finals;
}

/** How many tasks of the job have a final record; none where that cannot be read. */
function finalsOf(dir: string): number {
  try {
    const reader = Reader.open(dir);
    reader?.refresh();
    return reader?.finals ?? 0;
  } catch {
    return 0;
  }
}

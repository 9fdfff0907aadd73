import type { EnqueueRequest, Slot, WorkerOrder } from "./protocol.ts";
import type { Supervisor } from "./supervisor.ts";

/** A supervisor's connection, as the queue uses it. */
export type Link = { order(order: WorkerOrder): void; most(slots: number): void; goodbye(): void };

/** One job in the queue. */
export type Entry = {
  readonly request: EnqueueRequest;
  /** Its place in the line. */
  readonly order: number;
  /** Held as a whole by the user. */
  held: boolean;
  /** Why it may not start yet: a job that it waits for. */
  waitsFor: string | null;
  /** Tasks whose counterpart in another job has not ended; null without `--after …:each`. */
  waiting: Set<number> | null;
  /** Tasks whose counterpart did not succeed, with the sentence that says so. */
  broken: Map<number, string>;
  supervisor: Supervisor | null;
  link: Link | null;
  /** Granted before the supervisor was there to hear of it. */
  undelivered: Slot[];
  /** Orders given before the supervisor was there to hear of them. */
  pending: WorkerOrder[];
  /** Deaths of its supervisor since the last new final record. */
  deaths: number;
  /** Final records at the last death. */
  finals: number;
  /** Why it is not in the line just now though nothing holds it: its supervisor died a moment ago. */
  pause: string | null;
};

export function newEntry(request: EnqueueRequest, order: number): Entry {
  const each = request.after.some((dependency) => dependency.kind === "each");
  return {
    request,
    order,
    held: false,
    waitsFor: null,
    waiting: each ? new Set(Array.from({ length: request.tasks }, (_, index) => index)) : null,
    broken: new Map(),
    supervisor: null,
    link: null,
    undelivered: [],
    pending: [],
    deaths: 0,
    finals: 0,
    pause: null,
  };
}

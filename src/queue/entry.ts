import { placeOf } from "../store/files.ts";
import { Interner } from "./interner.ts";
import type { EnqueueRequest, Slot, WorkerOrder } from "./protocol.ts";
import type { Supervisor } from "./supervisor.ts";

/** A supervisor's connection, as the queue uses it. */
export type Link = { order(order: WorkerOrder): void; most(slots: number): void; goodbye(): void };

/** One job in the queue. */
export type Entry = {
  readonly request: EnqueueRequest;
  /** Its folder by what all spellings of that share: whoever asks may have come by a symbolic link. */
  readonly place: string;
  /** Its place in the line. */
  readonly order: number;
  /** Held as a whole by the user. */
  held: boolean;
  /** Why it may not start yet: a job that it waits for. */
  waitsFor: string | null;
  /** Tasks whose counterpart in another job has not ended; null without `--after …:each`. */
  waiting: Set<number> | null;
  /** Tasks whose counterpart did not succeed, with the sentence that says so; null for none. */
  broken: Map<number, string> | null;
  supervisor: Supervisor | null;
  link: Link | null;
  /** Granted before the supervisor was there to hear of it. */
  undelivered: readonly Slot[];
  /** Orders given before the supervisor was there to hear of them. */
  pending: readonly WorkerOrder[];
  /** Deaths of its supervisor since the last new final record. */
  deaths: number;
  /** Final records at the last death. */
  finals: number;
  /** Why it is not in the line just now though nothing holds it: its supervisor died a moment ago. */
  pause: string | null;
};

/** Never written to: entries get arrays of their own when there is something to put into them. */
const NOTHING: never[] = [];

const words = new Interner<string>();
const shapes = new Interner<EnqueueRequest["shape"]>();
const limits = new Interner<EnqueueRequest["limits"]>();
const dependencies = new Interner<EnqueueRequest["after"]>();

export function newEntry(given: EnqueueRequest, order: number): Entry {
  const request = slim(given);
  const place = placeOf(request.dir);
  const each = request.after.some((dependency) => dependency.kind === "each");
  return {
    request,
    // Not a second copy of the text where it is the same.
    place: place === request.dir ? request.dir : place,
    order,
    held: false,
    waitsFor: null,
    waiting: each ? new Set(Array.from({ length: request.tasks }, (_, index) => index)) : null,
    broken: null,
    supervisor: null,
    link: null,
    undelivered: NOTHING,
    pending: NOTHING,
    deaths: 0,
    finals: 0,
    pause: null,
  };
}

function slim(request: EnqueueRequest): EnqueueRequest {
  return {
    ...request,
    name: words.share(request.name),
    worker: request.worker.map((word) => (word === request.dir ? request.dir : words.share(word))),
    shape: shapes.share(request.shape),
    after: dependencies.share(request.after),
    limits: limits.share(request.limits),
  };
}

/**
 * What is said over the queue's socket: framed msgpack (`store/frames.ts`), both ways. Two kinds of
 * peers connect: jobx commands (`client`), and the supervisors of running jobs (`worker`).
 */
export const QUEUE_PROTOCOL = 1;

/** A queue without a job and a connection ends after this (unless JOBX_QUEUE_IDLE_MS says otherwise). */
export const QUEUE_IDLE_SECONDS = 30;

/** What one task of a job occupies. `gpus` is a count; `memBytes` is 0 where none was asked for. */
export type SlotShape = { cpus: number; memBytes: number; gpus: number };

/** A grant to run one task at a time, used again for the job's next task until the queue asks for it back. */
export type Slot = {
  id: number;
  /** Entries of CUDA_VISIBLE_DEVICES that this slot owns. */
  gpus: string[];
};

/** Tasks of a job; null means all. */
export type Tasks = number[] | null;

/** A job that another one waits for. */
export type QueuedDependency = {
  dir: string;
  job: number;
  tasks: number[] | null;
  kind: "ok" | "any" | "fail" | "each";
};

/** A job as the queue is given it; the same one given twice (by its directory) counts once. */
export type EnqueueRequest = {
  dir: string;
  job: number;
  name: string;
  /** Unique to the submission. */
  token: string;
  /** Argv that starts the job's supervisor. */
  worker: string[];
  shape: SlotShape;
  tasks: number;
  /** At most this many slots at once. */
  parallel: number | null;
  after: QueuedDependency[];
  /** What the user allowed, from `[local]`; null where the queue decides. The latest submission counts. */
  limits: QueueLimits;
};

/** `gpus` counts the first so many of those there are. */
export type QueueLimits = {
  cpus: number | null;
  memBytes: number | null;
  gpus: number | null;
  nice: number | null;
};

/** Every message is answered by one reply with the same `seq`. */
export type ClientMessage =
  | { type: "client"; seq: number; protocol: number }
  | { type: "enqueue"; seq: number; request: EnqueueRequest }
  | { type: "status"; seq: number; dirs: string[] }
  | { type: "cancel"; seq: number; dir: string; tasks: Tasks }
  | { type: "hold" | "release"; seq: number; dir: string; tasks: Tasks }
  | { type: "interrupt"; seq: number; dir: string; tasks: Tasks; kind: "preempted" | "timeout" }
  | { type: "info"; seq: number };

/** What the queue knows of one job. */
export type QueuedJob = {
  dir: string;
  /** `ended`: it was here and is over, records and verdicts tell how; `unknown`: never heard of it. */
  state: "queued" | "running" | "ended" | "unknown";
  /** Why it waits: "waits for 4 CPUs: 2 of 2 are used by job 11". */
  reason: string | null;
  supervisor: number | null;
  slots: number;
};

/** What the queue hands out. */
export type Capacity = {
  cpus: number;
  memBytes: number;
  /** Entries of CUDA_VISIBLE_DEVICES. */
  gpus: string[];
  nice: number;
  /** Where the figures come from, for people. */
  why: string;
};

/** The capacity of the host as the queue counts it, and what is in use. */
export type QueueInfo = {
  pid: number;
  host: string;
  protocol: number;
  capacity: Capacity;
  used: { cpus: number; memBytes: number; gpus: number };
  jobs: { dir: string; job: number; token: string; state: "queued" | "running"; slots: number }[];
};

export type ClientReply =
  | { type: "ok"; seq: number }
  | { type: "status"; seq: number; jobs: QueuedJob[] }
  | { type: "info"; seq: number; info: QueueInfo }
  | { type: "error"; seq: number; message: string; hint: string | null };

/** From a supervisor to the queue. */
export type WorkerMessage =
  | {
      type: "hello";
      protocol: number;
      dir: string;
      pid: number;
      /** Slots held before a reconnection. */
      slots: Slot[];
      /** What it wants by now; null before its first word. */
      want: number | null;
    }
  /** How many slots it could use right now, those it holds included. */
  | { type: "want"; slots: number }
  /** A slot that the supervisor no longer needs, or that was asked back. */
  | { type: "release"; slot: number }
  /** Every task has its record; the supervisor exits next. */
  | { type: "done" };

/** From the queue to a supervisor. */
export type WorkerOrder =
  | { type: "grant"; slots: Slot[] }
  /** Give this many slots back as their tasks end: an earlier job waits for them. */
  | { type: "reclaim"; count: number }
  /** `reason` is for the records of tasks that never start; null for a cancellation by the user. */
  | { type: "cancel"; tasks: Tasks; reason: string | null }
  | { type: "hold" | "release"; tasks: Tasks }
  /** Tasks that wait for a task of another job (`--after …:each`), and that no longer do; apart from what the user holds. */
  | { type: "block" | "unblock"; tasks: number[] }
  | { type: "interrupt"; tasks: Tasks; kind: "preempted" | "timeout" };

/** What the link itself is told: the most slots that are of use, and that `done` was heard. */
export type LinkOrder = { type: "most"; slots: number } | { type: "goodbye" };

/**
 * Where a supervisor's slots come from: the host's queue, or a fixed number inside a scheduler's
 * allocation. Orders arrive through the handler that the source was made with.
 */
export type SlotSource = {
  /** Says how many slots could be used right now, those held included; grants follow. */
  want(slots: number): void;
  /** Gives a slot back. */
  release(slot: Slot): void;
  /** Announces that every task has its record, and closes. */
  done(): Promise<void>;
};

export type OrderHandler = (order: WorkerOrder) => void;

/**
 * What is said over the queue's socket: framed msgpack (`store/frames.ts`), both ways. Two kinds of
 * peers connect: jobx commands (`client`), and the supervisors of running jobs (`worker`).
 */
export const QUEUE_PROTOCOL = 1;

/** What one task of a job occupies. `gpus` is a count. */
export type SlotShape = { cpus: number; memBytes: number; gpus: number };

/** A grant to run one task at a time, used again for the job's next task until the queue asks for it back. */
export type Slot = {
  id: number;
  /** Entries of CUDA_VISIBLE_DEVICES that this slot owns. */
  gpus: string[];
};

/** Tasks of a job; null means all. */
export type Tasks = number[] | null;

export type ClientMessage =
  | {
      type: "enqueue";
      /** Answers carry it. */
      seq: number;
      dir: string;
      job: number;
      name: string;
      /** Argv that starts the job's supervisor. */
      worker: string[];
      cwd: string;
      shape: SlotShape;
      tasks: number;
      /** At most this many slots at once. */
      parallel: number | null;
      /** Directories of the jobs it waits for, with the kind of dependency. */
      after: { dir: string; job: number; tasks: number[] | null; kind: "ok" | "any" | "fail" | "each" }[];
      /** CPUs and so on that the user allowed, from `[local]`; null where the queue decides. */
      limits: { cpus: number | null; memBytes: number | null; gpus: number | null; nice: number | null };
    }
  | { type: "status"; seq: number; dirs: string[] }
  | { type: "cancel"; seq: number; dir: string; tasks: Tasks }
  | { type: "hold" | "release"; seq: number; dir: string; tasks: Tasks }
  | { type: "interrupt"; seq: number; dir: string; tasks: Tasks; kind: "preempted" | "timeout" }
  | { type: "info"; seq: number };

/** What the queue knows of one job. */
export type QueuedJob = {
  dir: string;
  state: "queued" | "running" | "ended" | "unknown";
  /** Why it waits: "waits for 4 CPUs: 2 of 2 are used by job 11". */
  reason: string | null;
  supervisor: number | null;
  slots: number;
};

/** The capacity of the host as the queue counts it, and what is in use. */
export type QueueInfo = {
  pid: number;
  host: string;
  version: string;
  capacity: { cpus: number; memBytes: number; gpus: string[]; nice: number; why: string };
  used: { cpus: number; memBytes: number; gpus: number };
  jobs: { dir: string; job: number; state: "queued" | "running"; slots: number }[];
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
      /** Slots held before a reconnection. */ slots: Slot[];
    }
  /** How many tasks could start at once if there were slots for them. */
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
  | { type: "cancel"; tasks: Tasks }
  | { type: "hold" | "release"; tasks: Tasks }
  | { type: "interrupt"; tasks: Tasks; kind: "preempted" | "timeout" };

/**
 * Where a supervisor's slots come from: the host's queue, or a fixed number inside a scheduler's
 * allocation. Orders arrive through the handler that the source was made with.
 */
export type SlotSource = {
  /** Says how many tasks could start at once; grants follow. */
  want(slots: number): void;
  /** Gives a slot back. */
  release(slot: Slot): void;
  /** Announces that every task has its record, and closes. */
  done(): Promise<void>;
};

export type OrderHandler = (order: WorkerOrder) => void;

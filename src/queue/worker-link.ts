import { connect, type Connection } from "./connection.ts";
import { type Launched, launchQueue } from "./launch.ts";
import { pathsOfSocket, preparePaths, type QueuePaths } from "./paths.ts";
import {
  type LinkOrder,
  type OrderHandler,
  QUEUE_PROTOCOL,
  type Slot,
  type SlotSource,
  type WorkerMessage,
  type WorkerOrder,
} from "./protocol.ts";

export type LinkOptions = {
  /** The queue's socket: JOBX_QUEUE_SOCKET. */
  socket: string;
  /** The job's directory. */
  dir: string;
  /** Words that start this jobx, for a queue that has to be started again. */
  runtime: string[];
  env: Record<string, string | undefined>;
  onOrder: OrderHandler;
};

/** Supervisors that lost the same queue start the next one at different moments. */
const FIRST_PAUSE_MS = 20;
const JITTER_MS = 200;
const LAST_PAUSE_MS = 2_000;
/** How long a last word is worth, which may take another queue: one that misses it sees the records instead. */
const GOODBYE_MS = 5_000;

/**
 * Connects a supervisor to its queue. When the queue dies, the supervisor keeps the slots it holds, starts
 * another queue and tells it of them; orders come through `onOrder` as before.
 */
export function connectQueue(options: LinkOptions): SlotSource {
  return new WorkerLink(options);
}

class WorkerLink implements SlotSource {
  readonly #options: LinkOptions;
  readonly #paths: QueuePaths;
  readonly #held = new Map<number, Slot>();
  readonly #gone = Promise.withResolvers<void>();
  #connection: Connection | null = null;
  #launched: Launched | null = null;
  #want: number | null = null;
  #told: number | null = null;
  /** More than this is of no use, so changes above it are not told. */
  #most = Infinity;
  #ending = false;
  #over = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#paths = pathsOfSocket(options.socket);
    void this.#connect(0);
  }

  want(slots: number): void {
    this.#want = slots;
    this.#tellWant();
  }

  release(slot: Slot): void {
    if (this.#held.delete(slot.id)) this.#send({ type: "release", slot: slot.id });
  }

  async done(): Promise<void> {
    this.#ending = true;
    this.#send({ type: "done" });
    const timer = setTimeout(() => this.#gone.resolve(), GOODBYE_MS);
    await this.#gone.promise;
    this.#over = true;
    clearTimeout(timer);
    this.#connection?.close();
  }

  async #connect(pause: number): Promise<void> {
    if (pause > 0) await Bun.sleep(pause + Math.random() * JITTER_MS);
    if (this.#over) return;
    const connection = await connect<WorkerOrder | LinkOrder>(this.#options.socket, {
      message: (order) => this.#receive(order),
      closed: () => this.#lose(),
    });
    if (connection) {
      this.#connection = connection;
      this.#greet();
      return;
    }
    if (pause > 0) this.#launch();
    await this.#connect(Math.min(LAST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pause * 2)));
  }

  #greet(): void {
    this.#told = this.#clampedWant();
    this.#send({
      type: "hello",
      protocol: QUEUE_PROTOCOL,
      dir: this.#options.dir,
      pid: process.pid,
      slots: [...this.#held.values()],
      want: this.#told,
    });
    if (this.#ending) this.#send({ type: "done" });
  }

  #receive(order: WorkerOrder | LinkOrder): void {
    if (order.type === "goodbye") return this.#gone.resolve();
    if (order.type === "most") {
      this.#most = order.slots;
      return this.#tellWant();
    }
    if (order.type === "grant") for (const slot of order.slots) this.#held.set(slot.id, slot);
    this.#options.onOrder(order);
  }

  #tellWant(): void {
    const want = this.#clampedWant();
    if (want === this.#told || want === null || !this.#connection) return;
    this.#told = want;
    this.#send({ type: "want", slots: want });
  }

  /** Room for one more than is of use, so that the queue can tell a job that could use more from one that could not. */
  #clampedWant(): number | null {
    return this.#want === null ? null : Math.min(this.#want, this.#most + 1);
  }

  #lose(): void {
    this.#connection = null;
    void this.#connect(FIRST_PAUSE_MS);
  }

  #launch(): void {
    if (this.#launched && !this.#launched.ended()) return;
    try {
      preparePaths(this.#paths);
      this.#launched = launchQueue(this.#paths, this.#options.runtime, this.#options.env);
    } catch {
      // The next round tries again: until then the slots that are held suffice to go on.
      this.#launched = null;
    }
  }

  #send(message: WorkerMessage): void {
    this.#connection?.send(message);
  }
}

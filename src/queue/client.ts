import { existsSync } from "node:fs";
import { join } from "node:path";

import { JobxError } from "../errors.ts";
import { connect, type Connection } from "./connection.ts";
import { type Launched, launchQueue } from "./launch.ts";
import { pathsOfSocket, preparePaths, type QueuePaths, queuePaths } from "./paths.ts";
import {
  type ClientMessage,
  type ClientReply,
  type EnqueueRequest,
  QUEUE_PROTOCOL,
  type QueuedJob,
  type QueueInfo,
  type Tasks,
} from "./protocol.ts";

export type QueueOptions = {
  /** Decides which queue is meant, and what it counts as its machine. */
  env: Record<string, string | undefined>;
  /** Words that start this jobx, for a queue that has to be started. */
  runtime: string[];
};

type Unnumbered<M> = M extends unknown ? Omit<M, "seq"> : never;
type Request = Unnumbered<ClientMessage>;

/** How long a queue may take to answer after it was started; a loaded machine is slow. */
const START_MS = 20_000;
/** A started queue is asked for at these intervals, which grow from the first to the last. */
const FIRST_PAUSE_MS = 2;
const LAST_PAUSE_MS = 50;
/** A queue that ends while it is asked is replaced this often. */
const TRIES = 4;

/** Opens the user's queue on this host; starts its process when there is none. Throws UNREACHABLE. */
export async function openQueue(options: QueueOptions): Promise<QueueClient> {
  const client = new QueueClient(queuePaths(options.env), options);
  await client.connect();
  return client;
}

/** Opens the user's queue on this host if one is running; null otherwise. */
export async function findQueue(options: QueueOptions): Promise<QueueClient | null> {
  const client = new QueueClient(queuePaths(options.env), options);
  return (await client.find()) ? client : null;
}

/**
 * Opens the user's queue in this folder, where another environment has started it; null when it is over. It is not
 * started from here: it would take this environment for its own. Throws UNREACHABLE.
 */
export async function openOtherQueue(folder: string): Promise<QueueClient | null> {
  if (!existsSync(folder)) return null;
  const paths = pathsOfSocket(join(folder, "socket"));
  const client = new QueueClient(paths, null);
  if (await client.find()) return client;
  const { isLocked } = await import("./lock.ts");
  if (isLocked(paths.lock)) throw unreachableQueue(paths, "it runs and does not answer");
  return null;
}

/**
 * A connection to the queue. Every verb is one question and one answer. A queue that dies in between is
 * started again and asked again: giving it a job twice, or cancelling twice, does no harm.
 */
export class QueueClient {
  readonly #paths: QueuePaths;
  /** How to start it; null for one that is not to be started from here. */
  readonly #options: QueueOptions | null;
  readonly #waiting = new Map<number, (reply: ClientReply | null) => void>();
  #connection: Connection | null = null;
  #seq = 0;

  constructor(paths: QueuePaths, options: QueueOptions | null) {
    this.#paths = paths;
    this.#options = options;
  }

  /** Gives the queue a job; resolves when it has noted it down. */
  async enqueue(request: EnqueueRequest): Promise<void> {
    await this.#ask({ type: "enqueue", request });
  }

  /** One answer per directory, in order. */
  async status(dirs: string[]): Promise<QueuedJob[]> {
    const reply = await this.#ask({ type: "status", dirs });
    return reply.type === "status" ? reply.jobs : [];
  }

  /** Call after `cancelled.msgpack` was written: a job that has not started is judged by it. */
  async cancel(dir: string, tasks: Tasks): Promise<void> {
    await this.#ask({ type: "cancel", dir, tasks });
  }

  async hold(dir: string, tasks: Tasks): Promise<void> {
    await this.#ask({ type: "hold", dir, tasks });
  }

  async release(dir: string, tasks: Tasks): Promise<void> {
    await this.#ask({ type: "release", dir, tasks });
  }

  /** Throws REFUSED when the job is not running. */
  async interrupt(dir: string, tasks: Tasks, kind: "preempted" | "timeout"): Promise<void> {
    await this.#ask({ type: "interrupt", dir, tasks, kind });
  }

  async info(): Promise<QueueInfo> {
    const reply = await this.#ask({ type: "info" });
    if (reply.type === "info") return reply.info;
    throw unreachableQueue(this.#paths, "it gave another answer than was asked for");
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  /** Connects to a queue that is running; false when there is none. */
  async find(): Promise<boolean> {
    preparePaths(this.#paths);
    this.#connection = await connect<ClientReply>(this.#paths.socket, {
      message: (reply) => this.#settle(reply.seq, reply),
      closed: () => this.#lose(),
    });
    if (!this.#connection) return false;
    const reply = await this.#send({ type: "client", protocol: QUEUE_PROTOCOL });
    if (reply?.type === "error")
      throw new JobxError("REFUSED", reply.message, { hint: reply.hint ?? undefined });
    return reply !== null;
  }

  /** Connects, starting the queue's process as often as it takes. */
  async connect(): Promise<void> {
    const deadline = performance.now() + START_MS;
    let launched: Launched | null = null;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LAST_PAUSE_MS, pause * 1.5)) {
      if (await this.find()) return;
      if (!this.#options) throw unreachableQueue(this.#paths, "it has ended");
      if (performance.now() > deadline)
        throw unreachableQueue(this.#paths, "it was started and does not answer");
      // One that has ended lost the election against a queue that was about to end.
      if (!launched || launched.ended()) {
        launched = launchQueue(this.#paths, this.#options.runtime, this.#options.env);
      }
      await Bun.sleep(pause);
    }
  }

  async #ask(request: Request): Promise<ClientReply> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (!this.#connection) await this.connect();
      const reply = await this.#send(request);
      if (reply?.type === "error")
        throw new JobxError("REFUSED", reply.message, { hint: reply.hint ?? undefined });
      if (reply) return reply;
    }
    throw unreachableQueue(this.#paths, "it ends whenever it is asked");
  }

  /** The answer; null when the connection ended first. */
  #send(request: Request): Promise<ClientReply | null> {
    const connection = this.#connection;
    if (!connection) return Promise.resolve(null);
    const seq = ++this.#seq;
    return new Promise((resolve) => {
      this.#waiting.set(seq, resolve);
      connection.send({ ...request, seq });
    });
  }

  #settle(seq: number, reply: ClientReply | null): void {
    const resolve = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    resolve?.(reply);
  }

  #lose(): void {
    this.#connection = null;
    for (const seq of this.#waiting.keys()) this.#settle(seq, null);
  }
}

function unreachableQueue(paths: QueuePaths, why: string): JobxError {
  return new JobxError("UNREACHABLE", `The local queue cannot be reached: ${why}`, {
    hint: `Its log may say more: ${paths.log}`,
  });
}

import { existsSync, statSync, truncateSync, unlinkSync, writeSync } from "node:fs";
import { basename } from "node:path";

import type { Socket, UnixSocketListener } from "bun";

import { JobxError, messageOf } from "../errors.ts";
import { Conversation } from "./conversation.ts";
import { Heartbeat, HEARTBEAT_SECONDS } from "./heartbeat.ts";
import { type Lock, takeLock } from "./lock.ts";
import { pathsOfSocket, preparePaths, type QueuePaths } from "./paths.ts";
import { Peer } from "./peer.ts";
import { QUEUE_IDLE_SECONDS } from "./protocol.ts";
import { Queue } from "./queue.ts";

/** A connection; without data before it is open. */
type Connection = Socket<Conversation | undefined>;

const LOG_BYTES = 1024 * 1024;

/**
 * The queue's process: `jobx _queue FOLDER`. Ends at once when another one has the folder's lock, and by
 * itself when there has been neither a job nor a client for 30 s (JOBX_QUEUE_IDLE_MS). Returns the exit code.
 */
export async function runQueue(argv: string[]): Promise<number> {
  const folder = argv[0];
  if (!folder) throw new JobxError("USAGE", "_queue needs the folder of the queue");
  const paths = pathsOfSocket(`${folder}/socket`);
  preparePaths(paths);
  const lock = takeLock(paths.lock);
  if (!lock) return 0;
  // A closed terminal is no reason to end; a kill is, and the next queue goes on.
  process.on("SIGHUP", () => {});
  process.on("uncaughtException", (error) => log(`unexpected: ${error.stack ?? messageOf(error)}`));
  process.on("unhandledRejection", (error) => log(`unexpected: ${messageOf(error)}`));
  process.title = `jobx queue (${basename(paths.dir)})`;
  shorten(paths.log);
  await new Server(paths, lock).ended;
  return 0;
}

/** Listens on the queue's socket, keeps its heart beating, and ends it when it is idle. */
class Server {
  readonly ended: Promise<void>;
  readonly #end: () => void;
  readonly #paths: QueuePaths;
  readonly #lock: Lock;
  readonly #queue: Queue;
  readonly #conversations = new Set<Conversation>();
  readonly #idleMs = Number(process.env["JOBX_QUEUE_IDLE_MS"] ?? QUEUE_IDLE_SECONDS * 1000);
  readonly #heartbeat: Heartbeat;
  readonly #pulse: ReturnType<typeof setInterval>;
  #listener: UnixSocketListener<Conversation | undefined>;
  #idle: ReturnType<typeof setTimeout> | null = null;

  constructor(paths: QueuePaths, lock: Lock) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#paths = paths;
    this.#lock = lock;
    this.#heartbeat = new Heartbeat(paths);
    this.#queue = new Queue({
      paths,
      env: process.env,
      log,
      entered: (dir) => this.#heartbeat.welcome(dir),
      ended: () => this.#settle(),
    });
    this.#queue.recover();
    removeSocket(paths.socket);
    this.#listener = this.#listen();
    const beatMs = Number(process.env["JOBX_QUEUE_BEAT_MS"] ?? HEARTBEAT_SECONDS * 1000);
    this.#pulse = setInterval(() => this.#beat(), beatMs);
    this.#beat();
    this.#settle();
    log(`started, pid ${process.pid}`);
  }

  #listen(): UnixSocketListener<Conversation | undefined> {
    return Bun.listen<Conversation | undefined>({
      unix: this.#paths.socket,
      socket: {
        open: (socket) => this.#open(socket),
        data: (socket, chunk) => this.#receive(socket, chunk),
        drain: (socket) => socket.data?.drain(),
        close: (socket) => this.#close(socket),
        error: (socket) => this.#close(socket),
      },
    });
  }

  #open(socket: Connection): void {
    socket.data = new Conversation(this.#queue, new Peer(socket));
    this.#conversations.add(socket.data);
    this.#settle();
  }

  #close(socket: Connection): void {
    const conversation = socket.data;
    if (!conversation || !this.#conversations.delete(conversation)) return;
    conversation.ended();
    this.#settle();
  }

  #receive(socket: Connection, chunk: Uint8Array): void {
    try {
      socket.data?.receive(chunk);
    } catch (error) {
      log(`a connection sent what cannot be read: ${messageOf(error)}`);
      socket.data?.close();
    }
    this.#settle();
  }

  #beat(): void {
    this.#queue.forgetRemoved();
    if (!existsSync(this.#paths.socket) && this.#lock.holds()) {
      log("its socket was removed: listens again");
      this.#listener.stop();
      this.#listener = this.#listen();
    }
    this.#heartbeat.beat(this.#queue.dirs);
  }

  /** Starts or stops the clock that ends an idle queue. */
  #settle(): void {
    const idle = this.#queue.size === 0 && this.#conversations.size === 0;
    if (idle === (this.#idle !== null)) return;
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = idle ? setTimeout(() => this.#stop(), this.#idleMs) : null;
  }

  /**
   * Takes the socket away first: whoever comes now starts another queue, which gets the lock once this one is gone. Where
   * the lock was removed with the folder, the socket there is another queue's, which `stop` would remove.
   */
  #stop(): void {
    if (this.#lock.holds()) {
      removeSocket(this.#paths.socket);
      this.#listener.stop(true);
    }
    clearInterval(this.#pulse);
    log("idle: ends");
    this.#end();
  }
}

function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // There was none.
  }
}

function shorten(path: string): void {
  try {
    if (statSync(path).size > LOG_BYTES) truncateSync(path);
  } catch {
    // There is none.
  }
}

function log(line: string): void {
  try {
    writeSync(2, `${new Date().toISOString()} ${line}\n`);
  } catch {
    // A full disk: `process.stderr` would make an error of it that is logged, and so on.
  }
}

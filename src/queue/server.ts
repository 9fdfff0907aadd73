import { statSync, truncateSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";

import type { Socket, UnixSocketListener } from "bun";

import { JobxError, messageOf } from "../errors.ts";
import type { Link } from "./entry.ts";
import { beat, HEARTBEAT_SECONDS } from "./heartbeat.ts";
import { takeLock } from "./lock.ts";
import { pathsOfSocket, preparePaths, type QueuePaths } from "./paths.ts";
import { isMessage, Peer } from "./peer.ts";
import {
  type ClientMessage,
  type ClientReply,
  type LinkOrder,
  QUEUE_PROTOCOL,
  type WorkerMessage,
  type WorkerOrder,
} from "./protocol.ts";
import { Queue } from "./queue.ts";

/** What a connection is known by: the job of a supervisor's, once it has said hello. */
type Connected = { peer: Peer; link: Link; dir: string | null };

const IDLE_MS = 30_000;
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
  if (!takeLock(paths.lock)) return 0;
  // A closed terminal is no reason to end; a kill is, and the next queue goes on.
  process.on("SIGHUP", () => {});
  process.on("uncaughtException", (error) => log(`unexpected: ${error.stack ?? messageOf(error)}`));
  process.on("unhandledRejection", (error) => log(`unexpected: ${messageOf(error)}`));
  process.title = `jobx queue (${basename(paths.dir)})`;
  shorten(paths.log);
  await new Server(paths).ended;
  return 0;
}

class Server {
  readonly ended: Promise<void>;
  readonly #end: () => void;
  readonly #paths: QueuePaths;
  readonly #queue: Queue;
  readonly #connections = new Set<Connected>();
  readonly #listener: UnixSocketListener<Connected | undefined>;
  readonly #idleMs = Number(process.env["JOBX_QUEUE_IDLE_MS"] ?? IDLE_MS);
  readonly #heartbeat: ReturnType<typeof setInterval>;
  readonly #homes = new Set<string>();
  #idle: ReturnType<typeof setTimeout> | null = null;

  constructor(paths: QueuePaths) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#paths = paths;
    this.#queue = new Queue({ paths, env: process.env, log, ended: () => this.#settle() });
    this.#queue.recover();
    removeSocket(paths.socket);
    this.#listener = Bun.listen<Connected | undefined>({
      unix: paths.socket,
      socket: {
        open: (socket) => this.#open(socket),
        data: (socket, chunk) => this.#receive(socket, chunk),
        drain: (socket) => socket.data?.peer.drain(),
        close: (socket) => this.#close(socket),
        error: (socket) => this.#close(socket),
      },
    });
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_SECONDS * 1000);
    this.#beat();
    this.#settle();
    log(`started, pid ${process.pid}`);
  }

  #open(socket: Socket<Connected | undefined>): void {
    const peer = new Peer(socket);
    const order = (message: WorkerOrder | LinkOrder) => peer.send(message);
    const link: Link = {
      order,
      most: (slots) => order({ type: "most", slots }),
      goodbye: () => order({ type: "goodbye" }),
    };
    socket.data = { peer, link, dir: null };
    this.#connections.add(socket.data);
    this.#settle();
  }

  #close(socket: Socket<Connected | undefined>): void {
    const connected = socket.data;
    if (!connected || !this.#connections.delete(connected)) return;
    if (connected.dir !== null) this.#queue.unlinked(connected.dir, connected.link);
    this.#settle();
  }

  #receive(socket: Socket<Connected | undefined>, chunk: Uint8Array): void {
    const connected = socket.data;
    if (!connected) return;
    try {
      for (const message of connected.peer.receive(chunk)) {
        if (!isMessage<ClientMessage | WorkerMessage>(message)) continue;
        if ("seq" in message) connected.peer.send(this.#reply(message));
        else this.#hear(connected, message);
      }
    } catch (error) {
      log(`a connection sent what cannot be read: ${messageOf(error)}`);
      connected.peer.close();
    }
    this.#settle();
  }

  #reply(message: ClientMessage): ClientReply {
    const { seq } = message;
    try {
      return this.#answer(message);
    } catch (error) {
      const hint = error instanceof JobxError ? (error.hint ?? null) : null;
      return { type: "error", seq, message: messageOf(error), hint };
    }
  }

  #answer(message: ClientMessage): ClientReply {
    const { seq } = message;
    switch (message.type) {
      case "client":
        checkProtocol(message.protocol);
        return { type: "ok", seq };
      case "enqueue":
        this.#queue.enqueue(message.request);
        this.#beatFor(message.request.dir);
        return { type: "ok", seq };
      case "status":
        return { type: "status", seq, jobs: message.dirs.map((dir) => this.#queue.status(dir)) };
      case "info":
        return { type: "info", seq, info: this.#queue.info() };
      case "cancel":
        this.#queue.cancel(message.dir, message.tasks);
        return { type: "ok", seq };
      case "hold":
        this.#queue.hold(message.dir, message.tasks);
        return { type: "ok", seq };
      case "release":
        this.#queue.release(message.dir, message.tasks);
        return { type: "ok", seq };
      case "interrupt":
        this.#queue.interrupt(message.dir, message.tasks, message.kind);
        return { type: "ok", seq };
    }
  }

  #hear(connected: Connected, message: WorkerMessage): void {
    if (message.type === "hello") {
      checkProtocol(message.protocol);
      connected.dir = message.dir;
      this.#queue.hello(connected.link, message.dir, message.pid, message.slots, message.want);
      return;
    }
    if (connected.dir === null) return;
    if (message.type === "want") this.#queue.want(connected.dir, message.slots);
    else if (message.type === "release") this.#queue.releaseSlot(connected.dir, message.slot);
    else this.#queue.done(connected.dir, connected.link);
  }

  /** Starts or stops the clock that ends an idle queue. */
  #settle(): void {
    const idle = this.#queue.size === 0 && this.#connections.size === 0;
    if (idle === (this.#idle !== null)) return;
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = idle ? setTimeout(() => this.#stop(), this.#idleMs) : null;
  }

  /** Takes the socket away first: whoever comes now starts another queue, which gets the lock once this one is gone. */
  #stop(): void {
    removeSocket(this.#paths.socket);
    this.#listener.stop(true);
    clearInterval(this.#heartbeat);
    log("idle: ends");
    this.#end();
  }

  #beat(): void {
    this.#queue.forgetRemoved();
    this.#homes.clear();
    beat(this.#queue.dirs, hostname(), this.#paths);
    for (const dir of this.#queue.dirs) this.#homes.add(dir.slice(0, dir.lastIndexOf("/")));
  }

  /** The first job of a home need not wait for the next beat. */
  #beatFor(dir: string): void {
    const jobs = dir.slice(0, dir.lastIndexOf("/"));
    if (this.#homes.has(jobs)) return;
    this.#homes.add(jobs);
    beat([dir], hostname(), this.#paths);
  }
}

function checkProtocol(protocol: number): void {
  if (protocol === QUEUE_PROTOCOL) return;
  throw new JobxError(
    "REFUSED",
    `Another version of jobx runs this user's queue on ${hostname()} (pid ${process.pid})`,
    {
      hint: `It ends by itself ${IDLE_MS / 1000} s after its last job; until then use that version`,
    },
  );
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
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

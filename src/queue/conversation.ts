import { hostname } from "node:os";

import { JobxError, messageOf, unreachable } from "../errors.ts";
import type { Link } from "./entry.ts";
import { isMessage, type Peer } from "./peer.ts";
import {
  type ClientMessage,
  type ClientReply,
  type LinkOrder,
  QUEUE_IDLE_SECONDS,
  QUEUE_PROTOCOL,
  type WorkerMessage,
  type WorkerOrder,
} from "./protocol.ts";
import type { Queue } from "./queue.ts";

/** What one connection says to the queue, and hears of it: a client's questions, or a supervisor's reports. */
export class Conversation {
  readonly #queue: Queue;
  readonly #peer: Peer;
  readonly #link: Link;
  /** The job of a supervisor's, once it has said hello. */
  #dir: string | null = null;

  constructor(queue: Queue, peer: Peer) {
    const order = (message: WorkerOrder | LinkOrder) => peer.send(message);
    this.#queue = queue;
    this.#peer = peer;
    this.#link = {
      order,
      most: (slots) => order({ type: "most", slots }),
      goodbye: () => order({ type: "goodbye" }),
    };
  }

  /** Throws on bytes that are no frames, and what the queue throws at a supervisor's word. */
  receive(chunk: Uint8Array): void {
    for (const message of this.#peer.receive(chunk)) {
      if (!isMessage<ClientMessage | WorkerMessage>(message)) continue;
      if ("seq" in message) this.#peer.send(this.#reply(message));
      else this.#hear(message);
    }
  }

  drain(): void {
    this.#peer.drain();
  }

  /** Hangs up. */
  close(): void {
    this.#peer.close();
  }

  /** The other side is gone. */
  ended(): void {
    if (this.#dir !== null) this.#queue.unlinked(this.#dir, this.#link);
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
    const queue = this.#queue;
    const { seq } = message;
    switch (message.type) {
      case "client":
        checkProtocol(message.protocol);
        break;
      case "enqueue":
        queue.enqueue(message.request);
        break;
      case "status":
        return { type: "status", seq, jobs: message.dirs.map((dir) => queue.status(dir)) };
      case "info":
        return { type: "info", seq, info: queue.info() };
      case "cancel":
        queue.cancel(message.dir, message.tasks);
        break;
      case "hold":
        queue.hold(message.dir, message.tasks);
        break;
      case "release":
        queue.release(message.dir, message.tasks);
        break;
      case "interrupt":
        queue.interrupt(message.dir, message.tasks, message.kind);
        break;
      default:
        unreachable(message);
    }
    return { type: "ok", seq };
  }

  #hear(message: WorkerMessage): void {
    const queue = this.#queue;
    if (message.type === "hello") {
      checkProtocol(message.protocol);
      this.#dir = message.dir;
      return queue.hello(this.#link, message.dir, message.pid, message.slots, message.want);
    }
    if (this.#dir === null) return;
    if (message.type === "want") queue.want(this.#dir, message.slots);
    else if (message.type === "release") queue.releaseSlot(this.#dir, message.slot);
    else queue.done(this.#dir, this.#link);
  }
}

function checkProtocol(protocol: number): void {
  if (protocol === QUEUE_PROTOCOL) return;
  throw new JobxError(
    "REFUSED",
    `Another version of jobx runs this user's queue on ${hostname()} (pid ${process.pid})`,
    {
      hint: `It ends by itself ${QUEUE_IDLE_SECONDS} s after its last job; until then use that version`,
    },
  );
}

import type { Socket } from "bun";

import { FrameReader, FrameSender } from "../store/frames.ts";

/** One end of a connection that carries framed messages. */
export class Peer {
  readonly #reader = new FrameReader();
  readonly #sender: FrameSender;
  readonly #socket: Pick<Socket<unknown>, "end" | "write">;

  constructor(socket: Pick<Socket<unknown>, "end" | "write">) {
    this.#socket = socket;
    this.#sender = new FrameSender(socket);
  }

  send(message: object): void {
    this.#sender.send(message);
  }

  /** The whole messages that this chunk completes. Throws on bytes that are no frames. */
  receive(chunk: Uint8Array): unknown[] {
    return this.#reader.push(chunk);
  }

  drain(): void {
    this.#sender.drain();
  }

  close(): void {
    this.#socket.end();
  }
}

/**
 * Whether a message has the shape that all messages share. Both ends are processes of the same user and
 * protocol version, on a socket that nobody else can open, so the rest of it is taken at its word.
 */
export function isMessage<M extends { type: string }>(value: unknown): value is M {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

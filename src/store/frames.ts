import { JobxError } from "../errors.ts";
import { decode, encode } from "./codec.ts";

/** Each message on a pipe or socket: its length, then msgpack. */
const LENGTH_BYTES = 4;

/** A message as it is sent: its length in 4 bytes, little endian, then msgpack. Throws PAYLOAD. */
export function encodeFrame(value: unknown): Uint8Array {
  const body = encode(value);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  if (body.length > 0xffffffff)
    throw new JobxError("PAYLOAD", `A message of ${body.length} bytes is too large to send`);
  frame.writeUInt32LE(body.length, 0);
  frame.set(body, LENGTH_BYTES);
  return frame;
}

/** Puts messages together again from whatever pieces they arrive in. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** How many bytes must be there before it is worth looking. */
  #needed = LENGTH_BYTES;

  /** The messages that this chunk completes, in order. The chunk may be used again by its owner afterwards. */
  push(chunk: Uint8Array): unknown[] {
    if (this.#bytes + chunk.length < this.#needed) {
      // Kept beyond this call, so copied: sockets use their buffers again.
      if (chunk.length > 0) this.#chunks.push(new Uint8Array(chunk));
      this.#bytes += chunk.length;
      return [];
    }
    const bytes = this.#chunks.length === 0 ? chunk : Buffer.concat([...this.#chunks, chunk]);
    const messages: unknown[] = [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    this.#needed = LENGTH_BYTES;
    while (bytes.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + view.getUint32(at, true);
      if (end > bytes.length) {
        this.#needed = end - at;
        break;
      }
      messages.push(decode(bytes.subarray(at + LENGTH_BYTES, end)));
      at = end;
    }
    this.#chunks = at < bytes.length ? [new Uint8Array(bytes.subarray(at))] : [];
    this.#bytes = bytes.length - at;
    return messages;
  }
}

/**
 * Sends messages to a socket whose `write` may take only a part: the rest waits for `drain`. `write` gives
 * the number of bytes taken, or less than 0 when the other side is gone, which drops what waits.
 */
export class FrameSender {
  readonly #socket: { write(bytes: Uint8Array): number };
  #waiting: Uint8Array[] = [];
  #idlers: (() => void)[] = [];

  constructor(socket: { write(bytes: Uint8Array): number }) {
    this.#socket = socket;
  }

  /** Sends, or keeps for `drain`. Throws PAYLOAD for a value that cannot be encoded. */
  send(value: unknown): void {
    this.#waiting.push(encodeFrame(value));
    if (this.#waiting.length === 1) this.drain();
  }

  /** Call when the socket can take more. */
  drain(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const taken = this.#socket.write(first);
      if (taken < 0) {
        this.#waiting = [];
      } else if (taken < first.length) {
        this.#waiting[0] = first.subarray(taken);
        return;
      } else {
        this.#waiting.shift();
      }
    }
    for (const resolve of this.#idlers.splice(0)) resolve();
  }

  /** Resolves when nothing waits, or when the other side is gone. */
  async idle(): Promise<void> {
    if (this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => this.#idlers.push(resolve));
  }
}

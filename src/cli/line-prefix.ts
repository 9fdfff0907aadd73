/**
 * Puts a prefix before every line of a log that arrives in pieces, so that the logs of several tasks can be
 * mixed line by line. All other bytes stay as they are, whatever their encoding.
 */
export class LinePrefix {
  readonly #prefix: Uint8Array;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(prefix: string) {
    this.#prefix = new TextEncoder().encode(prefix);
  }

  /** The lines that these bytes complete, with their prefixes; a line begun is held back until it ends. */
  push(bytes: Uint8Array): Uint8Array {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#hold(bytes);
      return this.#heldBytes > LONGEST_LINE ? this.end() : EMPTY;
    }
    const lines = Buffer.concat([...this.#take(), bytes.subarray(0, end)]);
    this.#hold(bytes.subarray(end));
    return this.#prefixed(lines);
  }

  /** What is held back, ended by a newline that the log does not have. */
  end(): Uint8Array {
    if (this.#heldBytes === 0) return EMPTY;
    return this.#prefixed(Buffer.concat([...this.#take(), LINE_END]));
  }

  #prefixed(lines: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let start = 0; start < lines.length;) {
      const end = lines.indexOf(NEWLINE, start) + 1;
      parts.push(this.#prefix, lines.subarray(start, end));
      start = end;
    }
    return Buffer.concat(parts);
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #take(): Uint8Array[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }
}

/** A longer line is broken, so that memory stays bounded. */
const LONGEST_LINE = 4 * 1024 * 1024;
const NEWLINE = 10;
const EMPTY = new Uint8Array(0);
const LINE_END = new Uint8Array([NEWLINE]);

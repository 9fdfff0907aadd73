import { formatTaskId } from "../model/selectors.ts";
import type { LogFile } from "../orchestrator/logs.ts";
import { LinePrefix } from "./line-prefix.ts";
import type { Output, Style } from "./output.ts";

/** Writes the bytes of logs to standard output; with `--json`, which wants that for itself, to standard error. */
export type LogWriter = {
  write(file: LogFile, bytes: Uint8Array): void;
  /** The log is over, or another one follows it. */
  end(file: LogFile): void;
};

/** Logs of one rank of one task: unchanged, byte for byte. Of several: each line after `12.3 | `. */
export function logWriter(
  output: Output,
  job: number,
  files: readonly LogFile[],
  options: { ranks: boolean },
): LogWriter {
  const [first] = files;
  const one = files.every((file) => file.task === first?.task && file.rank === first?.rank);
  const put: Put = (bytes) => (output.form === "json" ? output.writeError(bytes) : output.write(bytes));
  if (one || output.form === "quiet") return new PlainWriter(put);
  return new PrefixWriter(put, (file) => {
    const name = formatTaskId(job, file.task, options.ranks ? file.rank : null);
    return paint(file, output.style)(name);
  });
}

type Put = (bytes: string | Uint8Array) => void;

/** Only between two logs a newline is added, where the first one ends inside a line. */
class PlainWriter implements LogWriter {
  readonly #put: Put;
  #current: string | null = null;
  #insideLine = false;

  constructor(put: Put) {
    this.#put = put;
  }

  write(file: LogFile, bytes: Uint8Array): void {
    if (this.#current !== file.path && this.#insideLine) this.#put("\n");
    this.#current = file.path;
    this.#insideLine = bytes.at(-1) !== NEWLINE;
    this.#put(bytes);
  }

  end(): void {}
}

class PrefixWriter implements LogWriter {
  readonly #put: Put;
  /** `12.3`, coloured. */
  readonly #name: (file: LogFile) => string;
  readonly #lines = new Map<string, LinePrefix>();

  constructor(put: Put, name: (file: LogFile) => string) {
    this.#put = put;
    this.#name = name;
  }

  write(file: LogFile, bytes: Uint8Array): void {
    this.#put(this.#linesOf(file).push(bytes));
  }

  end(file: LogFile): void {
    const lines = this.#lines.get(file.path);
    if (lines) this.#put(lines.end());
    this.#lines.delete(file.path);
  }

  #linesOf(file: LogFile): LinePrefix {
    const known = this.#lines.get(file.path);
    if (known) return known;
    const made = new LinePrefix(`${this.#name(file)} | `);
    this.#lines.set(file.path, made);
    return made;
  }
}

const NEWLINE = 10;

/** Neighbouring tasks get different colours. */
function paint(file: LogFile, style: Style): (text: string) => string {
  const colors = [style.cyan, style.green, style.yellow, style.blue] as const;
  return colors[(file.task + file.rank) % colors.length] ?? style.cyan;
}

import { type Counts, finalOf, totalOf } from "../model/states.ts";
import type { Output } from "./output.ts";
import { progressLine, progressText, RateMeter } from "./progress-line.ts";

/** Shows how a wait goes on. `end` takes the bar away; nothing may be written in between. */
export type ProgressDisplay = {
  update(counts: Counts): void;
  /** Writes a line above the bar. */
  above(write: () => void): void;
  end(): void;
};

/**
 * A progress bar on a terminal, redrawn in place at most ten times a second; plain lines on change
 * elsewhere, at most one in five seconds; nothing with `--quiet`. All of it goes to standard error.
 */
export function showProgress(output: Output, label: string): ProgressDisplay {
  if (output.form === "quiet") return { update() {}, above: (write) => write(), end() {} };
  return output.terminal() ? new ProgressBar(output, label) : new ProgressLines(output, label);
}

const REDRAW_MS = 100;
/** Elapsed time and time left move on even if nothing ends. */
const TICK_MS = 1000;
const LINE_MS = 5000;
/** What ends sooner needs no line: how it ended is said anyway. */
const FIRST_LINE_MS = 1000;

class ProgressBar implements ProgressDisplay {
  readonly #output: Output;
  readonly #label: string;
  readonly #meter = new RateMeter();
  readonly #began = performance.now();
  readonly #timer: Timer;
  #counts: Counts | null = null;
  #drawnAt = -Infinity;
  #drawnWidth = 0;
  #pending: Timer | undefined;

  constructor(output: Output, label: string) {
    this.#output = output;
    this.#label = label;
    this.#timer = setInterval(() => this.#draw(), TICK_MS);
  }

  update(counts: Counts): void {
    this.#counts = counts;
    this.#meter.add(this.#seconds(), finalOf(counts));
    const wait = this.#drawnAt + REDRAW_MS - performance.now();
    if (wait <= 0) this.#draw();
    else this.#pending ??= setTimeout(() => this.#draw(), wait);
  }

  above(write: () => void): void {
    this.#clear();
    write();
    this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#pending);
    this.#clear();
  }

  #draw(): void {
    clearTimeout(this.#pending);
    this.#pending = undefined;
    this.#drawnAt = performance.now();
    const columns = this.#output.terminal()?.columns;
    if (!this.#counts || columns === undefined) return;
    const at = this.#seconds();
    // The last column stays empty: some terminals move to the next line when it is written.
    const line = progressLine(
      { label: this.#label, counts: this.#counts, rate: this.#meter.perSecond(at), elapsed: at },
      columns - 1,
      this.#output.errStyle,
    );
    this.#output.writeError(this.#erasure(columns) + line);
    this.#drawnWidth = Bun.stringWidth(line);
  }

  #clear(): void {
    const columns = this.#output.terminal()?.columns;
    if (columns !== undefined && this.#drawnWidth > 0) this.#output.writeError(this.#erasure(columns));
    this.#drawnWidth = 0;
  }

  /** Goes back to where the last drawing began, which a narrower terminal has wrapped onto more lines. */
  #erasure(columns: number): string {
    const linesUp = Math.ceil(this.#drawnWidth / columns) - 1;
    return `${linesUp > 0 ? `\u001b[${linesUp}A` : ""}\r\u001b[J`;
  }

  #seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }
}

class ProgressLines implements ProgressDisplay {
  readonly #output: Output;
  readonly #label: string;
  #last = "";
  #writtenAt = performance.now() + FIRST_LINE_MS - LINE_MS;
  #pending: Timer | undefined;

  constructor(output: Output, label: string) {
    this.#output = output;
    this.#label = label;
  }

  update(counts: Counts): void {
    const text = progressText({ label: this.#label, counts });
    clearTimeout(this.#pending);
    this.#pending = undefined;
    // How it ended is for whoever waited to say.
    if (text === this.#last || finalOf(counts) === totalOf(counts)) return;
    const wait = this.#writtenAt + LINE_MS - performance.now();
    // The newest state is told even if nothing changes after it.
    if (wait > 0) this.#pending = setTimeout(() => this.#write(text), wait);
    else this.#write(text);
  }

  above(write: () => void): void {
    write();
  }

  end(): void {
    clearTimeout(this.#pending);
  }

  #write(text: string): void {
    this.#last = text;
    this.#writtenAt = performance.now();
    this.#output.note(text);
  }
}

import { formatDuration } from "../model/durations.ts";
import { type Counts, finalOf, totalOf } from "../model/states.ts";
import { progressText } from "../orchestrator/progress-text.ts";
import { checkKeys, WAIT_KEYS } from "./check-keys.ts";
import { classed, named } from "./errors.ts";
import { type Handle, scopeOf } from "./handle.ts";
import { handlesIn } from "./handles.ts";
import { countsOf, secondsOf, type WaitOptions, watchedOf, whyNotEnded } from "./outcome.ts";
import type { Scope } from "./scope.ts";
import { watch } from "./watch.ts";

/** Where progress is shown: `process.stderr` and its like. */
export type MonitorStream = {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string): unknown;
};

export type MonitorOptions = WaitOptions & {
  /** Standard error by default. A terminal gets a live table, anything else lines. */
  stream?: MonitorStream;
};

/** Times go on in the table even if nothing else does. */
const TICK_MS = 1000;
/** Lines of a log come at most this often. */
const LINE_MS = 5000;

/**
 * Shows how jobs go on until all have ended, whatever the end: a live table on a terminal, lines in a log. Throws
 * WaitTimeoutError or the signal's reason; the jobs go on.
 */
export async function monitor(
  handles: Handle | Iterable<Handle>,
  options: MonitorOptions = {},
): Promise<void> {
  const { stream = process.stderr, signal, timeout } = options;
  await named(async () => {
    checkKeys("monitor()", options, [...WAIT_KEYS, "stream"]);
    const scopes = await Promise.all(handlesIn(handles, "monitor").map(scopeOf));
    const display = stream.isTTY ? new LiveTable(stream) : new Lines(stream);
    const began = performance.now();
    const show = () => display.show(scopes.map(rowOf), (performance.now() - began) / 1000);
    const outcome = await watch(scopes.map(watchedOf), {
      timeoutSeconds: secondsOf(timeout),
      signal,
      onNews: show,
      ...(stream.isTTY && { tickMs: TICK_MS }),
    });
    if (outcome !== "ended") throw classed(whyNotEnded(outcome, scopes, options));
  });
}

/** One line of the table. */
export type MonitorRow = { id: string; name: string; executor: string; counts: Counts };

/** The table as lines of at most `width` columns; where there are too many, those that have not ended come first. */
export function tableOf(rows: readonly MonitorRow[], size: { width: number; height: number }): string[] {
  const most = Math.max(1, size.height);
  const open = rows.filter(({ counts }) => finalOf(counts) < totalOf(counts));
  const shown =
    rows.length <= most ? rows : [...open, ...rows.filter((row) => !open.includes(row))].slice(0, most);
  const cells = shown.map(({ id, name, executor, counts }) => [
    `job ${id}`,
    name,
    executor,
    progressText(counts),
  ]);
  const widths = [0, 1, 2].map((at) => Math.max(...cells.map((row) => Bun.stringWidth(row[at] ?? ""))));
  const lines = cells.map((row) =>
    row
      .map((cell, at) => pad(cell, widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  if (rows.length > shown.length) lines.push(`… and ${rows.length - shown.length} more`);
  return lines.map((line) => Bun.sliceAnsi(line, 0, size.width));
}

function rowOf(scope: Scope): MonitorRow {
  const { name, executor } = scope.reader.spec;
  return { id: scope.selector, name, executor, counts: countsOf(scope) };
}

/** Redrawn in place; the last drawing stays. */
class LiveTable {
  readonly #stream: MonitorStream;
  #drawn = 0;

  constructor(stream: MonitorStream) {
    this.#stream = stream;
  }

  show(rows: readonly MonitorRow[], seconds: number): void {
    // Some terminals say 0.
    const columns = this.#stream.columns || 80;
    const height = this.#stream.rows || 24;
    // The last column stays empty: some terminals move to the next line when it is written.
    const lines = tableOf(rows, { width: columns - 1, height: height - 3 });
    lines.push(formatDuration(seconds));
    const back = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r\u001b[J` : "";
    this.#stream.write(`${back}${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }
}

/** A line for each job that has changed. */
class Lines {
  readonly #stream: MonitorStream;
  readonly #last = new Map<string, string>();
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(stream: MonitorStream) {
    this.#stream = stream;
  }

  show(rows: readonly MonitorRow[]): void {
    const now = performance.now();
    const isOver = rows.every(({ counts }) => finalOf(counts) === totalOf(counts));
    if (!isOver && now - this.#writtenAt < LINE_MS) return;
    this.#writtenAt = now;
    for (const { id, name, counts } of rows) {
      const text = progressText(counts);
      if (this.#last.get(id) === text) continue;
      this.#last.set(id, text);
      this.#stream.write(`job ${id} (${name}): ${text}\n`);
    }
  }
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - Bun.stringWidth(text)));
}

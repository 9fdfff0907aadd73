/** A column of a table. `shrink` marks the one that gives way where the terminal is too narrow: down to this width. */
export type Column = { title: string; align?: "left" | "right"; shrink?: number };

/**
 * Lays out rows in columns two blanks apart, by what the characters occupy on a terminal, colours not
 * counted. `width` is the terminal's, null where there is none and nothing is cut.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { width: number | null; title?: (text: string) => string },
): string {
  const widths = columns.map((column, at) => Math.max(Bun.stringWidth(column.title), ...widthsOf(rows, at)));
  shrink(columns, widths, options.width);
  const title = options.title ?? ((text: string) => text);
  const head = line(
    columns,
    widths,
    columns.map((column) => column.title),
  );
  return [title(head), ...rows.map((row) => line(columns, widths, row))].join("\n");
}

/** Pads to `width` columns of a terminal, or cuts with an ellipsis. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const actual = Bun.stringWidth(text);
  if (actual > width) return Bun.sliceAnsi(text, 0, width, "…");
  const blanks = " ".repeat(width - actual);
  return align === "left" ? text + blanks : blanks + text;
}

/** The width of standard output; null where it is no terminal. */
export function outputWidth(): number | null {
  return process.stdout.isTTY ? process.stdout.columns || 80 : null;
}

const GAP = "  ";

/** One pass instead of a spread over all rows: a table may have 100,000. */
function* widthsOf(rows: readonly (readonly string[])[], at: number): Generator<number> {
  let widest = 0;
  for (const row of rows) widest = Math.max(widest, Bun.stringWidth(row[at] ?? ""));
  yield widest;
}

function shrink(columns: readonly Column[], widths: number[], width: number | null): void {
  const at = columns.findIndex((column) => column.shrink !== undefined);
  const [own, least] = [widths[at], columns[at]?.shrink];
  if (width === null || own === undefined || least === undefined) return;
  const total = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  if (total > width) widths[at] = Math.min(own, Math.max(least, own - (total - width)));
}

function line(columns: readonly Column[], widths: readonly number[], cells: readonly string[]): string {
  const fitted = columns.map((column, at) => fit(cells[at] ?? "", widths[at] ?? 0, column.align));
  return fitted.join(GAP).trimEnd();
}

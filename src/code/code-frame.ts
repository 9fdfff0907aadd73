import { readFileSync } from "node:fs";

/** A place in a source file; line and column count from 1. */
export type SourcePlace = { file: string; line: number; column: number };

/**
 * The lines around a place, with a marker under its column:
 *
 *       3 | const rate = args.lr;
 *     > 4 | throw new RangeError("too large");
 *         |       ^
 *
 * `around` lines are shown before and after (2 by default). Empty when the line does not exist.
 */
export function codeFrame(source: string, line: number, column: number, around = 2): string {
  const lines = source.split(/\r?\n/);
  if (line < 1 || line > lines.length) return "";
  const first = Math.max(1, line - around);
  const last = Math.min(lines.length, line + around);
  const width = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1] ?? "";
    if (number > line && number === lines.length && text === "") break;
    shown.push(`${number === line ? ">" : " "} ${String(number).padStart(width)} | ${text}`.trimEnd());
    if (number === line) shown.push(`  ${" ".repeat(width)} | ${indentTo(text, column)}^`);
  }
  return shown.join("\n");
}

/** The code frame of a place, read from its file; empty when the file cannot be read. */
export function codeFrameAt(place: SourcePlace, around = 2): string {
  try {
    return codeFrame(readFileSync(place.file, "utf8"), place.line, place.column, around);
  } catch {
    return "";
  }
}

/** The first place in a stack that lies in a file on disk; null where none does. */
export function placeOf(stack: string): SourcePlace | null {
  for (const line of stack.split("\n")) {
    const match = /^\s+at (?:.*\()?(\/.+?):(\d+):(\d+)\)?$/.exec(line);
    if (!match?.[1] || match[1].startsWith("/$bunfs/")) continue;
    return { file: match[1], line: Number(match[2]), column: Number(match[3]) };
  }
  return null;
}

/** Blanks up to a column that line up under `text`, tabs kept. */
function indentTo(text: string, column: number): string {
  return text.slice(0, Math.max(0, column - 1)).replace(/[^\t]/g, " ");
}

import { usageError } from "../errors.ts";
import { MAX_TASKS } from "./index-list.ts";
import { expandRange } from "./sweep-range.ts";
import { linesOf, readValue, type ValueMode } from "./values.ts";

/** One `--sweep`: a parameter and its values. */
export type Sweep = { key: string; values: unknown[] };

/** What a placeholder may be called. */
export const IDENTIFIER = "[\\p{L}_][\\p{L}\\p{N}_]*";

/**
 * Reads `KEY=V1,V2`, `KEY=1..10`, `KEY=0..1/0.25` (with a step) or `KEY=@file.txt` (a value a line, blank
 * lines left out). A value with a comma, or one that would be read as a range or a file, stands in double
 * quotes, with `""` for a quote; it is always text. `mode` says which values become numbers: `exact` for
 * commands (default), `typed` for functions. Throws USAGE, and what `readFile` throws.
 */
export function parseSweep(
  text: string,
  readFile: (path: string) => string,
  mode: ValueMode = "exact",
): Sweep {
  const equals = text.indexOf("=");
  const key = equals < 0 ? text : text.slice(0, equals);
  if (equals < 0) throw bad(text, "it has no =");
  if (!new RegExp(`^${IDENTIFIER}$`, "u").test(key) || key === "__proto__") {
    throw usageError(
      `Bad sweep "${text}": "${key}" cannot be the name of a parameter`,
      "Use letters, digits and _, with no digit first",
    );
  }
  return { key, values: readValues(text, text.slice(equals + 1), readFile, mode) };
}

function readValues(
  text: string,
  list: string,
  readFile: (path: string) => string,
  mode: ValueMode,
): unknown[] {
  if (list === "") throw bad(text, "it has no values", 'Write KEY=V1,V2, or KEY="" for the empty text');
  if (list.startsWith("@")) {
    const lines = linesOf(readFile(list.slice(1))).filter((line) => line !== "");
    if (lines.length === 0) throw bad(text, `${list.slice(1)} has no lines`);
    return lines.map((line) => readValue(line, mode));
  }
  const range = expandRange(list);
  if (typeof range === "string") throw bad(text, range);
  if (range) return range.map((value) => readValue(value, mode));
  const values = splitList(text, list);
  if (values.length > MAX_TASKS) throw bad(text, `it has more than ${MAX_TASKS} values`);
  return values.map((value) => (value.quoted ? value.text : readValue(value.text, mode)));
}

/** Splits at commas outside quotes; quotes count only where a value begins with one. */
function splitList(whole: string, list: string): { text: string; quoted: boolean }[] {
  const values: { text: string; quoted: boolean }[] = [];
  for (let at = 0; at <= list.length; at++) {
    if (list[at] !== '"') {
      const comma = list.indexOf(",", at);
      const end = comma < 0 ? list.length : comma;
      values.push({ text: list.slice(at, end), quoted: false });
      at = end;
      continue;
    }
    const match = /"((?:[^"]|"")*)"(?=,|$)/y;
    match.lastIndex = at;
    const found = match.exec(list);
    if (!found) throw bad(whole, `the quote at ${list.slice(at)} does not end before a comma`);
    values.push({ text: (found[1] ?? "").replaceAll('""', '"'), quoted: true });
    at = match.lastIndex;
  }
  return values;
}

function bad(
  text: string,
  why: string,
  hint = 'Write KEY=V1,V2, KEY=1..10, KEY=0..1/0.25 or KEY=@file.txt; a value with a comma goes in quotes: KEY="a,b",c',
) {
  return usageError(`Bad sweep "${text}": ${why}`, hint);
}

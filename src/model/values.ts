/**
 * How the text of a parameter becomes a value.
 *
 * `exact`: a number only where its text comes back unchanged (`3`, `0.5`), else the text itself, so that
 * `1e-3`, `007` and `1.0` reach a command as they were written. `typed`: every number of JSON's grammar
 * is one (`1e-3` is 0.001), for functions. `true`, `false` and `null` are themselves in both; integers
 * that a number cannot hold stay text.
 */
export type ValueMode = "exact" | "typed";

export function readValue(text: string, mode: ValueMode): unknown {
  if (text === "true") return true;
  if (text === "false") return false;
  if (text === "null") return null;
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text)) return text;
  const number = Number(text);
  if (String(number) === text) return number;
  if (mode === "exact" || !Number.isFinite(number)) return text;
  // -0 is no value that survives being stored.
  if (Object.is(number, -0)) return 0;
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number;
}

/** JSON.parse, but whole numbers that a JavaScript number cannot hold stay text instead of changing silently. Throws SyntaxError. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, exactNumber);
}

function exactNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
  return context?.source ?? value;
}

/** A value as commands and variables see it: texts as they are, numbers and booleans as text, the rest as JSON. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return String(value);
}

/** The lines of a text, without their ends; a byte order mark and the end of the last line are no part of them. */
export function linesOf(text: string): string[] {
  const lines = withoutMark(text).split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

export function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

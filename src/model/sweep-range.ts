import { MAX_TASKS } from "./index-list.ts";

const DECIMAL = String.raw`-?\d+(?:\.\d+)?`;
const RANGE = new RegExp(`^(${DECIMAL})\\.\\.(${DECIMAL})(?:/(${DECIMAL}))?$`);
const LIKE_A_RANGE = /^[-+]?[\d.][-+\deE.]*\.\.[-+\deE.]*\d(?:\/.*)?$/;

/**
 * The numbers of `1..10`, `10..1`, `0..1/0.25` or `001..100` as text, stepping exactly in decimals (0.3,
 * never 0.30000000000000004); leading zeros of an end set the width. null where the text is no range; a
 * text that says what is wrong with one.
 */
export function expandRange(text: string): string[] | string | null {
  const match = RANGE.exec(text);
  if (!match) return LIKE_A_RANGE.test(text) ? `"${text}" is no range` : null;
  const [, first = "", last = "", step = "1"] = match;
  const digits = Math.max(fraction(first), fraction(last), fraction(step));
  const [from, to, size] = [scaled(first, digits), scaled(last, digits), scaled(step, digits)];
  const width = padded(first) || padded(last) ? Math.max(whole(first), whole(last)) : 0;
  const by = size < 0n ? -size : size;
  if (by === 0n) return "its step is 0";
  if (size < 0n && to > from) return `a step of ${step} never leads from ${first} to ${last}`;
  const up = to >= from;
  const count = (up ? to - from : from - to) / by + 1n;
  if (count > BigInt(MAX_TASKS)) return `it has more than ${MAX_TASKS} values`;
  return Array.from({ length: Number(count) }, (_, i) =>
    decimal(up ? from + BigInt(i) * by : from - BigInt(i) * by, digits, width),
  );
}

function fraction(text: string): number {
  return (text.split(".")[1] ?? "").replace(/0+$/, "").length;
}

function whole(text: string): number {
  return (text.replace("-", "").split(".")[0] ?? "").length;
}

function padded(text: string): boolean {
  return /^-?0\d/.test(text);
}

/** The decimal times 10^digits, as a whole number. */
function scaled(text: string, digits: number): bigint {
  const [integer = "", rest = ""] = text.split(".");
  return (
    BigInt(integer.replace("-", "") + rest.slice(0, digits).padEnd(digits, "0")) *
    (text.startsWith("-") ? -1n : 1n)
  );
}

function decimal(value: bigint, digits: number, width: number): string {
  const text = String(value < 0n ? -value : value).padStart(digits + 1, "0");
  const integer = text.slice(0, text.length - digits).padStart(width, "0");
  const rest = text.slice(text.length - digits).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${integer}${rest === "" ? "" : `.${rest}`}`;
}

import { inspect } from "node:util";

import { isPlainJson } from "./json-value.ts";

/**
 * A result value for people: a string as it is, what JSON can hold as indented JSON, anything else as the
 * console shows it, complete.
 */
export function showValue(value: unknown, colors: boolean): string {
  if (typeof value === "string") return value;
  if (isPlainJson(value)) return JSON.stringify(value, null, 2);
  return inspect(value, {
    depth: null,
    maxArrayLength: null,
    maxStringLength: null,
    colors,
    compact: 3,
    breakLength: 100,
  });
}

import { usageError } from "../errors.ts";
import { parseDuration } from "../model/durations.ts";

/** The words of a command that takes several jobs or tasks. */
export const selectors = {
  type: "positional",
  required: true,
  valueHint: "SEL...",
  description: "Jobs or tasks: 12, 12.3, 12.0-9, last, slurm:4211",
} as const;

/** The word of a command that takes one. */
export const selector = {
  type: "positional",
  required: true,
  valueHint: "SEL",
  description: "A job or its tasks: 12, 12.3, 12.3:1, 12.0-9, last, slurm:4211_3",
} as const;

/** Reads a count such as that of `-n`: a whole number, 0 included. Throws USAGE that names the flag. */
export function parseWhole(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`${flag}: "${text}" is not a whole number`);
}

/** Reads a span of time such as that of `--timeout`, in seconds; undefined where it was not given. */
export function parseTime(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}

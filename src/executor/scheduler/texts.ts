import { usageError } from "../../errors.ts";
import { rangesOf as consecutive } from "../../model/ranges.ts";
import { splitWords } from "../../model/words.ts";
import type { JobRef } from "../contract.ts";
import { shellWords } from "../run.ts";
import type { NativeStatus } from "./native.ts";

/** A row of status of which nothing is known yet. */
export const NO_STATUS: Omit<NativeStatus, "id" | "indices" | "state" | "native"> = {
  reason: null,
  exitCode: null,
  signal: null,
  node: null,
  submitted: null,
  startsAt: null,
  endedAt: null,
  command: null,
  isVague: false,
};

/** Indices as few ranges, in order: "0-499", "700". */
export function rangesOf(indices: number[]): string[] {
  return consecutive(indices).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
}

/** Items in groups of at most `size`, so that no command line grows too long. */
export function chunks<T>(items: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  );
}

/** The words of an option that holds a command line, with quotes as a shell has them. Throws USAGE for one that never ends. */
export function wordsOf(option: unknown): string[] {
  const words = splitWords(String(option ?? ""));
  if (words === null) throw usageError(`A quote in ${JSON.stringify(option)} never ends`, "Close it");
  return words;
}

/** A piece of a shell's word, such as an end of a path; nothing stays nothing, where `shellWords` would make a word of it. */
export function quoted(text: string): string {
  return text === "" ? "" : shellWords([text]);
}

/** Refuses a request, for `validate` and `argv`: throws USAGE with what cannot be done, and what to do instead. */
export function refuse(message: string, hint: string): never {
  throw usageError(message, hint);
}

/** A time of day for people, with the date on any other day than today: "14:05". */
export function clock(time: string): string {
  const date = new Date(time);
  const day = date.toDateString() === new Date().toDateString() ? "" : `${date.toLocaleDateString("sv")} `;
  return `${day}${date.toTimeString().slice(0, 5)}`;
}

/** The jobs that a job waits for, as the subject of a sentence; null where `--after` names none. */
export function predecessorsOf({ spec }: JobRef): string | null {
  const jobs = [...new Set(spec.run.after.map((one) => one.job))];
  if (jobs.length === 0) return null;
  return jobs.length === 1 ? `job ${jobs[0]}` : `one of the jobs ${jobs.join(", ")}`;
}

import { unreachable, usageError } from "../errors.ts";
import { nearest } from "../model/nearest.ts";
import { type Counts, TASK_STATES, type TaskState } from "../model/states.ts";
import type { Style } from "./output.ts";

/** Reads `--state`: one state, or several with commas. Throws USAGE naming the nearest. */
export function parseStates(text: string, known: readonly TaskState[] = TASK_STATES): TaskState[] {
  return text.split(",").map((part) => {
    const word = part.trim().toLowerCase();
    const state = known.find((each) => each === word);
    if (state) return state;
    const near = nearest(word, [...known]);
    const hint = `The states are ${known.join(", ")}`;
    throw usageError(`"${part}" is no state to choose here`, near ? `Did you mean "${near}"? ${hint}` : hint);
  });
}

/** A state's name, or any text, in the state's colour. */
export function paintState(state: TaskState, style: Style, text: string = state): string {
  switch (state) {
    case "queued":
      return style.dim(text);
    case "running":
      return style.cyan(text);
    case "succeeded":
      return style.green(text);
    case "cancelled":
      return style.yellow(text);
    case "failed":
    case "timeout":
    case "lost":
      return style.red(text);
    default:
      return unreachable(state);
  }
}

/** What is there, in words: "22 succeeded, 2 running"; states without tasks are left out. */
export function showCounts(counts: Counts, style: Style): string {
  return inWords(counts, (state, text) => paintState(state, style, text));
}

/** The same without colours. */
export function wordsOfCounts(counts: Counts): string {
  return inWords(counts, (_state, text) => text);
}

function inWords(counts: Counts, paint: (state: TaskState, text: string) => string): string {
  const present = TASK_STATES.filter((state) => counts[state] > 0);
  return present.map((state) => paint(state, `${counts[state]} ${state}`)).join(", ") || "no tasks";
}

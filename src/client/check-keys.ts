import { usageError } from "../errors.ts";
import { nearest } from "../model/nearest.ts";
import { show } from "./given.ts";
import { isTable } from "./readers.ts";

/** What every wait takes. */
export const WAIT_KEYS = ["timeout", "signal"] as const;

/** Checks that the options of a call are an object of known keys. Throws USAGE that names every other one. */
export function checkKeys(call: string, given: unknown, known: readonly string[], others = ""): void {
  const takes = `It takes ${known.join(", ")}${others}`;
  if (!isTable(given)) throw usageError(`The options of ${call} are ${show(given)}`, takes);
  const wrong = Object.keys(given).filter((key) => !known.includes(key));
  const [first] = wrong;
  if (first === undefined) return;
  const near = wrong.length === 1 ? nearest(first, [...known]) : null;
  throw usageError(
    `${call} has no option ${wrong.join(", ")}`,
    near ? `Did you mean ${near}? ${takes}` : takes,
  );
}

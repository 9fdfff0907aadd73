import { usageError } from "../errors.ts";
import { show } from "./given.ts";
import { Handle } from "./handle.ts";

/** The handles that something was given, one or several. Throws USAGE that says what else it was. */
export function handlesIn(given: unknown, caller: string): Handle[] {
  if (given instanceof Handle) return [given];
  const list: unknown[] = isIterable(given) ? [...given] : [given];
  return list.map((each) => {
    if (each instanceof Handle) return each;
    const what = each instanceof Promise ? "a promise" : show(each);
    throw usageError(
      `${caller} was given ${what}, which is no job or task`,
      each instanceof Promise
        ? `Await it first: ${caller}(await …)`
        : `Give it what submit or map gave: ${caller}(job)`,
    );
  });
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

import { JobxError, usageError } from "../errors.ts";
import { checkEncodable } from "../store/codec.ts";

/** Shared by all copies of jobx in a process. */
const BOUND = Symbol.for("jobx.bound");

/** An inline function with values for names that its text uses; called here, it is the function itself. */
export type Bound<A extends unknown[], R> = ((...args: A) => R) & { readonly [BOUND]: Binding };

type Binding = { fn: unknown; values: Record<string, unknown> };

/**
 * Gives an inline function the values of names that it uses from around it: `submit(bind((x) => x * k, { k }), 2)`.
 * The values are stored with its code, as data. Throws USAGE for what is no function, PAYLOAD for a value that cannot
 * be stored, by its path (`bind.k is a function`).
 */
export function bind<A extends unknown[], R>(
  fn: (...args: A) => R,
  values: Record<string, unknown>,
): Bound<A, R> {
  if (typeof fn !== "function")
    throw usageError("bind() was given no function", "Write bind(fn, { name: value })");
  if (typeof values !== "object" || values === null)
    throw usageError("bind() was given no values", "Write bind(fn, { name: value })");
  if (bindingOf(fn)) throw usageError("bind() was given what bind() made", "Give it all values at once");
  try {
    checkEncodable(values, "bind");
  } catch (error) {
    if (!(error instanceof JobxError)) throw error;
    throw new JobxError(error.code, error.message, {
      hint: "Only data can be bound; export a function that uses other functions: its module is bundled",
    });
  }
  return Object.assign((...args: A) => fn(...args), { [BOUND]: { fn, values } });
}

/** What `bind` was given; null for anything else. */
export function bindingOf(value: unknown): Binding | null {
  if (typeof value !== "function" || !(BOUND in value)) return null;
  const binding: unknown = value[BOUND];
  return isBinding(binding) ? binding : null;
}

function isBinding(value: unknown): value is Binding {
  return typeof value === "object" && value !== null && "fn" in value && "values" in value;
}

import { JobxError, messageOf } from "../errors.ts";
import { ownFields } from "./error-data.ts";

/**
 * Looks at everything in a value before it is encoded. Throws PAYLOAD with the path of the first thing that
 * msgpack would change or lose: `args[0].model.fn is a function`. Says whether a -0 is in it.
 */
export function walk(value: unknown, path: string): { negativeZero: boolean } {
  const state: State = { seen: new Set(), openErrors: [], negativeZero: false };
  let problem: Problem | null;
  try {
    problem = look(value, state);
  } catch (error) {
    if (error instanceof RangeError) throw refusal(path, "is nested too deeply to be stored");
    throw refusal(path, `cannot be read: ${messageOf(error)}`, error);
  }
  if (problem) throw refusal(joinPath(path, problem.path), problem.what);
  return { negativeZero: state.negativeZero };
}

/** The path grows from its end while the walk returns, so that a value without problems costs no path. */
type Problem = { path: string; what: string };

type State = { seen: Set<object>; openErrors: Error[]; negativeZero: boolean };

/** Arrays up to this length are looked at by listing their keys. */
const LISTED_ARRAY = 16;

/** The typed arrays that can be stored. A value's file names one by its place here, so the order is part of the format. */
export const TYPED_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

/** Stored by their bytes alone. */
const BINARY = new Set<unknown>([...TYPED_ARRAYS, DataView, Buffer].map((each) => each.prototype));

function look(value: unknown, state: State): Problem | null {
  switch (typeof value) {
    case "string":
      return value.isWellFormed()
        ? null
        : problem("holds half of a surrogate pair, which UTF-8 cannot store");
    case "number":
      if (value === 0 && Object.is(value, -0)) state.negativeZero = true;
      return null;
    case "function":
      return problem(
        /^class\b/.test(Function.prototype.toString.call(value)) ? "is a class" : "is a function",
      );
    case "symbol":
      return problem("is a symbol");
    case "object":
      return value === null ? null : lookAtObject(value, state);
    default:
      return null;
  }
}

function lookAtObject(value: object, state: State): Problem | null {
  if (state.seen.has(value)) {
    const back = value instanceof Error && state.openErrors.includes(value);
    return back ? problem("leads back to the error that holds it") : null;
  }
  state.seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null)
    return lookAtFields(value, Object.keys(value), state);
  if (Array.isArray(value)) {
    // The prototype of arrays, of any realm, is an array itself; those of its subclasses are not.
    return Array.isArray(prototype) ? lookAtArray(value, state) : problem(instanceText(value));
  }
  if (ArrayBuffer.isView(value)) {
    if (!BINARY.has(prototype)) return problem(instanceText(value));
    return value.buffer instanceof ArrayBuffer ? null : problem("is a view of a SharedArrayBuffer");
  }
  if (value instanceof Error) return lookAtError(value, state);
  switch (prototype) {
    case Map.prototype:
      return value instanceof Map ? (extras(value) ?? lookAtMap(value, state)) : problem(instanceText(value));
    case Set.prototype:
      return value instanceof Set ? (extras(value) ?? lookAtSet(value, state)) : problem(instanceText(value));
    case Date.prototype:
    case RegExp.prototype:
    case ArrayBuffer.prototype:
      return extras(value);
    default:
      return isForeignPlain(prototype)
        ? lookAtFields(value, Object.keys(value), state)
        : problem(instanceText(value));
  }
}

function lookAtFields(value: object, keys: string[], state: State): Problem | null {
  if (Object.getOwnPropertySymbols(value).length > 0) return problem("has a symbol as a key");
  for (const key of keys) {
    if (key === "__proto__") return { path: '["__proto__"]', what: "is a key that cannot be stored" };
    if (!key.isWellFormed()) return problem(`has the key ${JSON.stringify(key)}, which UTF-8 cannot store`);
    let item: unknown;
    try {
      item = Reflect.get(value, key);
    } catch (error) {
      return { path: keyPath(key), what: `cannot be read: ${messageOf(error)}` };
    }
    if (key === "toJSON" && item && Reflect.get(value, "constructor") !== Object) {
      // msgpackr would call it.
      return { path: ".toJSON", what: "is a key that cannot be stored in such an object" };
    }
    // The commonest leaves cost no call.
    if (item === null || item === undefined || typeof item === "boolean") continue;
    const found = look(item, state);
    if (found) return below(keyPath(key), found);
  }
  return null;
}

function lookAtArray(value: unknown[], state: State): Problem | null {
  if (Object.getOwnPropertySymbols(value).length > 0) return problem("has a symbol as a key");
  if (mayHaveNamedFields(value)) {
    const name = Object.keys(value).find((key) => !/^\d+$/.test(key));
    if (name !== undefined)
      return { path: keyPath(name), what: "is a named field of an array, which is not stored" };
  }
  for (let at = 0; at < value.length; at++) {
    const item = value[at];
    if (item === undefined && !(at in value)) {
      return { path: `[${at}]`, what: "is a hole in an array; put undefined or null there" };
    }
    const found = look(item, state);
    if (found) return below(`[${at}]`, found);
  }
  return null;
}

/**
 * Listing the keys of an array takes half a microsecond for each element, so for large ones the inspector is
 * asked, which shows fields after the elements that it leaves out. A wrong yes only costs the time.
 */
function mayHaveNamedFields(value: unknown[]): boolean {
  if (value.length <= LISTED_ARRAY) return value.length !== Object.keys(value).length;
  // Imported at the top it would cost every start of jobx 3 ms.
  const { inspect } = process.getBuiltinModule("node:util");
  const shown = inspect(value, { maxArrayLength: 0, depth: 0, customInspect: false, breakLength: Infinity });
  return shown !== `[ ... ${value.length} more items ]`;
}

function lookAtMap(value: Map<unknown, unknown>, state: State): Problem | null {
  let at = 0;
  for (const [key, item] of value) {
    const inKey = look(key, state);
    if (inKey) return below(`.keys()[${at}]`, inKey);
    const found = look(item, state);
    if (found)
      return below(typeof key === "string" ? `.get(${JSON.stringify(key)})` : `.values()[${at}]`, found);
    at++;
  }
  return null;
}

function lookAtSet(value: Set<unknown>, state: State): Problem | null {
  let at = 0;
  for (const item of value) {
    const found = look(item, state);
    if (found) return below(`.values()[${at}]`, found);
    at++;
  }
  return null;
}

/** Errors are rebuilt from a record, so their own class is not asked for, and nothing in them may lead back. */
function lookAtError(error: Error, state: State): Problem | null {
  state.openErrors.push(error);
  for (const key of ["name", "message", "stack", "cause", "errors", ...ownFields(error)]) {
    const found = key in error ? look(Reflect.get(error, key), state) : null;
    if (found) return below(keyPath(key), found);
  }
  state.openErrors.pop();
  return null;
}

function extras(value: object): Problem | null {
  const [name] = Object.keys(value);
  return name === undefined
    ? null
    : { path: keyPath(name), what: `is a field of ${instanceText(value).slice(3)}, which is not stored` };
}

/** A plain object of another realm (a `vm` context) has a prototype like Object's own. */
function isForeignPlain(prototype: unknown): boolean {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf")
  );
}

function instanceText(value: object): string {
  const name: unknown = Reflect.get(value, "constructor")?.name;
  if (typeof name !== "string" || name === "") return "is an object with a prototype of its own";
  const article = /^[AEIOU]/.test(name) ? "an" : "a";
  return name in globalThis ? `is ${article} ${name}` : `is an instance of ${name}`;
}

function problem(what: string): Problem {
  return { path: "", what };
}

function below(step: string, found: Problem): Problem {
  return { path: step + found.path, what: found.what };
}

function keyPath(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function joinPath(base: string, path: string): string {
  return base === "" ? path.replace(/^\./, "") : base + path;
}

function refusal(path: string, what: string, cause?: unknown): JobxError {
  return new JobxError("PAYLOAD", `${path || "The value"} ${what}`, {
    hint: "Pass plain data: JSON, Date, Map, Set, BigInt, RegExp, typed arrays and errors are kept",
    cause,
  });
}

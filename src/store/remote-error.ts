import type { RemoteError } from "../model/records.ts";
import { isRemoteError } from "../model/remote-error.ts";
import { fromErrorData, ownFields } from "./error-data.ts";
import { walk } from "./walk.ts";

/** Texts longer than this, in UTF-16 units, are cut, and say so: an error is there to be read. */
const LONGEST_TEXT = 256 * 1024;
/** Causes of causes deeper than this are left out. */
const DEEPEST = 16;

/**
 * Any thrown value as plain data that `encode` accepts. Fields that cannot be stored become the text that
 * a console would show; nothing in it, not even a getter, can make this throw.
 */
export function toRemoteError(thrown: unknown): RemoteError {
  return describe(thrown, []);
}

/** The error that a task threw, as an Error again: for `cause`, with its own name, stack and fields. */
export function reviveError({ cause, fields, ...error }: RemoteError): Error {
  const revived = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, revive(value)]));
  const { errors, ...others } = revived;
  return fromErrorData({
    ...error,
    fields: others,
    ...(errors !== undefined && { errors }),
    ...(cause !== null && cause !== undefined && { cause: revive(cause) }),
  });
}

function revive(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((each: unknown) => (isRemoteError(each) ? reviveError(each) : each));
  return isRemoteError(value) ? reviveError(value) : value;
}

function describe(thrown: unknown, above: unknown[]): RemoteError {
  if (!(thrown instanceof Error)) return describeOther(thrown);
  const inside = [...above, thrown];
  const fields: Record<string, unknown> = {};
  const errors = attempt(() => ("errors" in thrown ? thrown.errors : undefined));
  if (Array.isArray(errors)) fields["errors"] = errors.map((each) => plain(each, inside));
  for (const key of attempt(() => ownFields(thrown)) ?? []) {
    if (key !== "__proto__")
      fields[key.toWellFormed()] = plain(
        attempt(() => Reflect.get(thrown, key)),
        inside,
      );
  }
  const stack = attempt(() => thrown.stack);
  return {
    name: text(attempt(() => thrown.name) ?? "Error"),
    message: text(attempt(() => thrown.message) ?? ""),
    stack: typeof stack === "string" ? text(stack) : null,
    cause:
      plain(
        attempt(() => thrown.cause),
        inside,
      ) ?? null,
    fields,
  };
}

/** `throw "text"`, `throw { code: 1 }`: kept as the cause, with a message that shows it. */
function describeOther(thrown: unknown): RemoteError {
  const message = typeof thrown === "string" ? thrown : shown(thrown);
  return {
    name: "Thrown",
    message: text(message),
    stack: null,
    cause: plain(thrown, []) ?? null,
    fields: {},
  };
}

/** A value as it can be stored: errors as records, the rest as it is or as text. */
function plain(value: unknown, above: unknown[]): unknown {
  if (value instanceof Error) {
    if (above.includes(value)) return "[the error itself]";
    return above.length >= DEEPEST ? text(String(attempt(() => value.message))) : describe(value, above);
  }
  if (typeof value === "string") return text(value);
  try {
    walk(value, "");
    return value;
  } catch {
    return text(shown(value));
  }
}

function shown(value: unknown): string {
  return (
    attempt(() => Bun.inspect(value, { depth: 3 })) ??
    attempt(() => String(value)) ??
    "a value that cannot be shown"
  );
}

function text(value: unknown): string {
  const whole = String(value).toWellFormed();
  if (whole.length <= LONGEST_TEXT) return whole;
  return `${whole.slice(0, LONGEST_TEXT).toWellFormed()}… (${whole.length - LONGEST_TEXT} more characters)`;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

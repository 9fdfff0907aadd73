import type { RemoteError } from "../model/records.ts";

/** The error that a task threw, as an Error again: for `cause`, with its own name, stack and fields. */
export function reviveError(remote: RemoteError): Error {
  const cause = isRemoteError(remote.cause) ? reviveError(remote.cause) : remote.cause;
  const error = new Error(remote.message, cause === null || cause === undefined ? undefined : { cause });
  error.name = remote.name;
  if (remote.stack !== null) error.stack = remote.stack;
  for (const [key, value] of Object.entries(remote.fields)) {
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return error;
}

function isRemoteError(value: unknown): value is RemoteError {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    "message" in value &&
    "stack" in value &&
    "fields" in value
  );
}

import type { RemoteError } from "./records.ts";

/** "RangeError: too large", the form that a stack begins with. */
export function headline(error: Pick<RemoteError, "name" | "message">): string {
  return error.message === "" ? error.name : `${error.name}: ${error.message}`;
}

/** The error as text: headline, frames, own fields, then what caused it. No final newline. */
export function formatRemoteError(error: RemoteError): string {
  const parts = [error.stack && error.stack.includes(error.message) ? error.stack : joined(error)];
  const fields = Object.entries(error.fields).filter(([, value]) => value !== undefined);
  parts.push(...fields.flatMap(([key, value]) => fieldLines(key, value)));
  if (isRemoteError(error.cause)) parts.push(`Caused by: ${formatRemoteError(error.cause)}`);
  else if (error.cause !== undefined && error.cause !== null && error.name !== "Thrown")
    parts.push(`Caused by: ${show(error.cause)}`);
  return parts.join("\n");
}

export function isRemoteError(value: unknown): value is RemoteError {
  return (
    typeof value === "object" && value !== null && "message" in value && "stack" in value && "fields" in value
  );
}

function joined(error: RemoteError): string {
  return error.stack ? `${headline(error)}\n${error.stack}` : headline(error);
}

/** A field below its error, where errors in it are told as errors: `errors` of an AggregateError. */
function fieldLines(key: string, value: unknown): string[] {
  if (Array.isArray(value) && value.some(isRemoteError))
    return value.flatMap((each: unknown, at) => fieldLines(`${key}[${at}]`, each));
  const text = `${key}: ${isRemoteError(value) ? formatRemoteError(value) : show(value)}`;
  return [text.replace(/^(?=.)/gm, "  ")];
}

function show(value: unknown): string {
  return Bun.inspect(value, { depth: 3, colors: false });
}

/** What the codec keeps of an Error, as plain data. */
type ErrorData = {
  name: string;
  message: string;
  stack: string | null;
  /** Present only where the error has them: an absent cause and an undefined one differ. */
  cause?: unknown;
  errors?: unknown;
  /** Own enumerable fields besides those above. */
  fields: Record<string, unknown>;
};

/** Own properties of errors that have a place of their own in `ErrorData`. */
const NAMED = new Set(["name", "message", "stack", "cause", "errors"]);

const CLASSES = new Map<string, new (message: string) => Error>(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((each) => [
    each.name,
    each,
  ]),
);

/** The plain record that stands for an error in msgpack. */
export function toErrorData(error: Error): ErrorData {
  const data: ErrorData = {
    name: String(error.name),
    message: String(error.message),
    stack: typeof error.stack === "string" ? error.stack : null,
    fields: {},
  };
  if ("cause" in error) data.cause = error.cause;
  if ("errors" in error) data.errors = error.errors;
  for (const key of ownFields(error)) data.fields[key] = Reflect.get(error, key);
  return data;
}

/** Makes the error again: of a built-in class where the name is one, else an Error of that name. */
export function fromErrorData(data: unknown): Error {
  const { name, message, stack, fields, ...rest } = isErrorData(data)
    ? data
    : { name: "Error", message: String(data), stack: null, fields: {} };
  const error = withoutFrames(() => made(name, message));
  if (error.name !== name) hide(error, "name", name);
  hide(error, "stack", stack ?? `${name}: ${message}`);
  for (const [key, value] of Object.entries(rest)) hide(error, key, value);
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(error, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return error;
}

function made(name: string, message: string): Error {
  if (name === "AggregateError") return new AggregateError([], message);
  return new (CLASSES.get(name) ?? Error)(message);
}

/** A console shows the line that made an error, jobx's own here, where it finds no frame in the stack that it has. */
function withoutFrames(make: () => Error): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** The names of an error's own fields, without those that every error has. */
export function ownFields(error: Error): string[] {
  return Object.keys(error).filter((key) => !NAMED.has(key));
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, writable: true, configurable: true });
}

function isErrorData(data: unknown): data is ErrorData {
  return (
    typeof data === "object" &&
    data !== null &&
    "name" in data &&
    typeof data.name === "string" &&
    "message" in data &&
    typeof data.message === "string" &&
    "fields" in data &&
    typeof data.fields === "object"
  );
}

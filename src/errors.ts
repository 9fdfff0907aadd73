/** Why something went wrong, as one word that programs can switch on. */
export type ErrorCode =
  | "USAGE" // a bad flag, value, selector or configuration
  | "REFUSED" // the executor or scheduler said no
  | "UNREACHABLE" // the executor or scheduler could not be asked
  | "NOT_FOUND" // no such job, task, file or plugin
  | "WAIT_TIMEOUT" // `--timeout` passed while waiting
  | "JOB_FAILED"
  | "JOB_LOST"
  | "JOB_CANCELLED"
  | "JOB_TIMEOUT"
  | "PAYLOAD" // a value that cannot be stored, or is too large
  | "DAMAGED" // bytes on disk that do not match their checksum
  | "FORMAT" // a file written by a newer jobx, or by something else
  | "STORAGE" // the file system refused: full, read-only, no permission
  | "PLUGIN" // a plugin that cannot be loaded or broke its contract
  | "INTERRUPTED" // Ctrl-C
  | "BUG";

/** The process's exit code for each error code; the table of the command line's documentation. */
const EXIT_CODES: Record<ErrorCode, number> = {
  USAGE: 2,
  REFUSED: 3,
  UNREACHABLE: 3,
  NOT_FOUND: 4,
  WAIT_TIMEOUT: 5,
  JOB_FAILED: 1,
  JOB_LOST: 1,
  JOB_CANCELLED: 1,
  JOB_TIMEOUT: 1,
  PAYLOAD: 2,
  DAMAGED: 1,
  FORMAT: 1,
  STORAGE: 3,
  PLUGIN: 3,
  INTERRUPTED: 130,
  BUG: 70,
};

/**
 * The one error class of jobx. `message` says what is wrong with the value shown, in sentence case and
 * without a full stop; `hint` says what to do next; `cause` keeps the original.
 */
export class JobxError extends Error {
  /** Written out, since the binary has shorter class names. */
  static override readonly name: string = "JobxError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

/** A usage error: the most common kind, so it has a short form. */
export function usageError(message: string, hint?: string): JobxError {
  return new JobxError("USAGE", message, { hint });
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name ("ENOENT") of a system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = Reflect.get(error, "code");
  return typeof code === "string" ? code : undefined;
}

/** Marks a place that exhaustive switches make unreachable; the compiler checks it. */
export function unreachable(value: never): never {
  throw new JobxError("BUG", `Unexpected value ${JSON.stringify(value)}`);
}

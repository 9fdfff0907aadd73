import { type ErrorCode, JobxError } from "../errors.ts";
import { inOwnWords } from "./given.ts";
import { isOwnFile } from "./own-files.ts";

type Details = ConstructorParameters<typeof JobxError>[2];

/** A task that did not succeed, with what is known of it. */
export class TaskError extends JobxError {
  static override readonly name: string = "TaskError";
  /** As it would be typed: `12`, `12.3` or `12.3:1`. */
  readonly selector: string;
  /** The last lines that the task printed; empty where it printed nothing. */
  readonly logTail: string;

  constructor(code: ErrorCode, message: string, details: Details & { selector: string; logTail: string }) {
    super(code, message, details);
    this.selector = details.selector;
    this.logTail = details.logTail;
  }
}

/** The task failed. `cause` is what its function threw: name, message, stack in its own files, own fields. */
export class JobFailedError extends TaskError {
  static override readonly name: string = "JobFailedError";
}

/** The task ended without a record: its node died, or its scheduler has forgotten it. */
export class JobLostError extends TaskError {
  static override readonly name: string = "JobLostError";
}

/** The task was cancelled. */
export class JobCancelledError extends TaskError {
  static override readonly name: string = "JobCancelledError";
}

/** The task ran into its time limit. */
export class JobTimeoutError extends TaskError {
  static override readonly name: string = "JobTimeoutError";
}

/** The executor or its scheduler refused, or could not be reached. */
export class SubmissionError extends JobxError {
  static override readonly name: string = "SubmissionError";
}

/** `timeout` passed while waiting; the jobs go on. */
export class WaitTimeoutError extends JobxError {
  static override readonly name: string = "WaitTimeoutError";
}

/** A value that cannot be stored, named by its path, or that is too large. */
export class PayloadError extends JobxError {
  static override readonly name: string = "PayloadError";
}

/** The error of a task by its code. */
export function taskErrorOf(error: JobxError, details: { selector: string; logTail: string }): JobxError {
  const all = { hint: error.hint, cause: error.cause, ...details };
  switch (error.code) {
    case "JOB_FAILED":
      return new JobFailedError(error.code, error.message, all);
    case "JOB_LOST":
      return new JobLostError(error.code, error.message, all);
    case "JOB_CANCELLED":
      return new JobCancelledError(error.code, error.message, all);
    case "JOB_TIMEOUT":
      return new JobTimeoutError(error.code, error.message, all);
    default:
      return error;
  }
}

/**
 * Runs what the lower rooms do; their errors come out as the class that callers can tell by `instanceof`, with the
 * names that options have here, and with the stack of whoever called the API.
 */
export function named<T>(act: () => T | Promise<T>): Promise<T> {
  const called = new Error();
  return run(act).then(
    (value) => (value instanceof JobxError ? told(value, called) : value),
    (error: unknown) => {
      throw told(error, called);
    },
  );
}

/** An error as the caller sees it, whose frames `called` has. */
export function told<T>(error: T, called: Error): T;
export function told(error: unknown, called: Error): unknown {
  const own = classed(error);
  if (own instanceof JobxError) own.stack = `${own.name}: ${own.message}${outerFrames(called)}`;
  return own;
}

async function run<T>(act: () => T | Promise<T>): Promise<T> {
  return act();
}

/** The frames of a stack that are not jobx's own, each with a name: Bun shows no code for one without. */
function outerFrames({ stack = "" }: Error): string {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  const whole = frames.map((line) => line.replace(/ at (?:async )?([^\s()]+)$/, " at <anonymous> ($1)"));
  const outer = whole.filter((line) => !isOwnFile(/\(([^()]+)\)$/.exec(line)?.[1] ?? ""));
  return outer.map((line) => `\n${line}`).join("");
}

/** An error of the lower rooms as it leaves this one; any other as it is. */
export function classed(error: unknown): unknown {
  if (!(error instanceof JobxError) || error.constructor !== JobxError) return error;
  const { code, message, hint, cause } = inOwnWords(error);
  return new (CLASSES[code] ?? JobxError)(code, message, { hint, cause });
}

const CLASSES: Partial<Record<ErrorCode, typeof SubmissionError>> = {
  REFUSED: SubmissionError,
  UNREACHABLE: SubmissionError,
  WAIT_TIMEOUT: WaitTimeoutError,
  PAYLOAD: PayloadError,
};

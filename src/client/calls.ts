import { usageError } from "../errors.ts";
import type { Task } from "../worker/task.ts";
import { checkKeys } from "./check-keys.ts";
import { readOptions, show } from "./given.ts";

/**
 * What a job can call: a function that a module exports, an inline one, or what `defineTask` made. Its
 * arguments and its value are data: see "Values" in the manual.
 */
export type Callable<A extends unknown[], R> = ((...args: A) => R) | Task<A, R>;

const CALL = Symbol.for("jobx.call");
const COMMAND = Symbol.for("jobx.command");
const SEQUENCE = Symbol.for("jobx.sequence");
declare const VALUE: unique symbol;

/** A function and its arguments, to be called in a job. */
export type Call<R = unknown> = {
  readonly kind: typeof CALL;
  readonly fn: unknown;
  readonly args: readonly unknown[];
  /** Carries the type of its value; never there. */
  readonly [VALUE]?: R;
};

/** A command to be run in a job; its value is its trimmed output, or null with `capture: false`. */
export type Command<R = string> = {
  readonly kind: typeof COMMAND;
  readonly words: readonly string[];
  readonly cwd: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** null: true, unless the executor says otherwise. */
  readonly capture: boolean | null;
  readonly [VALUE]?: R;
};

/** Calls that one task makes one after the other; its value is the array of theirs. */
export type Sequence<R = unknown[]> = {
  readonly kind: typeof SEQUENCE;
  readonly calls: readonly Call[];
  readonly [VALUE]?: R;
};

/** Anything that one task can be. */
export type Work<R = unknown> = Call<R> | Command<R> | Sequence<R>;

/** The value that some work gives. */
export type ValueOf<W> = W extends { readonly [VALUE]?: infer R } ? R : never;

export type CommandOptions = {
  /** The folder to run in; the executor's by default. */
  cwd?: string;
  /** Variables set on top of the executor's. */
  env?: Record<string, string | number | boolean>;
  /** Keep the output as the value; true by default. */
  capture?: boolean;
};

/** A call for `submitAll`, `sequence` and the like: `call(train, { lr: 0.1 })`, or `call("train.ts#train", …)`. */
export function call<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Call<Awaited<R>>;
export function call<R = unknown>(reference: string, ...args: unknown[]): Call<R>;
export function call(fn: unknown, ...args: unknown[]): Call {
  return callOf(fn, args);
}

/** A call of something that is checked when it is submitted. */
export function callOf(fn: unknown, args: readonly unknown[]): Call {
  return { kind: CALL, fn, args };
}

/** A command, word by word, without a shell: `command(["python", "train.py", "--lr", "0.1"])`. */
export function command(words: readonly string[], options?: CommandOptions & { capture?: true }): Command;
export function command(words: readonly string[], options: CommandOptions): Command<string | null>;
export function command(
  words: readonly string[],
  options: CommandOptions = {},
): Command | Command<string | null> {
  const [program] = words;
  if (!isArray(words) || words.some((word) => typeof word !== "string")) {
    throw usageError(
      `The command is ${show(words)}, not an array of texts`,
      'Write command(["python", "train.py"])',
    );
  }
  if (!program) throw usageError("The command is empty", "Its first word is the program to run");
  const others = "; all others are the executor's: executor.with({ … })";
  checkKeys("command()", options, ["cwd", "env", "capture"], others);
  readOptions(options);
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.env ?? {})) env[name] = String(value);
  return {
    kind: COMMAND,
    words: [...words],
    cwd: options.cwd ?? null,
    env,
    capture: options.capture ?? null,
  };
}

/**
 * Calls that one task makes in this order: `sequence([call(prepare, 1), call(fit)])`. Its value is the array
 * of their values. Steps that have finished are not made again after a requeue.
 */
export function sequence<const C extends readonly Call[]>(
  calls: C,
): Sequence<{ -readonly [I in keyof C]: ValueOf<C[I]> }> {
  const hint = "Give it calls: sequence([call(f, 1), call(g)])";
  if (!isArray(calls)) throw usageError(`The sequence is ${show(calls)}, not an array of calls`, hint);
  if (calls.length === 0) throw usageError("The sequence is empty", hint);
  const wrong = calls.findIndex((each) => !isCall(each));
  if (wrong >= 0)
    throw usageError(`Step ${wrong} of the sequence is ${show(calls[wrong])}, which is no call`, hint);
  return { kind: SEQUENCE, calls };
}

export function isCall(value: unknown): value is Call {
  return kindOf(value) === CALL;
}

export function isCommand(value: unknown): value is Command {
  return kindOf(value) === COMMAND;
}

export function isSequence(value: unknown): value is Sequence {
  return kindOf(value) === SEQUENCE;
}

/** A call, command or sequence as it is; anything else is refused. */
export function isWork(value: unknown): value is Work {
  return isCall(value) || isCommand(value) || isSequence(value);
}

/** `Array.isArray` says nothing of arrays that are readonly. */
function isArray(value: unknown): boolean {
  return Array.isArray(value);
}

function kindOf(value: unknown): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, "kind") : undefined;
}

import { messageOf, usageError } from "../errors.ts";
import { formatDuration, parseDuration } from "../model/durations.ts";
import { nearest } from "../model/nearest.ts";
import { formatSize, parseSize } from "../model/sizes.ts";

/** One option of an executor: `-o NAME=VALUE`, or a key of its table in the configuration. */
export type OptionSpec<T = unknown> = {
  description: string;
  /** What stands for the value in help texts, e.g. "TEXT" or "a|b". */
  placeholder: string;
  /** Reads a value as it was given, text or TOML; throws an Error that says what it takes. */
  parse(value: unknown): T;
  /** Writes a value for help texts. */
  format(value: T): string;
  /** The value when none is given; without it the key stays absent. */
  default: T | undefined;
};

export type OptionSchema = Record<string, OptionSpec>;

type Defaulted<T> = { default?: T };

/** Makes the options of an executor, each with a description for `jobx help EXECUTOR`. */
export const option = {
  /** Any text. */
  string: (description: string, settings: Defaulted<string> & { placeholder?: string } = {}) =>
    spec(description, settings.placeholder ?? "TEXT", settings.default, parseText),

  /** A number, within `min` and `max` and whole where `integer` says so. */
  number: (
    description: string,
    settings: Defaulted<number> & { min?: number; max?: number; integer?: boolean } = {},
  ) => spec(description, "N", settings.default, (value) => parseNumber(value, settings)),

  /** true or false; also yes, no, on, off, 1 and 0. */
  boolean: (description: string, settings: Defaulted<boolean> = {}) =>
    spec(description, "true|false", settings.default, parseBoolean),

  /** A span of time as in `--time`; the value is in seconds. */
  duration: (description: string, settings: Defaulted<number> = {}) =>
    spec(description, "T", settings.default, (value) => parseDuration(parseText(value)), formatDuration),

  /** A size as in `--mem`; the value is in bytes. */
  size: (description: string, settings: Defaulted<number> = {}) =>
    spec(description, "SIZE", settings.default, (value) => parseSize(parseText(value)), formatSize),

  /** Several texts: an array, or one text with commas. */
  list: (description: string, settings: Defaulted<string[]> = {}) =>
    spec(description, "A,B,...", settings.default, parseList, (value) => value.join(",")),

  /** One of the words in `choices`. */
  choice: <const C extends string>(
    description: string,
    choices: readonly C[],
    settings: Defaulted<NoInfer<C>> = {},
  ) => spec(description, choices.join("|"), settings.default, (value) => parseChoice(value, choices)),
};

/**
 * Checks options against an executor's schema and fills in defaults. `where` says where they were given,
 * e.g. "-o" or "[slurm] in ~/.config/jobx/config.toml". Throws USAGE that lists everything wrong: unknown
 * keys with the nearest known one, bad values with what the option takes. `base` holds values that were
 * validated before (the executor's settings) and stand between the given ones and the defaults.
 */
export function validateOptions(
  executor: string,
  schema: OptionSchema,
  given: Record<string, unknown>,
  where: string,
  base: Record<string, unknown> = {},
): Record<string, unknown> {
  const values: Record<string, unknown> = { ...base };
  const problems: { message: string; hint: string }[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    const known = Object.hasOwn(schema, name) ? schema[name] : undefined;
    if (!known) {
      problems.push(unknownOption(executor, schema, name, where));
      continue;
    }
    try {
      values[name] = known.parse(value);
    } catch (error) {
      const message = `Bad value ${show(value)} for option "${name}" of ${executor} (${where}): ${messageOf(error)}`;
      problems.push({ message, hint: `${name}=${known.placeholder}: ${known.description}` });
    }
  }
  const first = problems[0];
  if (first) throw usageError(problems.map((problem) => problem.message).join("; "), first.hint);
  for (const [name, known] of Object.entries(schema)) {
    if (known.default !== undefined && !Object.hasOwn(values, name)) values[name] = known.default;
  }
  return values;
}

/** The options of an executor for `jobx help EXECUTOR`, each with its explanation. */
export function describeOptions(schema: OptionSchema): [option: string, explanation: string][] {
  return Object.entries(schema).map(([name, { placeholder, description, default: value, format }]) => [
    `${name}=${placeholder}`,
    value === undefined ? description : `${description} (default: ${format(value)})`,
  ]);
}

function spec<T>(
  description: string,
  placeholder: string,
  value: T | undefined,
  parse: (value: unknown) => T,
  format: (value: T) => string = String,
): OptionSpec<T> {
  return { description, placeholder, default: value, parse, format };
}

function unknownOption(executor: string, schema: OptionSchema, name: string, where: string) {
  const known = Object.keys(schema);
  const near = nearest(name, known);
  const message = `Unknown option "${name}" of ${executor} (${where})`;
  if (near) return { message, hint: `Did you mean "${near}"? \`jobx help ${executor}\` lists its options` };
  if (known.length === 0) return { message, hint: `${executor} has no options of its own` };
  return { message, hint: `Its options are ${known.join(", ")}` };
}

function parseText(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value);
  if (typeof value !== "string") throw new Error("it takes one text");
  if (value.includes("\0")) throw new Error("it holds a NUL character");
  return value;
}

function parseNumber(value: unknown, limits: { min?: number; max?: number; integer?: boolean }): number {
  const text = parseText(value).trim();
  const number = text === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) throw new Error("it takes a number");
  if (limits.integer && !Number.isInteger(number)) throw new Error("it takes a whole number");
  if (limits.min !== undefined && number < limits.min) throw new Error(`the least is ${limits.min}`);
  if (limits.max !== undefined && number > limits.max) throw new Error(`the most is ${limits.max}`);
  return number;
}

function parseBoolean(value: unknown): boolean {
  const text = parseText(value).trim().toLowerCase();
  if (["true", "yes", "on", "1"].includes(text)) return true;
  if (["false", "no", "off", "0"].includes(text)) return false;
  throw new Error("it takes true or false");
}

function parseList(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(parseText);
  return parseText(value)
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function parseChoice<C extends string>(value: unknown, choices: readonly C[]): C {
  const text = parseText(value);
  const match = choices.find((choice) => choice === text);
  if (match !== undefined) return match;
  const near = nearest(text, [...choices]);
  throw new Error(`it takes ${choices.join(", ")}${near ? `; did you mean "${near}"?` : ""}`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

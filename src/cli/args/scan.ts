import { usageError } from "../../errors.ts";
import { nearest } from "../../model/nearest.ts";
import { type Flag, spelled } from "./flags.ts";
import type { OptionValues } from "./values.ts";

export type ScanOptions = {
  /** The command as it is typed, for messages. */
  where: string;
  /** Flags of other tools, with what to use instead. */
  foreign: Record<string, string>;
  /** What the command takes after `--`; null when nothing special. */
  rest: string | null;
  /** Stop at the first word that is no option: it names the command. */
  stopAtWord: boolean;
};

export type Scanned = { words: string[]; rest: string[] | null; stoppedAt: number | null };

/**
 * Sorts an argv into options (added to `values`), words, and what follows `--`. Throws USAGE on anything undeclared.
 * Reads the words itself: `node:util`, where parseArgs is, takes a millisecond to load, a tenth of a short command.
 */
export function scan(argv: string[], flags: Flag[], values: OptionValues, options: ScanOptions): Scanned {
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--") return { words, rest: argv.slice(at + 1), stoppedAt: null };
    if (!word.startsWith("-") || word === "-") {
      if (options.stopAtWord) return { words, rest: null, stoppedAt: at };
      words.push(word);
      continue;
    }
    for (const typed of typedIn(word, flags)) {
      const meant = meaningOf(typed.raw, flags);
      if (!meant) throw unknownOption(typed.raw, flags, words, options);
      const { flag, negated } = meant;
      if (flag.type === "boolean") {
        if (typed.value !== undefined) throw takesNoValue(flag, typed.raw, typed.value);
        values.add(flag.name, !negated);
      } else {
        const value = typed.value ?? nextWord(flag, typed.raw, argv[++at], options.where);
        values.add(flag.name, checkChoice(flag, typed.raw, value));
      }
    }
  }
  return { words, rest: null, stoppedAt: null };
}

/** An option as it was typed, with its value where that stands in the same word. */
type Typed = { raw: string; value?: string };

/** The options in one word: a long one, or short ones, of which the first that takes a value takes all that follows. */
function typedIn(word: string, flags: Flag[]): Typed[] {
  if (word.startsWith("--")) {
    const equals = word.indexOf("=");
    return equals < 0 ? [{ raw: word }] : [{ raw: word.slice(0, equals), value: word.slice(equals + 1) }];
  }
  const found: Typed[] = [];
  for (let at = 1; at < word.length; at++) {
    const raw = `-${word[at]}`;
    const rest = word.slice(at + 1);
    const type = meaningOf(raw, flags)?.flag.type ?? "boolean";
    if (rest !== "" && type !== "boolean") return [...found, { raw, value: rest }];
    found.push({ raw });
  }
  return found;
}

function meaningOf(raw: string, flags: Flag[]): { flag: Flag; negated: boolean } | undefined {
  const name = raw.replace(/^--?/, "");
  const isLong = raw.startsWith("--");
  for (const flag of flags) {
    const spellings = isLong ? flag.longAliases : flag.shorts;
    if ((isLong && name === flag.long) || spellings.includes(name)) return { flag, negated: false };
    if (isLong && flag.negatable && name === `no-${flag.long}`) return { flag, negated: true };
  }
  return undefined;
}

function takesNoValue(flag: Flag, raw: string, value: string): Error {
  return usageError(
    `${raw} takes no value, got ${JSON.stringify(value)}`,
    flag.negatable ? `Write ${spelled(flag)} or --no-${flag.long}` : `Write ${spelled(flag)} alone`,
  );
}

/** The word after an option, as its value. Throws USAGE where there is none, or what looks like another option. */
function nextWord(flag: Flag, raw: string, word: string | undefined, where: string): string {
  if (word === undefined || word === "--") {
    throw usageError(`${raw} needs a value: ${flag.hint}`, `${flag.description}. See ${where} --help`);
  }
  if (/^-[^\d.\s]/.test(word)) {
    throw usageError(
      `${raw} needs a value: ${flag.hint}`,
      `If ${JSON.stringify(word)} is the value, write ${spelled(flag)}=${word}`,
    );
  }
  return word;
}

function checkChoice(flag: Flag, raw: string, value: string): string {
  if (flag.type !== "enum" || flag.options.includes(value)) return value;
  const near = nearest(value, flag.options);
  throw usageError(
    `${raw} does not know ${JSON.stringify(value)}`,
    `${near ? `Did you mean ${near}? ` : ""}It is one of ${flag.options.join(", ")}`,
  );
}

/** For a guess at what was meant. */
function longSpellings(flags: Flag[]): string[] {
  return flags.flatMap(({ long, longAliases, negatable }) => {
    return [long, ...longAliases, ...(negatable ? [`no-${long}`] : [])].map((name) => `--${name}`);
  });
}

function unknownOption(raw: string, flags: Flag[], words: string[], options: ScanOptions): Error {
  const message = `Unknown option ${raw}`;
  const foreign = options.foreign[raw];
  if (foreign) return usageError(message, foreign);
  const [first] = words;
  if (options.rest && first !== undefined) {
    return usageError(
      message,
      `If it belongs to ${first}, put -- before it: ${options.where} [options] -- ${first} ${raw}`,
    );
  }
  const near = raw.startsWith("--") ? nearest(raw, longSpellings(flags)) : null;
  return usageError(message, near ? `Did you mean ${near}?` : `${options.where} --help lists the options`);
}

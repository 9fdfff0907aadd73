import { parseArgs } from "node:util";

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

/** Sorts an argv into options (added to `values`), words, and what follows `--`. Throws USAGE on anything undeclared. */
export function scan(argv: string[], flags: Flag[], values: OptionValues, options: ScanOptions): Scanned {
  const spellings = spellingsOf(flags);
  const end = argv.indexOf("--");
  const { tokens } = parseArgs({
    args: end < 0 ? argv : argv.slice(0, end),
    options: spellings.forParser,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (options.stopAtWord) return { words, rest: null, stoppedAt: token.index };
      words.push(token.value);
    } else if (token.kind === "option") {
      const meant = spellings.find(token.rawName);
      if (!meant) throw unknownOption(token.rawName, spellings.known(), words, options);
      values.add(meant.flag.name, meant.negated ? false : valueOf(meant.flag, token, options));
    }
  }
  return { words, rest: end < 0 ? null : argv.slice(end + 1), stoppedAt: null };
}

type OptionToken = { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined };

function valueOf(flag: Flag, token: OptionToken, { where }: ScanOptions): string | boolean {
  if (flag.type === "boolean") {
    if (token.value === undefined) return true;
    throw usageError(
      `${token.rawName} takes no value, got ${JSON.stringify(token.value)}`,
      flag.negatable ? `Write ${spelled(flag)} or --no-${flag.long}` : `Write ${spelled(flag)} alone`,
    );
  }
  if (token.value === undefined) {
    throw usageError(
      `${token.rawName} needs a value: ${flag.hint}`,
      `${flag.description}. See ${where} --help`,
    );
  }
  if (!token.inlineValue && /^-[^\d.\s]/.test(token.value)) {
    throw usageError(
      `${token.rawName} needs a value: ${flag.hint}`,
      `If ${JSON.stringify(token.value)} is the value, write ${spelled(flag)}=${token.value}`,
    );
  }
  if (flag.type === "enum" && !flag.options.includes(token.value)) {
    const near = nearest(token.value, flag.options);
    throw usageError(
      `${token.rawName} does not know ${JSON.stringify(token.value)}`,
      `${near ? `Did you mean ${near}? ` : ""}It is one of ${flag.options.join(", ")}`,
    );
  }
  return token.value;
}

function unknownOption(raw: string, known: string[], words: string[], options: ScanOptions): Error {
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
  const near = raw.startsWith("--") ? nearest(raw, known) : null;
  return usageError(message, near ? `Did you mean ${near}?` : `${options.where} --help lists the options`);
}

type Spellings = {
  forParser: Record<string, { type: "boolean" | "string"; short?: string }>;
  /** All long ones, for a guess at what was meant. */
  known(): string[];
  find(raw: string): { flag: Flag; negated: boolean } | undefined;
};

/** Every spelling of every flag, for the parser and for looking up what it found. */
function spellingsOf(flags: Flag[]): Spellings {
  const meanings = new Map<string, { flag: Flag; negated: boolean }>();
  const forParser: Spellings["forParser"] = {};
  for (const flag of flags) {
    const type = flag.type === "boolean" ? "boolean" : "string";
    for (const long of [flag.long, ...flag.longAliases]) {
      forParser[long] = { type };
      meanings.set(`--${long}`, { flag, negated: false });
    }
    for (const short of flag.shorts) {
      forParser[`short ${short}`] = { type, short };
      meanings.set(`-${short}`, { flag, negated: false });
    }
    if (flag.negatable) {
      forParser[`no-${flag.long}`] = { type: "boolean" };
      meanings.set(`--no-${flag.long}`, { flag, negated: true });
    }
  }
  return {
    forParser,
    known: () => [...meanings.keys()].filter((raw) => raw.startsWith("--")),
    find: (raw) => meanings.get(raw),
  };
}

import { usageError } from "../../errors.ts";
import { nearest } from "../../model/nearest.ts";
import { COMMANDS, findCommand, loadCommand } from "../commands.ts";
import type { Globals } from "../context.ts";
import type { AnyCommand, LoadedCommand } from "./command.ts";
import { flagsOf, positionalsOf } from "./flags.ts";
import { GLOBAL_ARGS } from "./globals.ts";
import { scan, type Scanned, type ScanOptions } from "./scan.ts";
import { OptionValues } from "./values.ts";

/** Values by declared name; `_` holds the words that are no options. */
export type CommandArgs = Record<string, string | number | boolean | string[]>;

/** A command line, understood. */
export type Invocation =
  | { kind: "version"; globals: Globals }
  | { kind: "help"; globals: Globals; command: LoadedCommand | null }
  | {
      kind: "run";
      globals: Globals;
      command: AnyCommand;
      /** What citty's declarations promise: the last value of each option, defaults filled in. */
      args: CommandArgs;
      positionals: string[];
      rest: string[] | null;
      values: OptionValues;
    };

/**
 * Reads a command line strictly, by citty's declarations: whatever is not declared is a usage error that
 * names the nearest. Loads only the command that is named.
 */
export async function parseInvocation(argv: string[]): Promise<Invocation> {
  const values = new OptionValues();
  const at = scan(argv, GLOBAL_FLAGS, values, { ...ROOT, stopAtWord: true }).stoppedAt;
  const word = at === null ? undefined : argv[at];
  if (at === null || word === undefined) {
    const globals = globalsFrom(values);
    if (values.flag("version")) return { kind: "version", globals };
    if (argv.includes("--"))
      throw usageError("A command must come first", "To run a program: jobx submit -- PROGRAM");
    return { kind: "help", globals, command: null };
  }
  const entry = findCommand(word);
  if (!entry) throw unknownCommand(word);
  return parseCommand(await loadCommand(entry), argv.slice(at + 1), values);
}

/** Reads the words after a command's name, global options among them. */
export function parseCommand(
  command: LoadedCommand,
  argv: string[],
  values = new OptionValues(),
): Invocation {
  const flags = flagsOf(command.args);
  const ownWords = command.help.ownWords ?? false;
  const scanned = scan(argv, [...flags, ...GLOBAL_FLAGS], values, {
    where: `jobx ${command.name}`,
    foreign: command.help.foreign ?? {},
    rest: command.help.rest ?? null,
    stopAtWord: ownWords,
  });
  const found = ownWords ? splitAtWord(argv, scanned) : scanned;
  const globals = globalsFrom(values);
  if (values.flag("version")) return { kind: "version", globals };
  if (values.flag("help")) return { kind: "help", globals, command };
  const rest = command.help.rest === undefined && !ownWords ? null : found.rest;
  const positionals = rest ? found.words : [...found.words, ...(found.rest ?? [])];
  const args: CommandArgs = { _: positionals };
  for (const flag of flags) {
    const value = flag.type === "boolean" ? values.flag(flag.name) : values.text(flag.name);
    if (value !== undefined) args[flag.name] = value;
    else if (flag.default !== undefined) args[flag.name] = flag.default;
  }
  assignPositionals(command, positionals, args);
  return { kind: "run", globals, command: command.definition, args, positionals, rest, values };
}

const GLOBAL_FLAGS = flagsOf(GLOBAL_ARGS);

const ROOT: Omit<ScanOptions, "stopAtWord"> = { where: "jobx", foreign: {}, rest: null };

/** The first word, which a `--` may precede, and all that follow it. */
function splitAtWord(argv: string[], { stoppedAt, rest }: Scanned): Pick<Scanned, "words" | "rest"> {
  const [word, ...own] = stoppedAt === null ? (rest ?? []) : argv.slice(stoppedAt);
  return { words: word === undefined ? [] : [word], rest: own };
}

function assignPositionals(command: LoadedCommand, words: string[], args: CommandArgs): void {
  const declared = positionalsOf(command.args);
  for (const [index, positional] of declared.entries()) {
    const word = words[index];
    if (word !== undefined) args[positional.name] = word;
    else if (positional.required) {
      throw usageError(
        `jobx ${command.name} needs ${positional.hint}`,
        `${positional.description}. See jobx ${command.name} --help`,
      );
    }
  }
  const surplus = words[declared.length];
  // What takes words behind `--` knows best what somebody meant who left that out.
  if (surplus !== undefined && !declared.at(-1)?.variadic && command.help.rest === undefined) {
    throw usageError(
      `Unexpected argument ${JSON.stringify(surplus)}`,
      declared.length === 0
        ? `jobx ${command.name} takes none`
        : `jobx ${command.name} takes only ${declared.map((one) => one.hint).join(" ")}`,
    );
  }
}

function unknownCommand(word: string): Error {
  const names = COMMANDS.filter((one) => one.group !== "hidden").flatMap((one) => [one.name, ...one.aliases]);
  const near = nearest(word, names);
  return usageError(
    `Unknown command ${JSON.stringify(word)}`,
    word === "version"
      ? "Write jobx --version"
      : near
        ? `Did you mean jobx ${near}?`
        : "jobx --help lists the commands; to run a program: jobx submit -- PROGRAM",
  );
}

function globalsFrom(values: OptionValues): Globals {
  return {
    home: values.text("home") ?? null,
    profile: values.text("profile") ?? null,
    json: values.flag("json") ?? false,
    quiet: values.flag("quiet") ?? false,
    verbose: values.flag("verbose") ?? false,
    color: values.flag("color"),
  };
}

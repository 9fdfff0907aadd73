import { TASK_STATES } from "../../model/states.ts";
import type { LoadedCommand } from "../args/command.ts";
import { type Flag, flagsOf, positionalsOf, spelled } from "../args/flags.ts";
import { GLOBAL_ARGS } from "../args/globals.ts";
import { COMMANDS, findCommand, loadCommand } from "../commands.ts";

/** What the shell adds by itself. */
export type CompletionMode = "none" | "files" | "folders" | "commands";
export type Candidate = { value: string; about: string };
export type Completion = { mode: CompletionMode; candidates: Candidate[] };

/** Where values that are no declarations come from; each is asked only when it is needed. */
export type CompletionSources = {
  jobs(): Candidate[];
  executors(): Candidate[];
  profiles(): Candidate[];
  topics(): Promise<Candidate[]>;
};

/** What fits in place of the last of `words` (those after `jobx`, the last one as far as it is typed). */
export async function completionFor(words: string[], sources: CompletionSources): Promise<Completion> {
  const before = words.slice(0, -1).filter((word) => word !== "=");
  const current = words.at(-1) === "=" ? "" : (words.at(-1) ?? "");
  const globals = flagsOf(GLOBAL_ARGS);
  const at = commandIndex(before, globals);
  const entry = at < 0 ? undefined : findCommand(before[at] ?? "");
  if (!entry) {
    if (at >= 0) return NOTHING;
    return matching(await valueOrWord(globals, null, before, current, sources), current);
  }
  const command = await loadCommand(entry);
  const after = before.slice(at + 1);
  const rest = after.indexOf("--");
  if (rest >= 0) return { ...NOTHING, mode: rest === after.length - 1 ? "commands" : "files" };
  const flags = [...flagsOf(command.args), ...globals];
  if (command.help.ownWords && commandIndex(after, flags) >= 0) return { ...NOTHING, mode: "files" };
  return matching(await valueOrWord(flags, command, after, current, sources), current);
}

const NOTHING: Completion = { mode: "none", candidates: [] };

async function valueOrWord(
  flags: Flag[],
  command: LoadedCommand | null,
  before: string[],
  current: string,
  sources: CompletionSources,
): Promise<Completion> {
  const awaiting = flagAwaitingValue(before.at(-1), flags);
  if (awaiting) return valuesOf(awaiting.name, awaiting.hint, awaiting.options, sources);
  const inline = /^(--[\w-]+)=/.exec(current);
  const flag = flagAwaitingValue(inline?.[1], flags);
  if (inline && flag) {
    const { mode, candidates } = await valuesOf(flag.name, flag.hint, flag.options, sources);
    return { mode, candidates: candidates.map((one) => ({ ...one, value: `${inline[0]}${one.value}` })) };
  }
  if (current.startsWith("-"))
    return { mode: "none", candidates: [...flags.flatMap(spellings), ...restOf(command)] };
  if (!command) return { mode: "none", candidates: commandNames() };
  const words = before.filter(
    (word, index) => !word.startsWith("-") && !flagAwaitingValue(before[index - 1], flags),
  );
  const positionals = positionalsOf(command.args);
  const positional =
    positionals[words.length] ?? (positionals.at(-1)?.variadic ? positionals.at(-1) : undefined);
  const values = positional ? await valuesOf(positional.name, positional.hint, [], sources) : NOTHING;
  return { ...values, candidates: [...values.candidates, ...(words.length === 0 ? restOf(command) : [])] };
}

/** What a value may be, by the placeholder that stands for it in the help. */
async function valuesOf(
  name: string,
  hint: string,
  options: string[],
  sources: CompletionSources,
): Promise<Completion> {
  const list = (candidates: Candidate[]): Completion => ({ mode: "none", candidates });
  if (options.length > 0) return list(options.map((value) => ({ value, about: "" })));
  if (name === "executor") return list(sources.executors());
  if (name === "profile") return list(sources.profiles());
  if (hint.startsWith("PLUGIN")) return { mode: "files", candidates: sources.executors() };
  if (hint.startsWith("SEL")) return list(sources.jobs());
  if (name === "state") return list(TASK_STATES.map((value) => ({ value, about: "" })));
  if (hint === "TOPIC") return list(await sources.topics());
  // Placeholders are in capitals; small letters are the words themselves.
  if (/^[a-z|]+$/.test(hint)) return list(hint.split("|").map((value) => ({ value, about: "" })));
  if (hint.startsWith("FILE") || hint.startsWith("SCRIPT")) return { mode: "files", candidates: [] };
  if (hint === "DIR") return { mode: "folders", candidates: [] };
  return NOTHING;
}

/** The option that the next word belongs to. */
function flagAwaitingValue(word: string | undefined, flags: Flag[]): Flag | undefined {
  if (word === undefined || !word.startsWith("-") || word.includes("=")) return undefined;
  return flags.find(
    (flag) =>
      flag.type !== "boolean" &&
      (word === spelled(flag) ||
        flag.longAliases.some((alias) => word === `--${alias}`) ||
        flag.shorts.some((short) => word === `-${short}`)),
  );
}

/** The first word that is neither a global option nor the value of one; -1 without. */
function commandIndex(words: string[], globals: Flag[]): number {
  return words.findIndex(
    (word, index) => !word.startsWith("-") && !flagAwaitingValue(words[index - 1], globals),
  );
}

function spellings(flag: Flag): Candidate[] {
  const on = { value: spelled(flag), about: flag.description };
  const off = { value: `--no-${flag.long}`, about: flag.negativeDescription ?? flag.description };
  if (!flag.negatable) return [on];
  if (flag.default === true) return [off];
  return flag.negativeDescription ? [on, off] : [on];
}

function restOf(command: LoadedCommand | null): Candidate[] {
  return command?.help.rest ? [{ value: "--", about: command.help.rest }] : [];
}

function commandNames(): Candidate[] {
  const shown = COMMANDS.filter((command) => command.group !== "hidden");
  return shown.map((command) => ({ value: command.name, about: command.summary }));
}

function matching(completion: Completion, current: string): Completion {
  return { ...completion, candidates: completion.candidates.filter((one) => one.value.startsWith(current)) };
}

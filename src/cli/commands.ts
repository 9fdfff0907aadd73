import type { CommandModule, LoadedCommand } from "./args/command.ts";

/** A command before it is loaded: enough for `jobx --help` and completions. */
export type CommandEntry = {
  name: string;
  aliases: string[];
  summary: string;
  group: "Submit" | "Look" | "Steer" | "Set up" | "hidden";
  load: () => Promise<CommandModule>;
};

const entry = (
  group: CommandEntry["group"],
  name: string,
  summary: string,
  load: CommandEntry["load"],
  aliases: string[] = [],
): CommandEntry => ({ name, aliases, summary, group, load });

/** Every command; only the named one is loaded. */
export const COMMANDS: readonly CommandEntry[] = [
  entry("Submit", "submit", "Run a command or an exported function", () => import("./commands/submit.ts")),
  entry("Submit", "run", "Run a script that uses the TypeScript API", () => import("./commands/run.ts")),
  entry("Submit", "retry", "Submit tasks again, as a new job", () => import("./commands/retry.ts")),
  entry("Look", "list", "Jobs, newest first", () => import("./commands/list.ts"), ["ls"]),
  entry("Look", "status", "Counts by state, and the reasons", () => import("./commands/status.ts")),
  entry("Look", "wait", "Wait for the end, with a progress bar", () => import("./commands/wait.ts")),
  entry("Look", "result", "Result values of tasks", () => import("./commands/result.ts")),
  entry("Look", "logs", "Output of tasks", () => import("./commands/logs.ts")),
  entry("Look", "show", "Everything that is known of a job or task", () => import("./commands/show.ts")),
  entry("Steer", "cancel", "Cancel jobs or tasks", () => import("./commands/cancel.ts")),
  entry("Steer", "hold", "Keep pending tasks from starting", () => import("./commands/hold.ts")),
  entry("Steer", "release", "Let held tasks start", () => import("./commands/release.ts")),
  entry("Steer", "shell", "A shell inside a running task", () => import("./commands/shell.ts")),
  entry("Steer", "interrupt", "Try out checkpointing", () => import("./commands/interrupt.ts")),
  entry("Steer", "clean", "Remove finished jobs", () => import("./commands/clean.ts")),
  entry(
    "Set up",
    "config",
    "The configuration and where it comes from",
    () => import("./commands/config.ts"),
  ),
  entry(
    "Set up",
    "plugins",
    "Executors: loaded from where, or why not",
    () => import("./commands/plugins.ts"),
  ),
  entry("Set up", "doctor", "Check this machine", () => import("./commands/doctor.ts")),
  entry("Set up", "init", "Types and a tsconfig for your editor", () => import("./commands/init.ts")),
  entry("Set up", "completions", "Shell completion", () => import("./commands/completions.ts")),
  entry("Set up", "help", "The manual: chapters and commands", () => import("./commands/help.ts")),
  entry(
    "hidden",
    "_complete",
    "Answers the shells' completion scripts",
    () => import("./commands/complete.ts"),
  ),
];

/** The command of that name or alias. */
export function findCommand(name: string): CommandEntry | undefined {
  return COMMANDS.find((command) => command.name === name || command.aliases.includes(name));
}

/** Loads a command's file and resolves its declaration. */
export async function loadCommand(command: CommandEntry): Promise<LoadedCommand> {
  const { default: definition, help = {} } = await command.load();
  const meta = await resolved(definition.meta);
  const args = await resolved(definition.args);
  return {
    name: command.name,
    description: meta?.description ?? command.summary,
    args: args ?? {},
    definition,
    help,
  };
}

/** citty lets a declaration's parts be values, promises or functions that give either. */
async function resolved<T extends object>(
  part: T | Promise<T> | (() => T | Promise<T>) | undefined,
): Promise<T | undefined> {
  return typeof part === "function" ? part() : part;
}

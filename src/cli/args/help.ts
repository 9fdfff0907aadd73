import { COMMANDS } from "../commands.ts";
import type { Style } from "../output.ts";
import type { LoadedCommand } from "./command.ts";
import { type Flag, flagsOf, type Positional, positionalsOf } from "./flags.ts";
import { GLOBAL_ARGS } from "./globals.ts";
import { type Row, rows, wrap } from "./layout.ts";

/** `jobx --help`. */
export function renderRootHelp(style: Style): string {
  const parts = [
    `${style.bold("jobx")} submits commands and TypeScript functions to a cluster or to this machine\nand keeps what they print and give back.`,
    section(style, "Usage", "  jobx COMMAND [options]"),
  ];
  for (const group of ["Submit", "Look", "Steer", "Set up"] as const) {
    const list = COMMANDS.filter((command) => command.group === group);
    const body = list.map((one): Row => [[one.name, ...one.aliases].join(", "), one.summary]);
    parts.push(section(style, group, rows(body, style.cyan, 12)));
  }
  parts.push(section(style, "Everywhere", rows(flagsOf(GLOBAL_ARGS).map(flagRow), style.cyan, 18)));
  parts.push(section(style, "Examples", examplesText(ROOT_EXAMPLES, style)));
  parts.push("jobx COMMAND --help explains one command, jobx help lists the manual's chapters.");
  return `${parts.join("\n\n")}\n`;
}

/** `jobx COMMAND --help`. */
export function renderCommandHelp(command: LoadedCommand, style: Style): string {
  const { help } = command;
  const flags = flagsOf(command.args);
  const positionals = positionalsOf(command.args);
  const usage = help.usage ?? [usageOf(command.name, flags, positionals, help.rest)];
  const parts = [
    wrap(`jobx ${command.name}: ${command.description}`, 80).join("\n"),
    section(style, "Usage", usage.map((line) => `  jobx ${line}`).join("\n")),
  ];
  if (positionals.some((one) => one.description)) {
    parts.push(section(style, "Arguments", rows(positionals.map(positionalRow), style.cyan)));
  }
  for (const [heading, group] of grouped(flags, help.groups ?? {})) {
    parts.push(section(style, heading, rows(group.map(flagRow), style.cyan)));
  }
  parts.push(section(style, "Everywhere", wrap(GLOBALS_IN_SHORT, 78).map(indent).join("\n")));
  if (help.notes)
    parts.push(
      help.notes
        .split("\n")
        .flatMap((line) => wrap(line, 80))
        .join("\n"),
    );
  if (help.examples?.length) parts.push(section(style, "Examples", examplesText(help.examples, style)));
  return `${parts.join("\n\n")}\n`;
}

const GLOBALS_IN_SHORT =
  "--home DIR, --profile NAME, --json, -q/--quiet, -v/--verbose, --no-color, -h/--help (see jobx --help)";

const ROOT_EXAMPLES: [string, string][] = [
  ["jobx submit --cpus 4 --time 1h -- make -j4", "run a command"],
  ["jobx submit --sweep lr=0.1,0.01 -- ./train.sh {lr}", "one task per value"],
  ["jobx submit fit.ts#main --arg 3", "call an exported function"],
  ["jobx wait last && jobx result last", "what came of it"],
];

const indent = (line: string) => `  ${line}`;

function section(style: Style, heading: string, body: string): string {
  return `${style.bold(heading)}\n${body}`;
}

/** Groups in their order, then whatever no group names. */
function grouped(flags: Flag[], groups: Record<string, string[]>): [string, Flag[]][] {
  const named = new Set(Object.values(groups).flat());
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const sections = Object.entries(groups).map(([heading, names]): [string, Flag[]] => [
    heading,
    names.flatMap((name) => byName.get(name) ?? []),
  ]);
  sections.push(["Options", flags.filter((flag) => !named.has(flag.name))]);
  return sections.filter(([, list]) => list.length > 0);
}

function flagRow(flag: Flag): Row {
  const shorts = flag.shorts.map((short) => `-${short}, `).join("");
  const onlyOff = flag.negatable && flag.default === true;
  const long = onlyOff ? `--no-${flag.long}` : `--${flag.long}`;
  const alsoOff = flag.negatable && flag.negativeDescription && !onlyOff ? `, --no-${flag.long}` : "";
  const value = flag.type === "boolean" ? "" : ` ${flag.hint}`;
  const description = onlyOff ? (flag.negativeDescription ?? flag.description) : flag.description;
  const off = alsoOff ? `; or ${flag.negativeDescription}` : "";
  return [`${shorts || "    "}${long}${alsoOff}${value}`, `${description}${off}`];
}

function positionalRow(positional: Positional): Row {
  return [positional.hint, positional.description];
}

function usageOf(name: string, flags: Flag[], positionals: Positional[], rest: string | undefined): string {
  const words = positionals.map((one) => (one.required ? one.hint : `[${one.hint}]`));
  return [name, ...(flags.length > 0 ? ["[options]"] : []), ...words, ...(rest ? [`-- ${rest}`] : [])].join(
    " ",
  );
}

function examplesText(examples: [string, string][], style: Style): string {
  return examples.map(([line, what]) => `  ${style.dim(`# ${what}`)}\n  ${line}`).join("\n");
}

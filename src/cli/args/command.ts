import type { ArgsDef, SubCommandsDef } from "citty";

/**
 * What a command's file exports besides its declaration: `export const help: CommandHelp = {...}`. The
 * declaration says what is parsed, this says how it is explained.
 */
export type CommandHelp = {
  /** Lines after `jobx `; made from the declaration where missing. */
  usage?: string[];
  /** Option names under headings, in order; what no group names stands under "Options". */
  groups?: Record<string, string[]>;
  /** Command lines with what they do; the help ends with them. */
  examples?: [line: string, what: string][];
  /** A paragraph after the options. */
  notes?: string;
  /** What may stand after `--`, kept word for word; without it those words are ordinary ones. */
  rest?: string;
  /** Every word after the first one that is no option belongs to what that one names, options too; they arrive as `rest`. */
  ownWords?: boolean;
  /** Flags of other tools that people try, with what to use instead: `{ "--output": "..." }`. */
  foreign?: Record<string, string>;
};

/** citty's type for a command with whatever options, as it writes it for subcommands. */
export type AnyCommand = Exclude<SubCommandsDef[string], Promise<unknown> | (() => unknown)>;

/** A command's module. A positional whose `valueHint` ends with `...` takes several words. */
export type CommandModule = { default: AnyCommand; help?: CommandHelp };

/** A command that was named, with its declaration at hand. */
export type LoadedCommand = {
  name: string;
  description: string;
  args: ArgsDef;
  definition: AnyCommand;
  help: CommandHelp;
};

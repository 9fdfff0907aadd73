import type { ArgsDef } from "citty";

/** Options of every command, before it or after it. */
export const GLOBAL_ARGS = {
  home: { type: "string", valueHint: "DIR", description: "Where jobs are kept (JOBX_HOME; default ~/.jobx)" },
  profile: { type: "string", valueHint: "NAME", description: "A [profile.NAME] table of the configuration" },
  json: { type: "boolean", description: "One JSON document on standard output" },
  quiet: { type: "boolean", alias: "q", description: "Ids or bare values only" },
  verbose: { type: "boolean", alias: "v", description: "Show every scheduler command; stacks of errors" },
  color: {
    type: "boolean",
    default: true,
    description: "Colours even where standard output is no terminal",
    negativeDescription: "No colours; NO_COLOR in the environment does the same",
  },
  help: { type: "boolean", alias: "h", description: "Show this" },
  version: { type: "boolean", description: "Print the version" },
} as const satisfies ArgsDef;

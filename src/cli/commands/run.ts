import { defineCommand } from "citty";

import { anchored } from "../../config/layers.ts";
import { usageError } from "../../errors.ts";
import type { CommandHelp } from "../args/command.ts";
import { type CliContext, contextOf } from "../context.ts";
import { isTerminal, wantsColor } from "../output.ts";
import { findScript } from "../script/find.ts";
import { runScript } from "../script/run.ts";

export const help: CommandHelp = {
  usage: ["run [options] SCRIPT.ts [ARG...]"],
  ownWords: true,
  examples: [
    ["jobx run sweep.ts", "a script that submits and collects"],
    ["jobx run --home /scratch/me/jobs sweep.ts --lr 0.1 -v", "what follows the script is its own"],
  ],
  notes:
    "The script needs no Bun, Node or package installed: jobx is its runtime, and `jobx` is what it imports the API from. Packages of a node_modules folder beside or above it and the paths of its tsconfig.json work as well. It ends when nothing keeps it alive; its exit code is jobx's. jobx help api is a tour.",
};

export default defineCommand({
  meta: { name: "run", description: "run a script that uses the TypeScript API" },
  args: {
    script: {
      type: "positional",
      required: true,
      valueHint: "SCRIPT.ts",
      description: "A TypeScript or JavaScript file; every word after it is the script's own",
    },
  },
  run({ args, data }) {
    const context = contextOf(data);
    const { globals, env, cwd, rest } = context;
    const file = findScript(args.script, cwd);
    passOn(context);
    const colors = wantsColor(globals.color, env, () => isTerminal(2));
    return runScript(file, rest ?? [], colors);
  },
});

/** Global options before the script, for the API in it and for every jobx that it starts. */
function passOn({ globals, env, cwd }: CliContext): void {
  for (const name of ["json", "quiet"] as const) {
    if (!globals[name]) continue;
    throw usageError(
      `jobx run prints nothing of its own, so --${name} means nothing to it`,
      `After the script's name it is the script's: jobx run SCRIPT.ts --${name}`,
    );
  }
  if (globals.home === "") throw usageError('--home is ""', "Name a folder, or leave --home out");
  if (globals.home !== null) env.JOBX_HOME = String(anchored("home", globals.home, cwd, env));
  if (globals.profile !== null) env.JOBX_PROFILE = globals.profile;
  if (globals.verbose) env.JOBX_VERBOSE = "1";
}

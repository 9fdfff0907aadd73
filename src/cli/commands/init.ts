import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { defineCommand } from "citty";

import { JobxError } from "../../errors.ts";
import type { CommandHelp } from "../args/command.ts";
import { contextOf } from "../context.ts";
import declarations from "../init/jobx.d.ts.txt" with { type: "text" };
import tsconfig from "../init/tsconfig.json.txt" with { type: "text" };

export const help: CommandHelp = {
  examples: [["jobx init", "in the folder of your task files"]],
  notes:
    "jobx itself needs neither file: they are for editors and type checkers. A tsconfig.json that is there stays as it is.",
};

/** The first line of a jobx.d.ts that may be written anew. */
const MARK = declarations.split("\n")[0] ?? "";

export default defineCommand({
  meta: { name: "init", description: "write types and a tsconfig, so that an editor knows `jobx`" },
  args: {
    dir: {
      type: "positional",
      required: false,
      valueHint: "DIR",
      description: "The folder; this one by default",
    },
  },
  run({ args, data }) {
    const { output, cwd } = contextOf(data);
    const dir = resolve(cwd, args.dir ?? ".");
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
      throw new JobxError("NOT_FOUND", `There is no folder ${dir}`, {
        hint: `Make it first: mkdir -p ${dir}`,
      });
    }
    const types = join(dir, "jobx.d.ts");
    const config = join(dir, "tsconfig.json");
    if (existsSync(types) && !readFileSync(types, "utf8").startsWith(MARK)) {
      throw new JobxError("REFUSED", `${types} is there, and jobx did not write it`, {
        hint: "Rename it, then run jobx init again",
      });
    }
    writeFileSync(types, declarations);
    const kept = existsSync(config);
    if (!kept) writeFileSync(config, tsconfig);
    const written = kept ? [types] : [types, config];
    output.result({
      json: { written, kept: kept ? [config] : [] },
      quiet: written,
      text: () =>
        [
          ...written.map((path) => `Wrote ${path}`),
          ...(kept ? [`Kept ${config}; see that it includes jobx.d.ts`] : []),
          `Your files can now say: import { createExecutor } from "jobx"`,
          `All of the runtime's own types: npm i -D @types/bun, and "types": ["bun"] in tsconfig.json`,
        ].join("\n"),
    });
  },
});

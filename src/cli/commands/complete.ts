import { defineCommand } from "citty";

import type { CommandHelp } from "../args/command.ts";
import { contextOf } from "../context.ts";

export const help: CommandHelp = { rest: "WORD..." };

/** Asked by the shells' completion scripts. It never fails aloud: a broken line completes to nothing. */
export default defineCommand({
  meta: { name: "_complete", description: "answer a shell's completion script", hidden: true },
  async run({ data }) {
    const context = contextOf(data);
    try {
      const [{ completionFor }, { completionSources }] = await Promise.all([
        import("../completions/complete.ts"),
        import("../completions/sources.ts"),
      ]);
      const { mode, candidates } = await completionFor(
        context.rest ?? [""],
        await completionSources(context),
      );
      const lines = candidates.map(({ value, about }) => (about === "" ? value : `${value}\t${about}`));
      context.output.write(`${[mode, ...lines].join("\n")}\n`);
    } catch {
      context.output.write("none\n");
    }
  },
});

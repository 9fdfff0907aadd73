import { defineCommand } from "citty";

import { usageError } from "../../errors.ts";
import type { CommandHelp } from "../args/command.ts";
import { COMPLETION_SCRIPTS, SHELLS } from "../completions/scripts.ts";
import { contextOf } from "../context.ts";

export const help: CommandHelp = {
  examples: [
    [`echo 'eval "$(jobx completions bash)"' >> ~/.bashrc`, "bash"],
    [`echo 'eval "$(jobx completions zsh)"' >> ~/.zshrc`, "zsh"],
    ["jobx completions fish > ~/.config/fish/completions/jobx.fish", "fish"],
  ],
};

export default defineCommand({
  meta: { name: "completions", description: "print the completion script of a shell" },
  args: {
    shell: { type: "positional", valueHint: "bash|zsh|fish", description: "The shell you use" },
  },
  run({ args, data }) {
    const shell = SHELLS.find((name) => name === args.shell);
    if (!shell)
      throw usageError(`No completion for ${JSON.stringify(args.shell)}`, `There are ${SHELLS.join(", ")}`);
    contextOf(data).output.write(COMPLETION_SCRIPTS[shell]);
  },
});

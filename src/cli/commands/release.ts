import { defineCommand } from "citty";

import { releaseJobs } from "../../orchestrator/control.ts";
import type { CommandHelp } from "../args/command.ts";
import { selectors } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { control } from "../control.ts";

export const help: CommandHelp = {
  examples: [["jobx release 12", "what jobx hold has kept back"]],
};

export default defineCommand({
  meta: { name: "release", description: "let held tasks start" },
  args: { sel: selectors },
  async run({ data }) {
    await control(contextOf(data), releaseJobs, {
      done: "Released",
      nothing: "Nothing to release in",
      passedOver: ["is not held", "are not held"],
    });
  },
});

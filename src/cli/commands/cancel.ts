import { defineCommand } from "citty";

import { cancelJobs } from "../../orchestrator/control.ts";
import type { CommandHelp } from "../args/command.ts";
import { selectors } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { control } from "../control.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx cancel 12", "the whole job"],
    ["jobx cancel 12.5-9 13", "some of its tasks, and another job"],
  ],
};

export default defineCommand({
  meta: { name: "cancel", description: "cancel jobs or tasks; says what was still to be cancelled" },
  args: { sel: selectors },
  async run({ data }) {
    await control(contextOf(data), cancelJobs, { done: "Cancelled", nothing: "Nothing to cancel in" });
  },
});

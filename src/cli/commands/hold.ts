import { defineCommand } from "citty";

import { holdJobs } from "../../orchestrator/control.ts";
import type { CommandHelp } from "../args/command.ts";
import { selectors } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { control } from "../control.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx hold 12", "what has not started yet"],
    ["jobx hold 12.5-9", "some of its tasks"],
  ],
};

export default defineCommand({
  meta: { name: "hold", description: "keep pending tasks from starting; jobx release lets them" },
  args: { sel: selectors },
  async run({ data }) {
    await control(contextOf(data), holdJobs, {
      done: "Held",
      nothing: "Nothing to hold in",
      passedOver: ["has already started", "have already started"],
    });
  },
});

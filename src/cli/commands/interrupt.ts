import { defineCommand } from "citty";

import { interruptJobs } from "../../orchestrator/control.ts";
import type { CommandHelp } from "../args/command.ts";
import { selectors } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { control } from "../control.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx interrupt 12.3", "as a preemption would"],
    ["jobx interrupt 12.3 --timeout", "as its time limit would"],
  ],
  notes:
    "The task gets the signal that a preemption would send; with --timeout the one that comes before its time limit. What it does then is what it would do on a cluster: save, leave, and run again. If it is still there when the usual notice (--signal-delay) is over, it is ended, unless it could not be run again. See jobx help checkpointing.",
};

export default defineCommand({
  meta: { name: "interrupt", description: "send the preemption signal, to try out checkpointing" },
  args: {
    sel: selectors,
    timeout: { type: "boolean", description: "The warning before the time limit instead" },
  },
  async run({ args, data }) {
    const kind = args.timeout ? "timeout" : "preempted";
    await control(contextOf(data), (services, selected) => interruptJobs(services, selected, kind), {
      done: `Sent the warning of ${args.timeout ? "a time limit" : "a preemption"} to`,
      nothing: "Nothing to interrupt in",
      passedOver: ["does not run", "do not run"],
    });
  },
});

import { defineCommand } from "citty";

import { resolveSelectors } from "../../orchestrator/select.ts";
import type { CommandHelp } from "../args/command.ts";
import { parseTime, selectors } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { reportEnd } from "../ending.ts";
import { waitWithProgress } from "../waiting.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx wait last", "until the newest job has ended"],
    ["jobx wait 12 13.0-9 --timeout 30m || jobx status 12 13", "at most half an hour"],
  ],
  notes:
    "Exit code 0: every task succeeded; 1: some did not; 5: --timeout passed; 130: Ctrl-C. Jobs go on, whatever ends the wait.",
};

export default defineCommand({
  meta: { name: "wait", description: "wait for the end, with progress" },
  args: {
    sel: selectors,
    timeout: {
      type: "string",
      valueHint: "T",
      description: "Give up after this long: 30 (minutes), 45s, 2h",
    },
  },
  async run({ data }) {
    const context = contextOf(data);
    const timeoutSeconds = parseTime(context.values.text("timeout"));
    const services = context.services();
    const selected = await resolveSelectors(services, context.positionals);
    const scopes = await waitWithProgress(context, services, selected, { timeoutSeconds });
    return reportEnd(context.output, scopes);
  },
});

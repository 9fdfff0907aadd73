import { defineCommand } from "citty";

import { resolveOne } from "../../orchestrator/select.ts";
import { readJob } from "../../orchestrator/view.ts";
import type { CommandHelp } from "../args/command.ts";
import { selector } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { toJson } from "../json-value.ts";
import { nameOfScope, scopeOf } from "../selection.ts";
import { gatherDetails } from "../show-details.ts";
import { MOST_TASKS, renderDetails } from "../show-text.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx show 12", "the request, the script, the paths, what it used"],
    ["jobx show 12.3 --json", "one task with its parameters and attempts"],
  ],
};

export default defineCommand({
  meta: { name: "show", description: "everything that is known of a job or of tasks" },
  args: { sel: selector },
  async run({ data }) {
    const context = contextOf(data);
    const { output } = context;
    const services = context.services();
    const selected = await resolveOne(services, context.positionals);
    const view = await readJob(services, selected.id);
    const count = selected.tasks?.length ?? view.spec.tasks;
    const details = gatherDetails(scopeOf(view, selected.tasks), {
      brief: output.form !== "json" && count > MOST_TASKS,
    });
    output.result({
      json: output.form === "json" ? toJson(details) : null,
      quiet: [nameOfScope(selected.id, selected.tasks)],
      text: () => renderDetails(details, output.style),
    });
  },
});

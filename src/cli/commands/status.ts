import { defineCommand } from "citty";

import { usageError } from "../../errors.ts";
import { resolveKnown, resolveSelectors } from "../../orchestrator/select.ts";
import { readJobs } from "../../orchestrator/view.ts";
import type { CommandHelp } from "../args/command.ts";
import { selectors } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { type Scope, subjectsOf } from "../selection.ts";
import { jobJson, oneOrMany } from "../status-json.ts";
import { renderStatus } from "../status-text.ts";
import { scopesOf } from "../waiting.ts";
import { watchStatus } from "../watching.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx status last", "how the newest job stands, and why"],
    ["jobx status 12.0-9 --tasks", "a line per task"],
  ],
};

export default defineCommand({
  meta: { name: "status", description: "counts by state, why tasks wait and why they failed" },
  args: {
    sel: selectors,
    tasks: { type: "boolean", description: "Every task on a line" },
    watch: { type: "boolean", description: "Show it again on every change, until the end" },
  },
  async run({ args, data }) {
    const context = contextOf(data);
    const { output } = context;
    if (args.watch && output.form === "json") {
      throw usageError(
        "--json gives one document, and --watch would give many",
        "Leave one of the two out, or use jobx wait --json",
      );
    }
    const services = context.services();
    const tasks = args.tasks === true;
    if (args.watch) {
      const watched = await resolveSelectors(services, context.positionals);
      return await watchStatus(context, services, watched, { tasks });
    }
    const { selected, missing } = await resolveKnown(services, context.positionals);
    const subjects = subjectsOf(selected);
    const views = await readJobs(
      services,
      subjects.map(({ id }) => id),
      { detail: true },
    );
    const scopes = scopesOf(views, subjects);
    output.result({
      json: oneOrMany(scopes.map((scope) => jobJson(scope, { tasks }))),
      quiet: scopes.map((scope) => scope.state),
      text: () => renderStatus(scopes, output.style, { tasks }),
    });
    warnOfDamage(output.warn, scopes);
    const [first, ...more] = missing;
    for (const error of more) output.warn(error.message);
    if (first) throw first;
  },
});

function warnOfDamage(warn: (text: string) => void, scopes: readonly Scope[]): void {
  for (const { view } of scopes) {
    for (const { file, offset, bytes } of view.damage) {
      warn(`Damaged: ${file} at offset ${offset}, ${bytes} bytes; the records there cannot be read`);
    }
  }
}

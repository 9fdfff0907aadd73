import { defineCommand } from "citty";

import { resolveOne } from "../../orchestrator/select.ts";
import { readJob } from "../../orchestrator/view.ts";
import type { CommandHelp } from "../args/command.ts";
import { selector } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { reportFailures } from "../failures.ts";
import { toJson } from "../json-value.ts";
import type { Output } from "../output.ts";
import { showValue } from "../people-value.ts";
import { collectValues } from "../result-values.ts";
import { scopeOf } from "../selection.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx result 12.3", "one value"],
    ["jobx result 12 | jq length", "of several tasks a JSON array in order"],
  ],
  notes:
    "Of several tasks, or of one task's several ranks, a JSON array; null stands where there is no value, and the exit code is then 1. " +
    "What JSON has not is written as: BigInt and Date (ISO 8601) strings; Map an array of pairs; Set and typed arrays arrays; " +
    'ArrayBuffer base64; undefined null; NaN and Infinity strings; a value inside itself {"$ref": path}.',
};

export default defineCommand({
  meta: { name: "result", description: "the value that tasks gave back" },
  args: { sel: selector },
  async run({ data }) {
    const context = contextOf(data);
    const { output } = context;
    const services = context.services();
    const selected = await resolveOne(services, context.positionals);
    const view = await readJob(services, selected.id);
    const { values, several, missing, problems } = collectValues(view, selected);
    if (several) showSeveral(output, values);
    else if (!missing) showOne(output, values[0]);
    else if (output.form === "json") output.result({ json: null, quiet: [], text: () => "" });
    if (!missing) {
      const { entry, run } = view.spec;
      const mute = entry.kind === "command" && !run.capture && values.every((value) => value === null);
      if (mute && output.form === "people") output.note(NO_VALUE);
      return 0;
    }
    for (const problem of problems) output.warn(problem);
    reportFailures(output, [scopeOf(view, selected.tasks)]);
    return 1;
  },
});

const NO_VALUE =
  "A command gives a value when it is submitted with --capture, or writes JSON to the file that JOBX_RESULT names";

function showOne(output: Output, value: unknown): void {
  const colors = output.style.bold("x") !== "x";
  output.result({
    json: toJson(value),
    quiet: [bare(value)],
    text: () => showValue(value, colors),
  });
}

function showSeveral(output: Output, values: readonly unknown[]): void {
  const lines = () => values.map((value) => `  ${JSON.stringify(toJson(value))}`).join(",\n");
  output.result({
    json: output.form === "json" ? values.map(toJson) : null,
    quiet: output.form === "quiet" ? values.map(bare) : [],
    text: () => `[\n${lines()}\n]`,
  });
}

/** A string as it is, anything else as JSON on one line. */
function bare(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(toJson(value));
}

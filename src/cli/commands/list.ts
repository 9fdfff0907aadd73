import { defineCommand } from "citty";

import { finalOf } from "../../model/states.ts";
import { type JobSummary, listJobs } from "../../orchestrator/list.ts";
import type { CommandHelp } from "../args/command.ts";
import { parseWhole } from "../arguments.ts";
import { contextOf } from "../context.ts";
import type { Style } from "../output.ts";
import { printable } from "../printable.ts";
import { paintState, parseStates } from "../states.ts";
import { jobJsonOf } from "../status-json.ts";
import { type Column, outputWidth, renderTable } from "../table.ts";
import { showAge, showDuration } from "../times.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx list -n 10", "the ten newest"],
    ["jobx list --state failed,lost --name 'train*'", "what went wrong"],
  ],
};

export default defineCommand({
  meta: { name: "list", description: "jobs, newest first" },
  args: {
    state: { type: "string", valueHint: "S", description: "Only jobs in this state (several with commas)" },
    name: { type: "string", valueHint: "GLOB", description: "Only jobs of this name: train, 'fit-*'" },
    limit: { type: "string", alias: "n", valueHint: "N", description: "At most this many" },
  },
  async run({ data }) {
    const context = contextOf(data);
    const { output, values } = context;
    const state = values.text("state");
    const limit = values.text("limit");
    const jobs = await listJobs(context.services(), {
      states: state === undefined ? undefined : parseStates(state),
      name: values.text("name"),
      limit: limit === undefined ? undefined : parseWhole("-n", limit),
    });
    output.result({
      json: jobs.map(jobJsonOf),
      quiet: jobs.map((job) => String(job.id)),
      text: () => (jobs.length === 0 ? "" : tableOf(jobs, output.style)),
    });
    if (jobs.length > 0) return;
    const filtered = FILTERS.some((name) => values.has(name));
    output.note(filtered ? "No job matches" : "No jobs yet; submit one: jobx submit -- COMMAND");
  },
});

const FILTERS = ["state", "name", "limit"];

const COLUMNS: Column[] = [
  { title: "ID", align: "right" },
  { title: "NAME", shrink: 4 },
  { title: "EXECUTOR" },
  { title: "STATE" },
  { title: "DONE", align: "right" },
  { title: "AGE", align: "right" },
  { title: "TOOK", align: "right" },
];

function tableOf(jobs: readonly JobSummary[], style: Style): string {
  const rows = jobs.map((job) => [
    String(job.id),
    printable(job.name),
    job.executor,
    paintState(job.state, style),
    `${finalOf(job.counts)}/${job.tasks}`,
    showAge(job.created),
    showDuration(job.seconds),
  ]);
  return renderTable(COLUMNS, rows, { width: outputWidth(), title: style.dim });
}

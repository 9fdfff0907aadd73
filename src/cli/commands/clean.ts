import { createInterface } from "node:readline/promises";

import { defineCommand } from "citty";

import { isFinal, TASK_STATES } from "../../model/states.ts";
import { cleanHome, type CleanOptions, type CleanReport } from "../../orchestrator/clean.ts";
import type { Services } from "../../orchestrator/services.ts";
import type { CommandHelp } from "../args/command.ts";
import { parseTime } from "../arguments.ts";
import { renderClean, summaryOfClean } from "../clean-text.ts";
import { contextOf } from "../context.ts";
import type { Output } from "../output.ts";
import { parseStates } from "../states.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx clean --dry-run", "what would go, and how much it is"],
    ["jobx clean --older-than 30d", "jobs that ended more than 30 days ago"],
    ["jobx clean --state succeeded", "keep what failed"],
  ],
  notes:
    "Jobs that have not ended stay, and so do jobs that such a one waits for. Code and runtimes go once no job refers to them; those of the last hour stay.",
};

export default defineCommand({
  meta: { name: "clean", description: "remove finished jobs and snapshots that nothing refers to" },
  args: {
    "older-than": {
      type: "string",
      valueHint: "T",
      description: "Only jobs that ended this long ago: 30d, 12h",
    },
    state: { type: "string", valueHint: "S", description: "Only jobs in this state (several with commas)" },
    "dry-run": { type: "boolean", description: "Say what would go; remove nothing" },
  },
  async run({ args, data }) {
    const context = contextOf(data);
    const { output, values } = context;
    const state = values.text("state");
    const dryRun = args["dry-run"] === true;
    const options: CleanOptions = {
      olderThanSeconds: parseTime(values.text("older-than")),
      states: state === undefined ? undefined : parseStates(state, TASK_STATES.filter(isFinal)),
      dryRun,
    };
    const services = context.services();
    const unlimited = !dryRun && options.olderThanSeconds === undefined && !options.states;
    if (unlimited && output.form === "people" && process.stdin.isTTY && !(await agreed(services, output)))
      return;
    const report = await cleanHome(services, options);
    output.result({
      json: { dryRun, ...report },
      quiet: report.jobs.map((job) => String(job.id)),
      text: () => renderClean(report, output.style, { dryRun }),
    });
  },
});

/** Everything that has ended is much to lose by a slip: somebody at a terminal is asked first. */
async function agreed(services: Services, output: Output): Promise<boolean> {
  const report: CleanReport = await cleanHome(services, { dryRun: true });
  if (report.jobs.length === 0) return true;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(
      `Remove ${summaryOfClean(report)}, with their results and logs? [y/N] `,
    );
    if (/^y(es)?$/i.test(answer.trim())) return true;
    output.note("Nothing was removed");
    return false;
  } finally {
    prompt.close();
  }
}

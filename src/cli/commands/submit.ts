import { join } from "node:path";

import { defineCommand } from "citty";

import { resolveOne } from "../../orchestrator/select.ts";
import type { Services } from "../../orchestrator/services.ts";
import { chooseExecutor, submitJob, type Submitted } from "../../orchestrator/submit.ts";
import { type CliContext, contextOf } from "../context.ts";
import { printSubmitted } from "../submit/answer.ts";
import { entryFrom } from "../submit/entry.ts";
import { checkExecutorName } from "../submit/executor-options.ts";
import { submitFlags, submitHelp } from "../submit/flags.ts";
import { submitInputFrom } from "../submit/input.ts";
import { directivesOf } from "../submit/script.ts";
import { SubmitSettings } from "../submit/settings.ts";

export const help = submitHelp;

export default defineCommand({
  meta: { name: "submit", description: "run a command, or an exported function, as a job" },
  args: submitFlags,
  async run({ data }) {
    const context = contextOf(data);
    const services = await context.services();
    const input = await inputFrom(context, services);
    const { values, output } = context;
    if (values.flag("dry-run")) {
      const { planJob } = await import("../../orchestrator/plan.ts");
      const { text } = await planJob(services, input);
      output.result({ json: { plan: text }, quiet: [text], text: () => text });
      return 0;
    }
    const submitted = await submitJob(services, input);
    // The debug executor has run the job by now: its exit code can be had for nothing.
    const wait = values.flag("wait") || values.flag("follow") || submitted.executor === "debug";
    if (!wait) {
      printSubmitted(output, submitted);
      return 0;
    }
    return waitForEnd(context, services, submitted);
  },
});

/** The submission that the words and options ask for. */
async function inputFrom(context: CliContext, services: Services) {
  const { values, cwd, env } = context;
  const config = await context.config();
  const entry = entryFrom(context.positionals, context.rest, cwd);
  const choice = {
    use: values.flag("use-directives") ?? false,
    ignore: values.flag("ignore-directives") ?? false,
  };
  const directives = entry.kind === "command" ? directivesOf(entry.argv, cwd, choice) : null;
  for (const note of directives?.notes ?? []) context.output.note(note);
  const settings = new SubmitSettings({ flags: values, directives: directives?.flags ?? {}, config });
  const logs = join(services.home, "jobs", "ID", "logs");
  const wanted = checkExecutorName(settings.text("executor") ?? "auto", logs);
  const { executor } = await chooseExecutor(services, wanted);
  const slurmOptions = directives?.options ?? {};
  const ignored = executor.name === "slurm" ? [] : Object.keys(slurmOptions);
  if (ignored.length > 0) {
    context.output.note(`${ignored.map((name) => `--${name}`).join(", ")} is ignored: only slurm knows it`);
  }
  return submitInputFrom(settings, {
    entry,
    executor: executor.name,
    env,
    cwd,
    logs,
    slurmOptions,
    stdin: () => Bun.stdin.text(),
    async resolveAfter(selector) {
      const { id, tasks } = await resolveOne(services, [selector]);
      return tasks === null ? { job: id } : { job: id, tasks };
    },
  });
}

/** `--wait` and `--follow`: the id at once, then the end, with the exit code of `jobx wait`. */
async function waitForEnd(context: CliContext, services: Services, submitted: Submitted): Promise<number> {
  const { output, values } = context;
  const [{ resolveSelectors }, { exitCodeOf, waitWithProgress }, { reportFailures }] = await Promise.all([
    import("../../orchestrator/select.ts"),
    import("../waiting.ts"),
    import("../failures.ts"),
  ]);
  if (output.form !== "json") printSubmitted(output, submitted, { next: false });
  const selected = await resolveSelectors(services, [String(submitted.id)]);
  if (values.flag("follow")) {
    const { followSelected } = await import("../following.ts");
    await followSelected(context, services, selected);
  }
  const scopes = await waitWithProgress(context, services, selected);
  const [scope] = scopes;
  if (output.form === "json") {
    output.result({
      json: { ...submitted, state: scope?.state, counts: scope?.counts },
      quiet: [],
      text: () => "",
    });
  }
  reportFailures(output, scopes);
  return exitCodeOf(scopes);
}

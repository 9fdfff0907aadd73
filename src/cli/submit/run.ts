import { join, resolve } from "node:path";

import { SubmitSettings } from "../../config/settings.ts";
import { usageError } from "../../errors.ts";
import { resolveOne } from "../../orchestrator/select.ts";
import type { Services } from "../../orchestrator/services.ts";
import { chooseExecutor, submitJob, type Submitted } from "../../orchestrator/submit.ts";
import type { CliContext } from "../context.ts";
import { reportEnd } from "../ending.ts";
import { reportFailures } from "../failures.ts";
import { followToEnd } from "../following.ts";
import { exitCodeOf, waitWithProgress } from "../waiting.ts";
import { printSubmitted } from "./answer.ts";
import { entryFrom, type EntryWords } from "./entry.ts";
import { checkExecutorName, checkPrefixes } from "./executor-options.ts";
import { submitInputFrom } from "./input.ts";
import { directivesOf } from "./script.ts";

/** `jobx submit`; gives the exit code. */
export async function runSubmit(context: CliContext): Promise<number> {
  const { values, output } = context;
  if (values.flag("follow") && output.form === "json") {
    throw usageError("--follow shows logs, and --json allows one document alone", "Use --wait with --json");
  }
  const entry = entryFrom(context.positionals, context.rest, context.cwd);
  const services = await context.services();
  const input = await inputFrom(context, services, entry);
  if (values.flag("dry-run")) {
    const { planText } = await import("./plan-text.ts");
    const text = await planText(services, input, output.style);
    output.result({ json: { plan: text }, quiet: [text], text: () => text });
    return 0;
  }
  const submitted = await submitJob(services, input);
  // The debug executor has run the job by now: its exit code can be had for nothing.
  const wait = values.flag("wait") || values.flag("follow") || submitted.executor === "debug";
  if (!wait) {
    printSubmitted(output, submitted, { valued: input.entry.kind === "function" || input.run.capture });
    return 0;
  }
  return waitForEnd(context, services, submitted);
}

/** The submission that the words and options ask for. */
export async function inputFrom(context: CliContext, services: Services, entry: EntryWords) {
  const { values, cwd, env } = context;
  const config = await context.config();
  const choice = {
    use: values.flag("use-directives") ?? false,
    ignore: values.flag("ignore-directives") ?? false,
  };
  // Where the command will look for its script.
  const folder = resolve(cwd, values.text("chdir") ?? "");
  const directives = entry.kind === "command" ? directivesOf(entry.argv, folder, choice) : null;
  for (const note of directives?.notes ?? []) context.output.note(note);
  const settings = new SubmitSettings({ flags: values, directives: directives?.flags ?? {}, config });
  const logs = join(services.home, "jobs", "ID", "logs");
  const wanted = checkExecutorName(settings.text("executor") ?? "auto", logs);
  const { executor } = await chooseExecutor(services, wanted);
  await checkPrefixes(settings.all("option"), services.executors);
  const slurmOptions = directives?.options ?? {};
  const ignored = executor.name === "slurm" ? [] : Object.keys(slurmOptions);
  if (ignored.length > 0) {
    context.output.note(
      `Ignored, because only slurm knows it: ${ignored.map((name) => `--${name}`).join(", ")}`,
    );
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
  const { output } = context;
  // The debug executor's job is over by now: how it ended says that there was one.
  const isOver = submitted.executor === "debug" && output.form === "people";
  if (output.form !== "json" && !isOver) printSubmitted(output, submitted, { next: false });
  const selected = await resolveOne(services, [String(submitted.id)]);
  const scopes = context.values.flag("follow")
    ? [await followToEnd(context, services, selected)]
    : await waitWithProgress(context, services, [selected]);
  // What was followed, and what the debug executor ran, has passed by on this very terminal.
  const told = { outputSeen: context.values.flag("follow") === true || submitted.executor === "debug" };
  if (output.form === "people") return reportEnd(output, scopes, told);
  if (output.form === "json") {
    const [scope] = scopes;
    const json = { ...submitted, state: scope?.state, counts: scope?.counts };
    output.result({ json, quiet: [], text: () => "" });
  }
  reportFailures(output, scopes, told);
  return exitCodeOf(scopes);
}

import { join, resolve } from "node:path";

import { textOf } from "../../config/read-text.ts";
import { SubmitSettings } from "../../config/settings.ts";
import type { Services } from "../../orchestrator/services.ts";
import { chooseExecutor, submitJob } from "../../orchestrator/submit.ts";
import type { CliContext } from "../context.ts";
import { answer, checkFollow } from "./answer.ts";
import { entryFrom, type EntryWords } from "./entry.ts";
import { checkExecutorName, checkPrefixes } from "./executor-options.ts";
import { submitInputFrom } from "./input.ts";
import { directivesOf } from "./script.ts";

/** `jobx submit`; gives the exit code. */
export async function runSubmit(context: CliContext): Promise<number> {
  const { values, output } = context;
  checkFollow(context);
  const entry = entryFrom(context.positionals, context.rest, context.cwd);
  const services = context.services();
  const input = await inputFrom(context, services, entry);
  if (values.flag("dry-run")) {
    const [{ planJob }, { answerPlan }] = await Promise.all([
      import("../../orchestrator/plan.ts"),
      import("./plan-text.ts"),
    ]);
    answerPlan(output, await planJob(services, input));
    return 0;
  }
  const submitted = await submitJob(services, input);
  return answer(context, services, submitted, input.entry.kind === "function" || input.run.capture);
}

/** The submission that the words and options ask for. */
export async function inputFrom(context: CliContext, services: Services, entry: EntryWords) {
  const { values, cwd, env } = context;
  const config = context.config();
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
    stdin: async () => textOf(await Bun.stdin.bytes(), "standard input"),
    async resolveAfter(selector) {
      const { resolveOne } = await import("../../orchestrator/select.ts");
      const { id, tasks } = await resolveOne(services, [selector]);
      return tasks === null ? { job: id } : { job: id, tasks };
    },
  });
}

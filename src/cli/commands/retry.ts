import { defineCommand } from "citty";

import { type ResourceOption, toResources } from "../../config/resources.ts";
import { cleanJobEnvironment } from "../../model/env-clean.ts";
import { planRetry, retryJob } from "../../orchestrator/retry.ts";
import { resolveOne } from "../../orchestrator/select.ts";
import type { CommandHelp } from "../args/command.ts";
import { selector } from "../arguments.ts";
import { contextOf } from "../context.ts";
import { resourceFlags } from "../resource-flags.ts";
import { answer, answerFlags, checkFollow } from "../submit/answer.ts";

export const help: CommandHelp = {
  examples: [
    ["jobx retry 12 --failed --mem 8G", "what failed, with more memory"],
    ["jobx retry 12.3,7 --follow", "two of its tasks, with their logs as they grow"],
    ["jobx retry 12 --resume -t 4h", "on from its last saves, with more time"],
  ],
  groups: { "What one task needs, where it shall differ": Object.keys(resourceFlags) },
  notes:
    "The new job has the same code, arguments and folder, and names the one it came from. Its tasks start from the beginning, unless --resume gives them copies of what those before them have saved: their states and checkpoint folders.",
};

export default defineCommand({
  meta: { name: "retry", description: "submit tasks again, as a new job" },
  args: {
    sel: selector,
    failed: { type: "boolean", description: "Only those that did not succeed" },
    resume: { type: "boolean", description: "Go on from what they have saved, not from the beginning" },
    ...resourceFlags,
    ...answerFlags,
    "dry-run": { type: "boolean", description: "Print the script and commands; touch nothing" },
  },
  async run({ args, data }) {
    const context = contextOf(data);
    checkFollow(context);
    const resources = toResources((flag: ResourceOption) => context.values.text(flag));
    const services = context.services();
    const selected = await resolveOne(services, context.positionals);
    const input = {
      failedOnly: args.failed === true,
      resume: args.resume === true,
      resources,
      environment: cleanJobEnvironment(services.env, { cleanEnv: selected.spec.run.cleanEnv }),
    };
    if (args["dry-run"] === true) {
      const { answerPlan } = await import("../submit/plan-text.ts");
      answerPlan(context.output, await planRetry(services, selected, input));
      return 0;
    }
    const submitted = await retryJob(services, selected, input);
    const { entry, run } = selected.spec;
    return answer(context, services, submitted, entry.kind === "function" || run.capture);
  },
});

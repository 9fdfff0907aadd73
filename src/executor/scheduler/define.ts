import { usageError } from "../../errors.ts";
import { readCancelled, readHeld } from "../../store/jobs.ts";
import type { Affinity, Executor, ExecutorContext, SpecDraft } from "../contract.ts";
import { defineExecutor } from "../define.ts";
import type { SchedulerDefinition, SchedulerExecutor } from "./definition.ts";
import { checkClusters } from "./dependencies.ts";
import { elementThrottle } from "./shape.ts";
import { findByToken, submitAgain, submitArrays } from "./submit.ts";
import type { Telling } from "./targets.ts";

/** Loaded when first used: every plugin imports this file, and few of them are for schedulers. */
const asking = () => import("./status.ts");
const telling = () => import("./targets.ts");

/** Defines an executor for a scheduler that is driven by commands; `slurm` is written with it. */
export function defineScheduler(definition: SchedulerDefinition): SchedulerExecutor {
  const { name, description, capabilities, options, graceSeconds, detect } = definition;
  const { cancel, hold, release, requeue, interrupt, find, shell } = definition;

  /** A verb that tells the scheduler something about elements. */
  const verb =
    (told: Telling): Executor["cancel"] =>
    async (selections, context) =>
      (await telling()).tellScheduler(definition, selections, context, told);

  const executor = defineExecutor({
    contract: definition.contract,
    name,
    description,
    untried: definition.untried,
    capabilities,
    options,
    graceSeconds,
    affinity: typeof detect === "function" ? detect : (context) => affinityOf(detect, context),

    async validate(spec, context) {
      checkThrottle(definition, spec);
      if (spec.run.after.length > 0) await checkClusters(definition, spec, context);
      await definition.validate?.(spec, context);
      if (definition.partitions) {
        await (await import("./partitions.ts")).checkPartition(definition, spec, context);
      }
    },
    plan: async (spec, context) => (await import("./plan.ts")).planArrays(definition, spec, context),
    submit: (request, context) => submitArrays(definition, request, context),
    resubmit: (request, again, context) => submitAgain(definition, request, again, context),
    status: async (jobs, context, options) =>
      (await asking()).statusOf(definition, jobs, context, options?.detail ?? false),
    ...(definition.examine && {
      examine: async (context) => (await import("./examine.ts")).examine(definition, context),
    }),
    cancel: verb({ what: "cancel the job", requested: readCancelled, argvs: cancel }),
    ...(hold && { hold: verb({ what: "hold the job", requested: readHeld, argvs: hold }) }),
    ...(release && { release: verb({ what: "release the job", isForAny: true, argvs: release }) }),
    ...(requeue && { requeue: verb({ what: "requeue the job", argvs: requeue }) }),
    ...(interrupt && {
      interrupt: (selections, kind, context) =>
        verb({ what: "pass the signal on", argvs: (targets) => interrupt(targets, kind) })(
          selections,
          context,
        ),
    }),
    ...(find && {
      find: (token, context, spec) => findByToken(definition, find, token, spec, context),
    }),
    ...(shell && {
      shell: async (job, task, context) =>
        (await import("./shell.ts")).shellInside(definition, shell, job, task, context),
    }),
    environment: (env) => definition.environment(env),
  });
  return { ...executor, scheduler: definition };
}

/** Jobs of one element each wait for each other by dependencies, or cannot be kept to a number at once. */
function checkThrottle({ name, capabilities }: SchedulerDefinition, { tasks, run }: SpecDraft): void {
  const atOnce = elementThrottle(run);
  if (capabilities?.arrays || capabilities?.dependencies || atOnce === null) return;
  if (Math.ceil(tasks / run.pack.tasks) <= atOnce) return;
  throw usageError(
    `The ${name} executor has neither arrays nor dependencies, so it cannot keep --parallel ${run.parallel}`,
    "Leave --parallel out, or run several tasks in each job: --pack N",
  );
}

function affinityOf(commands: string[], { env }: ExecutorContext): Affinity {
  const missing = commands.filter((command) => !isOnPath(command, env));
  if (missing.length > 0) return { score: -1, why: `${missing.join(", ")} ${areOrIs(missing)} not on PATH` };
  return { score: 2, why: `${commands[0]} is here` };
}

function areOrIs(words: string[]): string {
  return words.length === 1 ? "is" : "are";
}

function isOnPath(command: string, env: ExecutorContext["env"]): boolean {
  return Bun.which(command, { PATH: env.PATH ?? "" }) !== null;
}

import { JobxError, usageError } from "../../errors.ts";
import type { Dependency, NativeId } from "../../model/job.ts";
import { elementsOfNative, heldBy } from "../../model/natives.ts";
import { readNative, readSpec } from "../../store/jobs.ts";
import { jobDir } from "../../store/layout.ts";
import type { ExecutorContext, SpecDraft } from "../contract.ts";
import type { SchedulerDefinition } from "./definition.ts";
import { limitsOf } from "./limits.ts";
import type { NativeDependency } from "./native.ts";
import type { Part } from "./split.ts";

/**
 * The dependencies of one part of a job in native ids. Task by task works where both jobs are split alike.
 * Throws USAGE where they are not, NOT_FOUND where a predecessor's native id is not known.
 */
export function nativeDependencies(home: string, after: Dependency[], part: Part): NativeDependency[] {
  return after.map((dependency) => {
    const dir = jobDir(home, dependency.job);
    const natives = readNative(dir)?.natives;
    if (!natives) {
      throw new JobxError(
        "NOT_FOUND",
        `Job ${dependency.job} was not accepted yet, so nothing can wait for it`,
        {
          hint: `See jobx status ${dependency.job}`,
        },
      );
    }
    const { job, tasks = null, judged } = dependency;
    const kind = judged ? "any" : dependency.kind;
    if (kind === "each") return { kind, natives: [{ native: twinOf(job, natives, part), indices: null }] };
    return { kind, natives: selected(natives, tasks, readSpec(dir).run.pack.tasks) };
  });
}

/** Refuses to wait for a job of another cluster, whose ids mean other jobs here. Throws USAGE. */
export async function checkClusters(
  definition: SchedulerDefinition,
  spec: SpecDraft,
  context: ExecutorContext,
): Promise<void> {
  const cluster = definition.cluster?.(spec, context.env);
  const { cluster: own } = await limitsOf(definition, context, { cluster });
  if (own === null) return;
  for (const { job } of spec.run.after) {
    const natives = readNative(jobDir(context.home, job))?.natives ?? [];
    const other = natives.find((native) => native.cluster !== null && native.cluster !== own);
    if (!other) continue;
    throw usageError(
      `Job ${job} is on the cluster ${other.cluster}, and a job on ${own} cannot wait for it`,
      `Wait for it first: jobx wait ${job} && jobx submit …`,
    );
  }
}

/** The array whose elements are those of a part, one by one. */
function twinOf(job: number, natives: NativeId[], part: Part): NativeId {
  const isWhole = natives.every((native) => native.only === undefined);
  const twin = natives.find(
    (native) => native.firstElement === part.firstElement && native.elements === part.elements,
  );
  if (isWhole && twin) return twin;
  throw usageError(
    `--after ${job}:each pairs task with task, but job ${job} is split into arrays in another way`,
    "Wait for the whole job: --after JOB:ok",
  );
}

/** The arrays that stand for these tasks, null for all of them; only what all of an array's elements are about is named without indices. */
function selected(natives: NativeId[], tasks: number[] | null, pack: number): NativeDependency["natives"] {
  const wanted = tasks === null ? null : new Set(tasks.map((task) => Math.floor(task / pack)));
  return heldBy(natives).flatMap(({ native, elements }) => {
    const chosen = wanted === null ? elements : elements.filter((element) => wanted.has(element));
    if (chosen.length === 0) return [];
    const isWhole = native.elements === 1 || chosen.length === elementsOfNative(native).length;
    return [{ native, indices: isWhole ? null : chosen.map((element) => element - native.firstElement) }];
  });
}

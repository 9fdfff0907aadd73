import { JobxError, usageError } from "../../errors.ts";
import type { Dependency, NativeId } from "../../model/job.ts";
import { elementsOfNative, heldBy } from "../../model/natives.ts";
import { readNative, readSpec } from "../../store/jobs.ts";
import { jobDir } from "../../store/layout.ts";
import type { NativeDependency } from "./native.ts";
import type { Part } from "./split.ts";

/**
 * The dependencies of one part of a job in native ids. Task by task works where both jobs are packed and split alike.
 * Throws USAGE where they are not, NOT_FOUND where a predecessor's native id is not known.
 */
export function nativeDependencies(
  home: string,
  after: Dependency[],
  part: Part,
  pack: number,
): NativeDependency[] {
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
    const predecessor = readSpec(dir).run.pack.tasks;
    if (dependency.kind === "each") return eachOf(dependency.job, natives, part, predecessor === pack);
    return { kind: dependency.kind, natives: selected(natives, dependency.tasks ?? null, predecessor) };
  });
}

function eachOf(job: number, natives: NativeId[], part: Part, isPackedAlike: boolean): NativeDependency {
  const isWhole = natives.every((native) => native.only === undefined);
  const twin = natives.find(
    (native) => native.firstElement === part.firstElement && native.elements === part.elements,
  );
  if (isPackedAlike && isWhole && twin) return { kind: "each", natives: [{ native: twin, indices: null }] };
  throw usageError(
    `--after ${job}:each pairs task with task, but job ${job} is packed or split in another way`,
    "Give both the same --pack, or wait for the whole job: --after JOB:ok",
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

import { JobxError, usageError } from "../../errors.ts";
import type { Dependency, NativeId } from "../../model/job.ts";
import { readNative, readSpec } from "../../store/jobs.ts";
import { jobDir } from "../../store/layout.ts";
import type { NativeDependency } from "./definition.ts";
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
  const twin = natives.find(
    (native) => native.firstElement === part.firstElement && native.elements === part.elements,
  );
  if (isPackedAlike && twin) return { kind: "each", natives: [{ native: twin, indices: null }] };
  throw usageError(
    `--after ${job}:each pairs task with task, but job ${job} is packed or split in another way`,
    "Give both the same --pack, or wait for the whole job: --after JOB:ok",
  );
}

function selected(natives: NativeId[], tasks: number[] | null, pack: number): NativeDependency["natives"] {
  if (tasks === null) return natives.map((native) => ({ native, indices: null }));
  const elements = [...new Set(tasks.map((task) => Math.floor(task / pack)))];
  return natives.flatMap((native) => {
    const indices = elements
      .map((element) => element - native.firstElement)
      .filter((at) => at >= 0 && at < native.elements);
    return indices.length === 0 ? [] : [{ native, indices: native.elements === 1 ? null : indices }];
  });
}

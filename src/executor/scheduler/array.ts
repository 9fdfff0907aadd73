import type { JobSpec, NativeId } from "../../model/job.ts";
import { elementLogPath } from "../../store/layout.ts";
import type { ExecutorContext, SubmitRequest } from "../contract.ts";
import { nativeDependencies } from "./dependencies.ts";
import type { NativeArray, NativeDependency } from "./native.ts";
import { elementResources } from "./shape.ts";
import type { Part } from "./split.ts";

/** One part of a job as the native array to submit; `earlier` are the parts that were submitted before. */
export function arrayOf(
  request: Pick<SubmitRequest, "spec" | "dir" | "worker">,
  part: Part,
  earlier: NativeId[],
  context: Pick<ExecutorContext, "home" | "env">,
  maxSeconds: number | null = null,
): NativeArray {
  const { spec, dir, worker } = request;
  const { firstElement, elements, parallel } = part;
  const after = nativeDependencies(context.home, spec.run.after, part);
  const behind = part.behind === null ? undefined : earlier[part.behind];
  if (behind) after.push(onceEnded(behind));
  return {
    spec,
    dir,
    worker,
    env: context.env,
    resources: elementResources(spec),
    firstElement,
    elements,
    isArray: elements > 1,
    indices: part.only ?? null,
    parallel,
    maxSeconds,
    name: nativeName(spec),
    log: (index, escape) => logOf(dir, part, index, escape),
    after,
  };
}

/** The name that a job goes by with the scheduler. */
export function nativeName({ name }: Pick<JobSpec, "name">): string {
  return name.replaceAll(/\s+/g, " ");
}

/** The element's log by its native index, which in parts but the first one is the end of the element's number. */
function logOf(
  dir: string,
  { firstElement, elements, digits }: Part,
  index: (width: number) => string,
  escape: (path: string) => string,
): string {
  if (elements === 1) return escape(elementLogPath(dir, firstElement));
  const path = elementLogPath(dir, 0);
  const at = path.lastIndexOf("0");
  const prefix = firstElement === 0 ? "" : String(firstElement / 10 ** digits);
  const number = index(firstElement === 0 ? 0 : digits);
  return escape(path.slice(0, at) + prefix) + number + escape(path.slice(at + 1));
}

function onceEnded(native: NativeId): NativeDependency {
  return { kind: "any", natives: [{ native, indices: null }] };
}

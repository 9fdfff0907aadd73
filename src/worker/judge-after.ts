import type { Dependency, JobSpec } from "../model/job.ts";
import { Predecessors } from "../queue/predecessors.ts";
import type { QueuedDependency } from "../queue/protocol.ts";
import { homeOf, jobDir } from "../store/layout.ts";

/** Tasks that must not run, null for all of them, and why. */
export type Broken = { tasks: number[] | null; reason: string };

/**
 * Judges by their records whether the jobs that these tasks waited for have ended as it asks; the scheduler says that they
 * have ended. Records may be late on slow file systems: after half a minute, what left none did not succeed.
 */
export async function judgeAfter(
  { dir, spec, tasks }: { dir: string; spec: JobSpec; tasks: number[] },
  stop: AbortSignal,
): Promise<Broken[]> {
  const records = new Predecessors();
  const deadline = performance.now() + LATE_MS;
  const broken: Broken[] = [];
  for (const dependency of spec.run.after) {
    const queued = queuedOf(dir, dependency);
    for (;;) {
      const isLast = stop.aborted || performance.now() > deadline;
      const found =
        queued.kind === "each"
          ? judgeEach(records, queued, tasks, isLast)
          : judgeAll(records, queued, isLast);
      if (found) {
        broken.push(...found);
        break;
      }
      await Bun.sleep(LOOK_MS);
    }
  }
  return broken;
}

/** Null while a record is missing that may still come. */
function judgeAll(records: Predecessors, dependency: QueuedDependency, isLast: boolean): Broken[] | null {
  const judgement = records.judge(dependency);
  if (judgement.state === "met") return [];
  if (judgement.state === "broken") return [{ tasks: null, reason: judgement.reason }];
  if (!isLast) return null;
  if (dependency.kind !== "ok") return [];
  return [{ tasks: null, reason: `job ${dependency.job}, which it waits for, ended without a record` }];
}

function judgeEach(
  records: Predecessors,
  dependency: QueuedDependency,
  tasks: number[],
  isLast: boolean,
): Broken[] | null {
  const { ready, broken } = records.pair(dependency, tasks);
  const found = [...broken].map(([task, reason]): Broken => ({ tasks: [task], reason }));
  const known = new Set([...ready, ...broken.keys()]);
  const unknown = tasks.filter((task) => !known.has(task));
  if (unknown.length === 0) return found;
  if (!isLast) return null;
  const reason = `its task of job ${dependency.job}, which it waits for, ended without a record`;
  return [...found, { tasks: unknown, reason }];
}

function queuedOf(dir: string, { job, kind, tasks }: Dependency): QueuedDependency {
  return { dir: jobDir(homeOf(dir), job), job, kind, tasks: tasks ?? null };
}

const LATE_MS = 30_000;
const LOOK_MS = 500;

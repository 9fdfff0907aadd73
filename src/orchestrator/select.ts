import { JobxError, usageError } from "../errors.ts";
import { packedTasks } from "../model/elements.ts";
import type { JobSpec } from "../model/job.ts";
import { ranksOf } from "../model/resources.ts";
import { parseSelector, type Selector } from "../model/selectors.ts";
import { jobIds, readNative, readSpec } from "../store/jobs.ts";
import { jobDir } from "../store/layout.ts";
import type { Services } from "./services.ts";

/** What a selector means in a home: a job, and which of its tasks and ranks. */
export type Selected = {
  id: number;
  dir: string;
  spec: JobSpec;
  /** null: all of them. */
  tasks: number[] | null;
  /** null: all of them. */
  rank: number | null;
};

/** Resolves selectors (`12`, `12.3`, `12.3:1`, `12.0-9`, `last`, `slurm:4211_3`), each to one job and its tasks. */
export async function resolveSelectors(services: Services, texts: string[]): Promise<Selected[]> {
  return texts.map((text) => resolve(services, text, parseSelector(text)));
}

/** As `resolveSelectors`, for looking: what is not there is given back beside the rest. Throws NOT_FOUND where nothing is. */
export async function resolveKnown(
  services: Services,
  texts: string[],
): Promise<{ selected: Selected[]; missing: JobxError[] }> {
  const selected: Selected[] = [];
  const missing: JobxError[] = [];
  for (const text of texts) {
    try {
      selected.push(resolve(services, text, parseSelector(text)));
    } catch (error) {
      if (!(error instanceof JobxError) || error.code !== "NOT_FOUND") throw error;
      missing.push(error);
    }
  }
  if (selected.length === 0 && missing[0]) throw missing[0];
  return { selected, missing };
}

/** For commands that are about one job alone. */
export async function resolveOne(services: Services, texts: string[]): Promise<Selected> {
  const [selected, ...more] = await resolveSelectors(services, texts);
  if (!selected) throw usageError("Which job? None was named", "Name one by its id, e.g. 12, or say last");
  if (more.length > 0)
    throw usageError(`One job is enough here, and ${texts.length} were named: ${texts.join(" ")}`);
  return selected;
}

function resolve(services: Services, text: string, selector: Selector): Selected {
  const { home } = services;
  switch (selector.kind) {
    case "last": {
      const ids = jobIds(home);
      if (ids.length === 0) throw noJobs(home);
      return select(home, text, Math.max(...ids), selector.tasks, selector.rank);
    }
    case "job":
      return select(home, text, selector.job, selector.tasks, selector.rank);
    case "native":
      return byNative(home, text, selector);
  }
}

function select(
  home: string,
  text: string,
  id: number,
  tasks: number[] | null,
  rank: number | null,
): Selected {
  const dir = jobDir(home, id);
  const spec = openSpec(home, id, dir);
  for (const task of tasks ?? []) {
    if (task < spec.tasks) continue;
    throw new JobxError("NOT_FOUND", `${text}: job ${id} has no task ${task}`, {
      hint: spec.tasks === 1 ? "Its only task is 0" : `Its tasks are 0 to ${spec.tasks - 1}`,
    });
  }
  const ranks = ranksOf(spec.resources);
  if (rank !== null && rank >= ranks) {
    throw new JobxError("NOT_FOUND", `${text}: a task of job ${id} has no rank ${rank}`, {
      hint: ranks === 1 ? "Its only rank is 0" : `Its ranks are 0 to ${ranks - 1}`,
    });
  }
  return { id, dir, spec, tasks, rank };
}

function openSpec(home: string, id: number, dir: string): JobSpec {
  try {
    return readSpec(dir);
  } catch (error) {
    if (!(error instanceof JobxError) || error.code !== "NOT_FOUND") throw error;
    // A submission that was cut off may have left its empty folder.
    const ids = jobIds(home).filter((other) => other !== id);
    throw new JobxError("NOT_FOUND", `There is no job ${id} in ${home}`, {
      hint:
        ids.length === 0
          ? `That home has no jobs. ${NO_JOBS}`
          : `The newest is ${Math.max(...ids)}; jobx list shows them`,
    });
  }
}

function noJobs(home: string): JobxError {
  return new JobxError("NOT_FOUND", `There are no jobs in ${home}`, { hint: NO_JOBS });
}

const NO_JOBS = "Submit one: jobx submit -- COMMAND; another home is named with --home";

/** The newest job with this native id: schedulers use ids again after a reset. */
function byNative(home: string, text: string, selector: Extract<Selector, { kind: "native" }>): Selected {
  for (const job of jobIds(home).sort((a, b) => b - a)) {
    const dir = jobDir(home, job);
    const natives = readNative(dir)?.natives ?? [];
    // `4211_3` is element 3 of 4211, unless an executor's own ids look like that.
    const whole = natives.find((one) => one.id === selector.native);
    const array = natives.find((one) => one.id === selector.id);
    if (!whole && !array) continue;
    const spec = readSpec(dir);
    if (spec.executor !== selector.executor) continue;
    if (whole || !array || selector.element === null) return { id: job, dir, spec, tasks: null, rank: null };
    const tasks = [...packedTasks(spec, array.firstElement + selector.element)];
    return { id: job, dir, spec, tasks, rank: null };
  }
  throw new JobxError("NOT_FOUND", `No job in ${home} has the native id ${text}`, {
    hint: "jobx list shows the jobs; jobx show JOB their native ids",
  });
}

import { JobxError } from "../errors.ts";
import type { TaskPayload } from "../model/job.ts";
import type { Resources } from "../model/resources.ts";
import { isFinal } from "../model/states.ts";
import { copyCheckpoint, holdsCheckpoint } from "../store/checkpoints.ts";
import { checkpointDir } from "../store/layout.ts";
import { openPayload } from "../store/task-payloads.ts";
import { JobReader } from "./job-reader.ts";
import type { Plan } from "./plan.ts";
import { checkPresence } from "./presence.ts";
import type { Selected } from "./select.ts";
import type { Services } from "./services.ts";
import { settle } from "./settle.ts";
import { chooseExecutor, draftJob, placeJob, type Submitted } from "./submit.ts";
import { takingOver } from "./take-over.ts";
import { type JobView, viewOf } from "./view.ts";

export type RetryInput = {
  /** Only tasks that ended without success. */
  failedOnly: boolean;
  /** Go on from what the tasks have saved. */
  resume: boolean;
  /** Replace the origin's where given. */
  resources: Resources;
  /** The environment that the new job shall run in. */
  environment: Record<string, string>;
};

/**
 * Submits tasks again as a new job that names its origin: the same code, arguments and folder, with the
 * resources that are given replaced. Tasks that have not ended are refused, and a resumption of what has saved nothing.
 */
export async function retryJob(
  services: Services,
  selected: Selected,
  input: RetryInput,
): Promise<Submitted> {
  const { reader, view, indices, executor, context, draft } = await draftRetry(services, selected, input);
  await checkPresence(executor, context);
  const payload = openPayload(view.dir, view.spec);
  try {
    return await takingOver(services, executor, reader, indices, () =>
      placeJob(services, executor, context, draft, {
        tasks: pick(indices, (index) => payload.get(index)),
        environment: input.environment,
        inspect: false,
        prepare: input.resume ? (dir) => copyCheckpoints(view, indices, dir) : undefined,
      }),
    );
  } finally {
    payload.close();
  }
}

/** What `retryJob` would do, with nothing written. */
export async function planRetry(services: Services, selected: Selected, input: RetryInput): Promise<Plan> {
  const { view, indices, ...drafted } = await draftRetry(services, selected, input);
  const { planDraft } = await import("./plan.ts");
  const payload = openPayload(view.dir, view.spec);
  try {
    return await planDraft(
      services,
      drafted,
      pick(indices, (index) => payload.get(index)),
    );
  } finally {
    payload.close();
  }
}

async function draftRetry(services: Services, selected: Selected, input: RetryInput) {
  const reader = new JobReader(services.home, selected.id);
  await settle(services, [reader]);
  const view = viewOf(reader);
  const indices = chooseTasks(view, selected, input.failedOnly);
  if (input.resume) checkSaved(services, view, indices);
  const { executor, context } = await chooseExecutor(services, view.spec.executor);
  const origin = view.spec;
  const draft = await draftJob(services, executor, context, {
    ...origin,
    count: indices.length,
    resources: { ...origin.resources, ...input.resources },
    // Its predecessors have had their say.
    run: { ...origin.run, after: [] },
    indices: indices.map((index) => origin.indices?.[index] ?? index),
    origin: { job: origin.id, tasks: indices },
  });
  return { reader, view, indices, executor, context, draft };
}

function chooseTasks(view: JobView, selected: Selected, failedOnly: boolean): number[] {
  const wanted = selected.tasks ?? Array.from({ length: view.spec.tasks }, (_, index) => index);
  const states = wanted.map((index) => view.task(index).state);
  const open = states.filter((state) => !isFinal(state)).length;
  if (open > 0 && !failedOnly) {
    throw new JobxError(
      "REFUSED",
      `${open} of the ${wanted.length} selected tasks of job ${view.id} have not ended`,
      {
        hint: `Wait for them (jobx wait ${view.id}), cancel them, or retry what has failed so far with --failed`,
      },
    );
  }
  if (!failedOnly) return wanted;
  const failed = wanted.filter((_, position) => {
    const state = states[position];
    return state !== undefined && isFinal(state) && state !== "succeeded";
  });
  if (failed.length === 0) {
    throw new JobxError("NOT_FOUND", `No task of job ${view.id} has failed`, {
      hint: `To run it again all the same: jobx retry ${view.id}`,
    });
  }
  return failed;
}

/** Refuses to go on where nothing was saved, and says how many tasks start from the beginning. */
function checkSaved({ note }: Services, { id, dir, spec }: JobView, indices: number[]): void {
  const fresh = indices.filter((task) => !holdsCheckpoint(checkpointDir(dir, spec.tasks, task))).length;
  if (fresh === indices.length) {
    throw new JobxError("NOT_FOUND", `What was selected of job ${id} has saved nothing to go on from`, {
      hint: `To run it again from the beginning: jobx retry ${id}`,
    });
  }
  if (fresh === 0) return;
  const does = fresh === 1 ? "has saved nothing, and starts" : "have saved nothing, and start";
  note(`${fresh} of the ${indices.length} tasks ${does} from the beginning`);
}

/** Gives the tasks of a new job what those that they came from have saved. */
function copyCheckpoints({ dir: from, spec }: JobView, indices: number[], to: string): void {
  for (const [task, origin] of indices.entries()) {
    const folder = checkpointDir(from, spec.tasks, origin);
    if (holdsCheckpoint(folder)) copyCheckpoint(folder, checkpointDir(to, indices.length, task));
  }
}

function* pick(indices: number[], get: (index: number) => TaskPayload): Iterable<TaskPayload> {
  for (const index of indices) yield get(index);
}

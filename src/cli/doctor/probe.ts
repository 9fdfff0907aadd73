import { JobxError, messageOf } from "../../errors.ts";
import { formatDuration } from "../../model/durations.ts";
import { cancelJobs } from "../../orchestrator/control.ts";
import { resolveOne, type Selected } from "../../orchestrator/select.ts";
import type { Services } from "../../orchestrator/services.ts";
import { submitJob } from "../../orchestrator/submit.ts";
import type { JobView } from "../../orchestrator/view.ts";
import { waitFor } from "../../orchestrator/wait.ts";
import { removeJob, reserveIds } from "../../store/jobs.ts";
import type { CliContext } from "../context.ts";
import { inputFrom } from "../submit/run.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** How long a probe that is cancelled may take to end, in seconds. */
const CANCEL_SECONDS = 15;

/**
 * Sends a job that does nothing through the executor that `auto` or `--executor` means, as the configuration
 * has jobs submitted, and tells how long each stage took. The job is removed again, and cancelled before where
 * it has not ended within `timeoutSeconds`.
 */
export async function probe(context: CliContext, timeoutSeconds: number): Promise<Check[]> {
  const services = context.services();
  const began = performance.now();
  let selected: Selected;
  let submitted: Check;
  try {
    const input = await inputFrom(context, services, { kind: "command", argv: ["true"] });
    const { id, executor, nativeIds } = await submitJob(services, { ...input, name: "jobx-probe" });
    const took = (performance.now() - began) / 1000;
    const native = nativeIds.join(", ");
    submitted = ok(
      "probe",
      `${executor} took job ${id}${native && ` (${native})`} in ${formatDuration(took)}`,
    );
    selected = await resolveOne(services, [String(id)]);
  } catch (error) {
    return [failure(error, "not accepted: ")];
  }
  const checks = [submitted, ...(await follow(context, services, selected, timeoutSeconds))];
  return [...checks, await remove(services, selected)];
}

/** The job's start, its end and its record. */
async function follow(
  context: CliContext,
  services: Services,
  selected: Selected,
  timeoutSeconds: number,
): Promise<Check[]> {
  let latest: JobView | undefined;
  try {
    const signal = context.interruptible();
    const onProgress = ([view]: JobView[]) => (latest = view);
    await waitFor(services, [selected], { timeoutSeconds, signal, onProgress });
    return latest ? stagesOf(latest) : [];
  } catch (error) {
    if (!(error instanceof JobxError) || error.code !== "WAIT_TIMEOUT" || !latest)
      return [failure(error, "")];
    const why = latest.reason ? `: ${latest.reason}` : "";
    const detail = `still ${latest.state} after ${formatDuration(timeoutSeconds)}${why}`;
    return [fail("probe end", detail, "Wait longer with --timeout, or see what the executor is busy with")];
  }
}

function stagesOf(view: JobView): Check[] {
  const record = view.task(0).ranks[0]?.result;
  if (!record) {
    const mend = `Its worker has to start there and to write to ${view.dir}: see that hosts share the home`;
    return [fail("probe record", view.task(0).reason ?? `it ${view.state} and left no record`, mend)];
  }
  const { startedAt, endedAt, node, reason } = record;
  const queued = seconds(view.spec.created, startedAt);
  const started = ok("probe start", `on ${node} after ${queued} in the queue`);
  const arrived = seconds(endedAt, new Date().toISOString());
  const end =
    record.status === "succeeded"
      ? ok("probe record", `it ran for ${seconds(startedAt, endedAt)}; its record was seen ${arrived} later`)
      : fail(
          "probe record",
          `it ${record.status}: ${reason}`,
          "See `jobx help retries`, or ask for other resources",
        );
  return [started, end];
}

/** Hosts' clocks may differ a little: never negative. */
function seconds(from: string, to: string): string {
  return formatDuration(Math.max(0, Date.parse(to) - Date.parse(from)) / 1000);
}

async function remove(services: Services, selected: Selected): Promise<Check> {
  try {
    await cancelJobs(services, [selected]);
    await waitFor(services, [selected], { timeoutSeconds: CANCEL_SECONDS });
    reserveIds(services.home, selected.id);
    removeJob(selected.dir);
    return ok("probe removal", `job ${selected.id} is gone again`);
  } catch (error) {
    const mend = `jobx cancel ${selected.id}, and later jobx clean`;
    return warn("probe removal", `job ${selected.id} stays: ${messageOf(error)}`, mend);
  }
}

function failure(error: unknown, before: string): Check {
  return fail("probe", before + messageOf(error), error instanceof JobxError ? (error.hint ?? null) : null);
}

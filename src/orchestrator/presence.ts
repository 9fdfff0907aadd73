import { JobxError } from "../errors.ts";
import type { Executor, ExecutorContext } from "../executor/contract.ts";

/** Why this machine cannot submit to an executor; null where it can. */
export async function absenceOf(executor: Executor, context: ExecutorContext): Promise<string | null> {
  const { score, why } = await executor.affinity(context);
  return score < 0 ? `${executor.name} is not on this machine: ${why}` : null;
}

/** Refuses to submit where the executor is not, before anything is written. Throws UNREACHABLE. */
export async function checkPresence(executor: Executor, context: ExecutorContext): Promise<void> {
  const absence = await absenceOf(executor, context);
  if (absence === null) return;
  throw new JobxError("UNREACHABLE", absence, {
    hint: "Submit from a login node of the cluster, load its module, or name another executor with -e",
  });
}

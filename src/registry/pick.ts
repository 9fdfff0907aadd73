import { JobxError, messageOf } from "../errors.ts";
import type { Affinity, Executor, ExecutorContext } from "../executor/contract.ts";

/** What `auto` chose, and why in a few words. */
export type Picked = { executor: Executor; why: string };

const CLUSTER = 2;
const FINE = 1;
/** It could, and is not taken unasked. */
const NAMED = 0;

/**
 * The executor that fits this machine best; of equals, the first of those given. Asks no more of them once one is a
 * cluster that answers, since none can be better. A cluster is never left for a lesser executor because it gave no
 * answer: work that was meant for it would land on a login node. Throws UNREACHABLE then, and NOT_FOUND when nothing
 * fits.
 */
export async function pickExecutor(
  executors: AsyncIterable<Executor>,
  contextFor: (executor: Executor) => ExecutorContext,
): Promise<Picked> {
  const answers: Answer[] = [];
  for await (const executor of executors) {
    const answer = await ask(executor, contextFor);
    if (answer.affinity?.score === CLUSTER) return { executor, why: answer.affinity.why };
    answers.push(answer);
  }
  const failed = answers.find((answer) => answer.affinity === null);
  if (failed) {
    throw new JobxError(
      "UNREACHABLE",
      `${failed.executor.name} seems to be here but could not be asked: ${messageOf(failed.error)}`,
      {
        hint: "Try again in a while, or name the executor: `-e local` runs on this very machine",
        cause: failed.error,
      },
    );
  }
  const fine = answers.find((answer) => answer.affinity?.score === FINE);
  if (fine?.affinity) return { executor: fine.executor, why: fine.affinity.why };
  const named = answers.filter((answer) => answer.affinity?.score === NAMED);
  if (named.length === 0) {
    throw new JobxError("NOT_FOUND", "No executor fits this machine", { hint: "`jobx plugins` lists them" });
  }
  const choice = named.map(({ executor, affinity }) => `  -e ${executor.name}: ${affinity?.why}`);
  throw new JobxError("NOT_FOUND", "No executor runs jobs here unless it is named", {
    hint: ["Name one:", ...choice].join("\n"),
  });
}

type Answer = { executor: Executor; affinity: Affinity | null; error: unknown };

async function ask(executor: Executor, contextFor: (executor: Executor) => ExecutorContext): Promise<Answer> {
  try {
    return { executor, affinity: await executor.affinity(contextFor(executor)), error: null };
  } catch (error) {
    // A bad table in the configuration is the user's to mend, not a scheduler's silence.
    if (error instanceof JobxError && error.code === "USAGE") throw error;
    return { executor, affinity: null, error };
  }
}

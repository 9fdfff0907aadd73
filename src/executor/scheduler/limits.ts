import { hostname } from "node:os";

import type { ExecutorContext } from "../contract.ts";
import { readAnswer, writeAnswer } from "./answer-file.ts";
import { runOn } from "./commands.ts";
import type { SchedulerDefinition } from "./definition.ts";
import type { Limits, Partition } from "./native.ts";

/** Limits change with the scheduler's configuration only, and a refusal has them asked again. */
const KEPT_MS = 3_600_000;

const NO_LIMITS: Limits = { cluster: null, maxArraySize: null };

export type LimitsOptions = {
  /** Whatever is kept. */
  anew?: boolean;
  /** Those of another cluster than this host's own. */
  cluster?: string | null;
};

/**
 * The scheduler's limits and its cluster's name, asked at most once an hour and host; an older answer does where there is
 * no other. A scheduler that never gave one has none that are known, so that the command that is really wanted can say
 * what is wrong. Without arrays each element is a job of its own.
 */
export async function limitsOf(
  definition: SchedulerDefinition,
  context: ExecutorContext,
  options: LimitsOptions = {},
): Promise<Limits> {
  const limits = (await kept(definition, context, "limits", definition.limits, options)) ?? NO_LIMITS;
  return definition.capabilities?.arrays ? limits : { ...limits, maxArraySize: 1 };
}

/** The scheduler's partitions, asked as rarely; null where nobody knows them. */
export async function partitionsOf(
  definition: SchedulerDefinition,
  context: ExecutorContext,
  options: Pick<LimitsOptions, "anew"> = {},
): Promise<Partition[] | null> {
  return kept(definition, context, "partitions", definition.partitions, options);
}

async function kept<T>(
  definition: SchedulerDefinition,
  context: ExecutorContext,
  what: string,
  question: { argv: string[]; parse(stdout: string): T } | undefined,
  { anew = false, cluster = null }: LimitsOptions,
): Promise<T | null> {
  if (!question) return null;
  const place = [hostname(), ...(definition.keepVariables ?? []).map((name) => context.env[name] ?? "")];
  if (cluster !== null) place.push(cluster);
  const name = `${definition.name}-${what}-${Bun.hash(place.join("\0")).toString(36)}`;
  const known = readAnswer<{ at: number; answer: T }>(context.home, name);
  if (!anew && known?.answer && Math.abs(Date.now() - known.at) < KEPT_MS) return known.answer;
  const older = known?.answer ?? null;
  try {
    // Where it is asked anew the answer decides.
    const patience = anew ? {} : { timeoutMs: PATIENCE_MS };
    const result = await runOn(definition, context, question.argv, cluster, patience);
    if (result.code !== 0) return older;
    const answer = question.parse(result.stdout);
    writeAnswer(context.home, name, { at: Date.now(), answer });
    return answer;
  } catch {
    return older;
  }
}

/** Jobs can do without; who submits shall not wait long for a scheduler that is down. */
const PATIENCE_MS = 2_000;

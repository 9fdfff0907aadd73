import { hostname } from "node:os";

import type { ExecutorContext } from "../contract.ts";
import { readAnswer, writeAnswer } from "./answer-file.ts";
import { runOn } from "./commands.ts";
import type { Limits, SchedulerDefinition } from "./definition.ts";

/** Limits change with the scheduler's configuration only, and a refused array has them asked again. */
const KEPT_MS = 3_600_000;

const NO_LIMITS: Limits = { cluster: null, maxArraySize: null };

/**
 * The scheduler's limits and its cluster's name, asked at most once an hour and host. A scheduler that gives no answer
 * has none that are known, so that the command that is really wanted can say what is wrong.
 */
export async function limitsOf(
  definition: SchedulerDefinition,
  context: ExecutorContext,
  options: { anew?: boolean } = {},
): Promise<Limits> {
  if (!definition.limits) return NO_LIMITS;
  const place = [hostname(), ...(definition.keepVariables ?? []).map((name) => context.env[name] ?? "")];
  const name = `${definition.name}-limits-${Bun.hash(place.join("\0")).toString(36)}`;
  const known = options.anew ? null : readAnswer<Kept>(context.home, name);
  if (known && Math.abs(Date.now() - known.at) < KEPT_MS) return known.limits;
  try {
    const result = await runOn(definition, context, definition.limits.argv, null);
    if (result.code !== 0) return NO_LIMITS;
    const limits = definition.limits.parse(result.stdout);
    writeAnswer(context.home, name, { at: Date.now(), limits } satisfies Kept);
    return limits;
  } catch {
    return NO_LIMITS;
  }
}

type Kept = { at: number; limits: Limits };

import type { ExecutorContext } from "../contract.ts";
import { readAnswer, writeAnswer } from "./answer-file.ts";
import { runOn } from "./commands.ts";
import type { SchedulerDefinition } from "./definition.ts";
import type { NativeStatus } from "./native.ts";

/** The queue moves slowly, and an answer of a large cluster is long. */
const KEPT_MS = 60_000;

/** Adds to the rows of jobs that wait for their turn how many are ahead of them, where the scheduler says. */
export async function tellAhead(
  definition: SchedulerDefinition,
  rows: NativeStatus[],
  { cluster, own }: { cluster: string | null; own: string | null },
  context: ExecutorContext,
): Promise<void> {
  const { ahead } = definition;
  const waiting = rows.filter((row) => ahead?.isWhy(row));
  if (!ahead || waiting.length === 0) return;
  const name = `${definition.name}-${cluster ?? own ?? "cluster"}-ahead`.replaceAll(/[^\w.+-]/g, "_");
  const kept = readAnswer<{ at: number; stdout: string }>(context.home, name);
  const isFresh = kept !== null && Math.abs(Date.now() - kept.at) < KEPT_MS;
  const stdout = isFresh ? kept.stdout : await ask();
  if (stdout === null) return;
  const byId = new Map([...new Set(waiting.map(({ id }) => id))].map((id) => [id, ahead.parse(stdout, id)]));
  for (const row of waiting) row.ahead = byId.get(row.id) ?? undefined;

  async function ask(): Promise<string | null> {
    try {
      const result = await runOn(definition, context, ahead?.argv ?? [], cluster);
      if (result.code !== 0) return null;
      writeAnswer(context.home, name, { at: Date.now(), stdout: result.stdout });
      return result.stdout;
    } catch {
      // It only adds to what is known already.
      return null;
    }
  }
}

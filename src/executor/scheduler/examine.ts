import { messageOf } from "../../errors.ts";
import type { ExecutorContext, Finding } from "../contract.ts";
import { runOn } from "./commands.ts";
import type { SchedulerDefinition } from "./definition.ts";

/** Runs what the definition wants to look at, all at once, and says what was found; a command without an answer too. */
export async function examine(definition: SchedulerDefinition, context: ExecutorContext): Promise<Finding[]> {
  const found = (definition.examine ?? []).map(async ({ argv, parse }): Promise<Finding[]> => {
    try {
      return parse(await runOn(definition, context, argv, null, { timeoutMs: PATIENCE_MS }));
    } catch (error) {
      const mend = "Ask it by hand; the controller may be down";
      return [{ name: definition.name, verdict: "warn", detail: messageOf(error), mend }];
    }
  });
  return (await Promise.all(found)).flat();
}

const PATIENCE_MS = 10_000;

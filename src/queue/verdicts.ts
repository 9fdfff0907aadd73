import type { Verdict } from "../model/records.ts";
import type { FinalState } from "../model/states.ts";
import { isFinal } from "../model/states.ts";
import { addVerdicts, removeEnvironment } from "../store/jobs.ts";
import { Reader } from "./predecessors.ts";

/**
 * Writes the end of a job that no supervisor will finish: every task without a final record gets this
 * state and reason, so that whoever looks, on whatever host, sees it. Throws what the store throws.
 */
export function closeJob(dir: string, state: FinalState, reason: string, host: string): void {
  const reader = Reader.open(dir);
  if (!reader) return;
  reader.refresh();
  const verdicts: Verdict[] = [];
  const endedAt = new Date().toISOString();
  for (let task = 0; task < reader.fold.tasks; task++) {
    if (isFinal(reader.state(task))) continue;
    verdicts.push({ task, state, reason, native: null, node: host, endedAt });
  }
  if (verdicts.length > 0) addVerdicts(dir, verdicts);
  removeEnvironment(dir);
}

import { elementLogs, readLog } from "../orchestrator/logs.ts";
import type { Selected } from "../orchestrator/select.ts";
import type { Services } from "../orchestrator/services.ts";
import { readJob } from "../orchestrator/view.ts";
import type { Output } from "./output.ts";
import { groupReasons, renderReasons } from "./reasons.ts";
import { nameOfScope, scopeOf, tasksIn } from "./selection.ts";
import { showCounts } from "./states.ts";

/** Says why there is no output: nothing has started, or nothing was printed; then what the scheduler captured. */
export async function explainNoLogs(output: Output, services: Services, selected: Selected): Promise<void> {
  const view = await readJob(services, selected.id);
  const scope = scopeOf(view, selected.tasks);
  const name = nameOfScope(view.id, selected.tasks);
  output.note(`No output of ${name}: ${showCounts(scope.counts, output.errStyle)}`);
  const single = view.spec.tasks === 1;
  const reasons = renderReasons(groupReasons(tasksIn(scope)), output.errStyle, { single });
  for (const line of reasons) output.note(`  ${line}`);
  for (const path of elementLogs(view.dir)) {
    let begun = false;
    for await (const bytes of readLog(path, 20)) {
      if (!begun) output.note(`${path} has this:`);
      begun = true;
      output.writeError(bytes);
    }
  }
}

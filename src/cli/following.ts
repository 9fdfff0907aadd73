import { ranksOf } from "../model/resources.ts";
import { followLogs } from "../orchestrator/follow.ts";
import { logFiles } from "../orchestrator/logs.ts";
import type { Selected } from "../orchestrator/select.ts";
import type { Services } from "../orchestrator/services.ts";
import type { JobView } from "../orchestrator/view.ts";
import { waitFor } from "../orchestrator/wait.ts";
import type { LogStream } from "../store/layout.ts";
import type { CliContext } from "./context.ts";
import { logWriter } from "./log-writer.ts";
import { type Scope, scopeOf } from "./selection.ts";

export type FollowChoice = {
  /** Both by default. */
  streams?: readonly LogStream[];
  /** Begin with that many last lines of each log; null or absent: with everything. */
  lines?: number | null;
};

/**
 * Streams the logs of one job to standard output until every selected task has ended, and gives how it then
 * stands. Ctrl-C rejects with INTERRUPTED; the job goes on.
 */
export async function followToEnd(
  context: CliContext,
  services: Services,
  selected: Selected,
  choice: FollowChoice = {},
): Promise<Scope> {
  const seen = Promise.withResolvers<JobView>();
  let view: JobView | undefined;
  const waiting = waitFor(services, [selected], {
    signal: context.interruptible(),
    onProgress: ([latest]) => {
      if (!latest) return;
      view = latest;
      seen.resolve(latest);
    },
  });
  // The wait's own error (Ctrl-C) is the one to tell; it ends the following as well.
  const stop = new AbortController();
  waiting.catch((error: unknown) => {
    stop.abort(error);
    seen.reject(error);
  });
  const first = await seen.promise;
  const files = logFiles(first, selected.tasks, selected.rank, choice.streams);
  const writer = logWriter(context.output, selected.id, files, { ranks: ranksOf(first.spec.resources) > 1 });
  const chunks = followLogs(files, {
    lines: choice.lines ?? null,
    stateOf: (task) => (view ?? first).recordedState(task),
    ended: waiting,
    signal: stop.signal,
  });
  for await (const chunk of chunks) writer.write(chunk, chunk.bytes);
  for (const file of files) writer.end(file);
  const [last = first] = await waiting;
  return scopeOf(last, selected.tasks);
}

import type { RemoteError } from "../../src/model/records.ts";
import type { TaskView } from "../../src/model/task-view.ts";

/** A task as it looks before anything is known of it, with what a test wants to differ. */
export function taskView(parts: Partial<TaskView>): TaskView {
  return {
    index: 0,
    state: "queued",
    attempt: 0,
    exitCode: null,
    signal: null,
    reason: null,
    native: null,
    node: null,
    startedAt: null,
    endedAt: null,
    seconds: null,
    maxRssBytes: null,
    ranks: [],
    ...parts,
  };
}

/** A task whose one attempt failed: with an error that was thrown, or for another reason. */
export function failedView(how: { error?: RemoteError; reason?: string }): TaskView {
  const time = "2026-01-01T00:00:00.000Z";
  const reason = how.reason ?? how.error?.message ?? "exit code 1";
  const common = { rank: 0, attempt: 0, node: "n1", startedAt: time };
  return taskView({
    state: "failed",
    reason,
    ranks: [
      {
        ...common,
        state: "failed",
        result: {
          ...common,
          kind: "result",
          task: 0,
          status: "failed",
          value: null,
          error: how.error ?? null,
          exitCode: 1,
          signal: null,
          reason,
          endedAt: time,
          usage: null,
        },
      },
    ],
  });
}

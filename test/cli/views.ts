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

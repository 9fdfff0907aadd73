import { expect, test } from "bun:test";

import { scopeOf } from "../../src/cli/selection.ts";
import { gatherDetails } from "../../src/cli/show-details.ts";
import type { AgainRecord } from "../../src/model/records.ts";
import { JobReader } from "../../src/orchestrator/job-reader.ts";
import { viewOf } from "../../src/orchestrator/view.ts";
import { segmentPath } from "../../src/store/layout.ts";
import { Recorder } from "../../src/worker/recorder.ts";
import { tempDir } from "../helpers/temp.ts";
import { makeJob } from "../worker/job.ts";

function again(attempt: number, why: AgainRecord["why"]): AgainRecord {
  const time = "2026-01-01T00:00:00.000Z";
  const common = { task: 0, rank: 0, node: "node1", exitCode: null, signal: "SIGTERM", reason: why };
  return { kind: "again", ...common, attempt, why, startedAt: time, endedAt: time };
}

test("earlier attempts are told in order, and once where the next run counted one that the scheduler ended", async () => {
  const home = tempDir();
  const dir = makeJob(home, {});
  const runs = [
    [again(0, "preempted")],
    [again(0, "failed"), again(1, "preempted")],
    [again(1, "failed"), again(2, "timeout")],
  ];
  for (const [start, records] of runs.entries()) {
    const recorder = Recorder.create(segmentPath(dir, 0, start, 0), () => undefined);
    recorder.ended(records);
    await recorder.close();
  }
  const details = gatherDetails(scopeOf(viewOf(new JobReader(home, 1)), null), { brief: false });
  const attempts = details.tasks[0]?.attempts.map(({ attempt, why }) => `${attempt} ${why}`);
  expect(attempts).toEqual(["0 failed", "1 failed", "2 timeout"]);
});

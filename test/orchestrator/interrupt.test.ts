import { expect, test } from "bun:test";

import { interruptJobs } from "../../src/orchestrator/control.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { readInterrupts, readSpec } from "../../src/store/jobs.ts";
import { segmentPath } from "../../src/store/layout.ts";
import { SegmentWriter } from "../../src/store/segments.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";
import { startedRecord } from "../store/records.ts";

test("an interrupt tells the workers which tasks are meant, and for which of them the scheduler's signal comes", async () => {
  const memory = new MemoryExecutor();
  memory.answer = { state: "running", native: "RUNNING", reason: null, node: "node1" };
  memory.executor.interrupt = () => Promise.resolve();
  const services = memory.services(tempDir());
  const asked = input(4);
  const run = { ...asked.run, pack: { tasks: 2, slots: 2 } };
  const { id, dir } = await submitJob(services, { ...asked, run });
  for (const element of [0, 1]) {
    const writer = SegmentWriter.create(segmentPath(dir, element, 0, 0));
    for (const task of [0, 1]) await writer.append(startedRecord(2 * element + task));
    await writer.close();
  }
  const selected = { id, dir, spec: readSpec(dir), rank: null };
  await interruptJobs(services, [{ ...selected, tasks: [0, 2, 3] }], "timeout");
  await interruptJobs(services, [{ ...selected, tasks: null }], "preempted");
  expect(readInterrupts(dir)).toEqual([
    { tasks: [0], kind: "timeout", signalled: false },
    { tasks: [2, 3], kind: "timeout", signalled: true },
    { tasks: [0, 1, 2, 3], kind: "preempted", signalled: true },
  ]);
});

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";

import { submitJob } from "../../src/orchestrator/submit.ts";
import { readJob } from "../../src/orchestrator/view.ts";
import { addCancelled } from "../../src/store/jobs.ts";
import { jobFiles, segmentPath } from "../../src/store/layout.ts";
import { SegmentWriter } from "../../src/store/segments.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { RUN } from "../helpers/run-options.ts";
import { tempDir } from "../helpers/temp.ts";
import { startedRecord } from "../store/records.ts";

test("what was taken out of a queue by the scheduler's own command is cancelled, and what had begun is lost", async () => {
  const memory = new MemoryExecutor();
  memory.executor.resubmit = () => Promise.reject(new Error("submitted again"));
  const services = memory.services(tempDir());
  const run = { ...RUN, retries: 1 };
  const [waiting, begun] = [
    await submitJob(services, input(1, { run })),
    await submitJob(services, input(1, { run })),
  ];
  const writer = SegmentWriter.create(segmentPath(begun.dir, 0, 0, 0));
  await writer.append(startedRecord(0));
  await writer.close();
  memory.answer = {
    state: "unknown",
    native: null,
    reason: "forgotten alone",
    node: null,
    endedAt: "2026-01-01T00:00:00Z",
    isMissingAlone: true,
  };
  expect((await readJob(services, waiting.id)).task(0)).toMatchObject({
    state: "cancelled",
    reason: "cancelled outside of jobx while it waited",
  });
  expect((await readJob(services, begun.id)).task(0).state).toBe("lost");
});

test("what jobx took out of a queue is cancelled at once where its scheduler keeps nothing of it", async () => {
  const memory = new MemoryExecutor({ graceSeconds: 3_600 });
  const services = memory.services(tempDir());
  const { id, dir } = await submitJob(services, input(2));
  addCancelled(dir, [0]);
  memory.answer = { state: "unknown", native: null, reason: "forgotten", node: null, isMissingAlone: true };
  const view = await readJob(services, id);
  expect(view.task(0)).toMatchObject({ state: "cancelled", reason: "cancelled before it started" });
  expect(view.task(1).state).toBe("queued");
});

test("what thousands of elements came to that were cancelled outside of jobx is kept in one file", async () => {
  const memory = new MemoryExecutor();
  const services = memory.services(tempDir());
  const { id, dir } = await submitJob(services, input(2_000));
  memory.answer = {
    state: "cancelled",
    native: "CANCELLED",
    reason: null,
    node: null,
    endedAt: "2026-01-01T00:00:00Z",
  };
  expect((await readJob(services, id)).counts).toMatchObject({ cancelled: 2_000 });
  expect(readdirSync(jobFiles.verdicts(dir))).toHaveLength(1);
  memory.answer = "nothing";
  expect((await readJob(services, id)).counts).toMatchObject({ cancelled: 2_000 });
});

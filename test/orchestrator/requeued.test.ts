import { expect, test } from "bun:test";

import { makeOutput } from "../../src/cli/output.ts";
import { scopeOf } from "../../src/cli/selection.ts";
import { renderStatus } from "../../src/cli/status-text.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { readJob } from "../../src/orchestrator/view.ts";
import { segmentPath } from "../../src/store/layout.ts";
import { SegmentWriter } from "../../src/store/segments.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";
import { againRecord, startedRecord } from "../store/records.ts";

test("a task that left with its allocation has failed at once where its scheduler does not start it again", async () => {
  const memory = new MemoryExecutor({ graceSeconds: 3_600 });
  const services = memory.services(tempDir());
  const { id, dir } = await submitJob(services, input(1));
  const writer = SegmentWriter.create(segmentPath(dir, 0, 0, 0));
  const { pid: _pid, pidStart: _start, ...started } = startedRecord(0);
  await writer.append({
    ...started,
    kind: "again",
    why: "preempted",
    reason: "ended by the scheduler (SIGTERM)",
    exitCode: null,
    signal: "SIGTERM",
    endedAt: started.startedAt,
  });
  await writer.close();
  const endedAt = new Date().toISOString();
  memory.answer = { state: "failed", native: "FAILED", reason: "exit code 75", node: "node1", endedAt };
  expect((await readJob(services, id)).task(0)).toMatchObject({
    state: "failed",
    reason: expect.stringContaining("ended by the scheduler (SIGTERM), and it was not started again"),
  });
});

test("a task whose node died waits once its scheduler says so, and not by an answer from before it ran", async () => {
  const memory = new MemoryExecutor();
  const services = memory.services(tempDir());
  const { id, dir } = await submitJob(services, input(1));
  const writer = SegmentWriter.create(segmentPath(dir, 0, 0, 0));
  const started = startedRecord(0);
  await writer.append(started);
  await writer.close();
  const after = (seconds: number) => new Date(Date.parse(started.startedAt) + seconds * 1000).toISOString();
  const pending = { state: "queued", native: "PENDING", reason: "Resources", node: null } as const;
  for (const seconds of [-60, 5]) {
    memory.answer = { ...pending, asOf: after(seconds) };
    expect((await readJob(services, id)).task(0)).toMatchObject({ state: "running", reason: null });
  }
  memory.answer = { ...pending, asOf: after(60) };
  expect((await readJob(services, id)).task(0)).toMatchObject({ state: "queued", reason: "Resources" });
});

const PLAIN = { json: false, quiet: false, verbose: false, color: { out: false, err: false } };

test("a task that waits to go on says after what and from where, beside what its scheduler says", async () => {
  const memory = new MemoryExecutor();
  const services = memory.services(tempDir());
  const { id, dir } = await submitJob(services, input(1));
  const writer = SegmentWriter.create(segmentPath(dir, 0, 0, 0));
  await writer.append(
    againRecord(0, {
      reason: "preempted; goes on from the state saved at 2026-01-01T00:00:00Z by attempt 0",
    }),
  );
  await writer.close();
  const before =
    "waits for attempt 1: preempted; goes on from the state saved at 2026-01-01T00:00:00Z by attempt 0";
  memory.answer = { state: "queued", native: "PENDING", reason: "Resources", node: null };
  const view = await readJob(services, id);
  expect(view.task(0)).toMatchObject({ state: "queued", attempt: 1, reason: `${before}; Resources` });
  expect(view.reason).toBe(`${before}; Resources`);
  const { style } = makeOutput(PLAIN, () => {});
  const shown = renderStatus([scopeOf(view, null)], style, { tasks: false });
  expect(shown).toMatch(/first began \d+d ago/);
  expect(shown).toContain(`queued  ${before}; Resources`);
  memory.answer = { state: "queued", native: "PENDING", reason: null, node: null };
  expect((await readJob(services, id)).task(0).reason).toBe(before);
  memory.answer = { state: "cancelled", native: "CANCELLED", reason: "cancelled by 1000", node: null };
  expect((await readJob(services, id)).task(0)).toMatchObject({
    state: "cancelled",
    reason: "cancelled by 1000",
  });
});

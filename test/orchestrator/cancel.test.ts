import { describe, expect, test } from "bun:test";

import { JobxError } from "../../src/errors.ts";
import { cancelJobs } from "../../src/orchestrator/control.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { readJob } from "../../src/orchestrator/view.ts";
import { readSpec } from "../../src/store/jobs.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";

describe("a cancellation that the scheduler did not hear", () => {
  test("is kept, says so, and reaches it when it is asked for again", async () => {
    const memory = new MemoryExecutor();
    const services = memory.services(tempDir());
    const { id, dir } = await submitJob(services, input(3));
    const selected = { id, dir, spec: readSpec(dir), tasks: null, rank: null };
    const { cancel } = memory.executor;
    memory.executor.cancel = async () => {
      throw new JobxError("UNREACHABLE", "slurmctld is down");
    };
    await expect(cancelJobs(services, [selected])).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: "slurmctld is down",
      hint: "It ends all the same, or never begins; jobx cancel again takes it out of the queue once memory answers",
    });
    expect((await readJob(services, id)).counts.cancelled).toBe(3);
    memory.executor.cancel = cancel;
    expect(await cancelJobs(services, [selected])).toEqual([
      { id, asked: 3, passedOver: 0, alreadyFinal: 0 },
    ]);
    expect(memory.cancelled).toMatchObject([{ job: { id }, tasks: null }]);
    memory.answer = { state: "cancelled", native: "CANCELLED", reason: null, node: null, neverStarted: true };
    expect(await cancelJobs(services, [selected])).toMatchObject([{ asked: 0, alreadyFinal: 3 }]);
  });
});

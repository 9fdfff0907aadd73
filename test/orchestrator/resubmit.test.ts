import { describe, expect, test } from "bun:test";
import { utimesSync } from "node:fs";

import { JobxError } from "../../src/errors.ts";
import type { Executor } from "../../src/executor/contract.ts";
import { retryJob } from "../../src/orchestrator/retry.ts";
import type { Services } from "../../src/orchestrator/services.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { readJob } from "../../src/orchestrator/view.ts";
import { waitFor } from "../../src/orchestrator/wait.ts";
import { claimAgain } from "../../src/store/claims.ts";
import { jobIds, readSpec } from "../../src/store/jobs.ts";
import { jobDir } from "../../src/store/layout.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { RUN } from "../helpers/run-options.ts";
import { tempDir } from "../helpers/temp.ts";

const LOST = { state: "failed", native: "FAILED", reason: "signal 9", node: "node1" } as const;

/** Submits two tasks whose elements are lost, and has the executor submit elements again as `resubmit` says. */
async function lostJob(retries: number, resubmit: NonNullable<Executor["resubmit"]>) {
  const memory = new MemoryExecutor();
  memory.executor.resubmit = resubmit;
  const services: Services & { notes: string[] } = memory.services(tempDir());
  const { id, dir } = await submitJob(services, input(2, { run: { ...RUN, retries } }));
  memory.answer = LOST;
  const selected = { id, dir, spec: readSpec(dir), tasks: null, rank: null };
  return { memory, services, id, dir, selected };
}

const accepting = (calls: number[][]): NonNullable<Executor["resubmit"]> => {
  return async ({ spec }, { elements }) => {
    calls.push(elements);
    const native = { id: spec.token, cluster: null, submitted: new Date().toISOString() };
    return { natives: [{ ...native, firstElement: 0, elements: 2, only: elements }] };
  };
};

describe("what was lost and has retries left", () => {
  test("looks lost and says what submits it again, which looking never does", async () => {
    const calls: number[][] = [];
    const { services, id } = await lostJob(1, accepting(calls));
    const view = await readJob(services, id);
    expect(view.counts).toMatchObject({ failed: 2, queued: 0 });
    expect(view.task(0).reason).toBe(`signal 9; jobx wait ${id} submits it again (retry 1 of 1)`);
    // Whoever follows its logs goes on.
    expect(view.recordedState(0)).toBe("queued");
    expect(calls).toEqual([]);
  });

  test("is submitted again by a wait as often as retries are left, and then it is lost", async () => {
    const calls: number[][] = [];
    const { services, selected, id } = await lostJob(2, accepting(calls));
    const [view] = await waitFor(services, [selected], { timeoutSeconds: 20 });
    expect(calls).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(view?.counts).toMatchObject({ failed: 2 });
    expect(view?.natives).toHaveLength(3);
    expect(view?.task(0).reason).toBe("signal 9; its 2 retries are used up");
    expect(services.notes[0]).toContain(`Submitted 2 lost parts of job ${id} again`);
  });

  test("is submitted once by several that wait", async () => {
    const calls: number[][] = [];
    const { memory, services, selected } = await lostJob(1, async (request, again, context) => {
      memory.answer = { state: "queued", native: "PENDING", reason: null, node: null };
      await Bun.sleep(20);
      return accepting(calls)(request, again, context);
    });
    const waits = Array.from({ length: 5 }, () => waitFor(services, [selected], { timeoutSeconds: 1 }));
    for (const wait of await Promise.allSettled(waits)) expect(wait.status).toBe("rejected");
    expect(calls).toEqual([[0, 1]]);
  });

  test("is lost when the scheduler refuses it, and waits for one that is only away", async () => {
    const away = new JobxError("UNREACHABLE", "slurmctld is down");
    const errors = [
      new JobxError("REFUSED", "not accepted", { cause: away }),
      new JobxError("REFUSED", "no such partition"),
    ];
    const { services, selected } = await lostJob(9, async () => {
      throw errors.shift() ?? new Error("asked too often");
    });
    const [view] = await waitFor(services, [selected], { timeoutSeconds: 20 });
    expect(services.notes[0]).toContain("could not be submitted again yet: not accepted");
    expect(view?.task(0).reason).toBe(
      "signal 9; it could not be submitted again: no such partition; jobx retry 1 --failed runs it again",
    );
    expect(errors).toEqual([]);
  });

  test("is the new job's once it was retried: a wait for the old one submits only the rest again", async () => {
    const calls: number[][] = [];
    const { memory, services, selected, id } = await lostJob(1, accepting(calls));
    const retried = { ...selected, tasks: [0] };
    const input = { failedOnly: false, resume: false, resources: {}, environment: {} };
    memory.refusal = new JobxError("REFUSED", "no such partition");
    await expect(retryJob(services, retried, input)).rejects.toThrow("no such partition");
    memory.refusal = null;
    expect(await retryJob(services, retried, input)).toMatchObject({ id: 2, tasks: 1 });
    const [view] = await waitFor(services, [selected], { timeoutSeconds: 20 });
    expect(calls).toEqual([[1]]);
    expect(view?.task(0)).toMatchObject({ state: "failed", reason: "signal 9; job 2 runs it again" });
    expect(readSpec(jobDir(services.home, 2)).origin).toEqual({ job: id, tasks: [0] });
  });

  test("is not retried while a wait submits it again", async () => {
    const { services, selected, dir } = await lostJob(1, accepting([]));
    claimAgain(dir, 1);
    const retry = retryJob(services, selected, {
      failedOnly: true,
      resume: false,
      resources: {},
      environment: {},
    });
    await expect(retry).rejects.toThrow("is being submitted again by a jobx that waits for it");
    expect(jobIds(services.home)).toEqual([1]);
  });

  test("is never submitted twice where no plugin can find what may have been accepted", async () => {
    const calls: number[][] = [];
    const waited = await lostJob(2, accepting(calls));
    const retried = await lostJob(2, accepting(calls));
    for (const { dir } of [waited, retried]) {
      const claim = claimAgain(dir, 1);
      const anHourAgo = Date.now() / 1000 - 3_600;
      if (claim) utimesSync(claim.path, anHourAgo, anHourAgo);
    }
    const why = "memory may have accepted it already, and cannot be asked";
    const [view] = await waitFor(waited.services, [waited.selected], { timeoutSeconds: 20 });
    const way = "jobx retry 1 --failed runs it again";
    expect(view?.task(0).reason).toBe(`signal 9; it could not be submitted again: ${why}; ${way}`);
    const input = { failedOnly: true, resume: false, resources: {}, environment: {} };
    await expect(retryJob(retried.services, retried.selected, input)).rejects.toThrow(why);
    expect(calls).toEqual([]);
  });

  test("is not submitted again without retries, nor when it was cancelled", async () => {
    const calls: number[][] = [];
    const none = await lostJob(0, accepting(calls));
    const [view] = await waitFor(none.services, [none.selected], { timeoutSeconds: 20 });
    const way = "with --retries N it would run again by itself";
    expect(view?.task(0).reason).toBe(`signal 9; ${way}`);
    const cancelled = await lostJob(3, accepting(calls));
    cancelled.memory.answer = { ...LOST, state: "cancelled" };
    await waitFor(cancelled.services, [cancelled.selected], { timeoutSeconds: 20 });
    expect(calls).toEqual([]);
  });
});

import { describe, expect, test } from "bun:test";

import type { RunOptions } from "../../src/model/job.ts";
import { decide, type Ending, NO_HISTORY } from "../../src/worker/policy.ts";
import { RUN } from "../helpers/run-options.ts";

const ended: Ending = {
  cause: null,
  ok: false,
  asksAgain: false,
  refusesAgain: false,
  hasCheckpoint: () => false,
};

function options(run: Partial<RunOptions>): RunOptions {
  return { ...RUN, ...run };
}

describe("what follows an attempt", () => {
  test("a success is final", () => {
    expect(decide({ ...ended, ok: true }, NO_HISTORY, options({}))).toEqual({
      final: "succeeded",
      exhausted: false,
    });
  });

  test("a success after the warning of a preemption is a success", () => {
    const ending: Ending = { ...ended, ok: true, cause: "preempted" };
    expect(decide(ending, NO_HISTORY, options({ requeue: true }))).toMatchObject({ final: "succeeded" });
  });

  test("a failure is run again as often as --retries says", () => {
    const run = options({ retries: 2 });
    expect(decide(ended, { ...NO_HISTORY, failures: 1 }, run)).toEqual({ again: "failed" });
    expect(decide(ended, { ...NO_HISTORY, failures: 2 }, run)).toEqual({ final: "failed", exhausted: true });
  });

  test("exit code 85 counts as a timeout", () => {
    const ending = { ...ended, asksAgain: true };
    expect(decide(ending, { ...NO_HISTORY, timeouts: 2 }, options({}))).toEqual({ again: "timeout" });
    expect(decide(ending, { ...NO_HISTORY, timeouts: 3 }, options({}))).toEqual({
      final: "failed",
      exhausted: true,
    });
  });

  test("a timeout is run again only when the task can resume", () => {
    const ending: Ending = { ...ended, cause: "timeout" };
    expect(decide(ending, NO_HISTORY, options({}))).toMatchObject({ final: "timeout" });
    expect(decide(ending, NO_HISTORY, options({ requeue: true }))).toEqual({ again: "timeout" });
    expect(decide({ ...ending, hasCheckpoint: () => true }, NO_HISTORY, options({}))).toEqual({
      again: "timeout",
    });
    expect(
      decide({ ...ending, hasCheckpoint: () => true }, NO_HISTORY, options({ requeue: false })),
    ).toMatchObject({
      final: "timeout",
    });
  });

  test("a preemption never counts", () => {
    const history = { failures: 9, timeouts: 9, losses: 9 };
    expect(decide({ ...ended, cause: "preempted" }, history, options({ requeue: true }))).toEqual({
      again: "preempted",
    });
  });

  test("a cancelled task is not run again", () => {
    const ending: Ending = { ...ended, cause: "cancelled" };
    expect(decide(ending, NO_HISTORY, options({ requeue: true, retries: 5 }))).toMatchObject({
      final: "cancelled",
    });
  });

  test("a lost attempt is run again with --retries or --requeue, else it is lost", () => {
    const ending: Ending = { ...ended, cause: "lost" };
    expect(decide(ending, NO_HISTORY, options({}))).toMatchObject({ final: "lost" });
    expect(decide(ending, NO_HISTORY, options({ retries: 1 }))).toEqual({ again: "lost" });
    expect(decide(ending, { ...NO_HISTORY, losses: 1 }, options({ retries: 1 }))).toMatchObject({
      final: "lost",
    });
    expect(decide(ending, { ...NO_HISTORY, losses: 9 }, options({ requeue: true }))).toEqual({
      again: "lost",
    });
  });
});

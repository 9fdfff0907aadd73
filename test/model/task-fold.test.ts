import { expect, test } from "bun:test";

import type { AgainRecord, ResultRecord, SegmentRecord, StartedRecord } from "../../src/model/records.ts";
import type { FinalState } from "../../src/model/states.ts";
import { TaskFold } from "../../src/model/task-fold.ts";

type Where = { task?: number; rank?: number; attempt?: number; at?: number };

const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

function started({ task = 0, rank = 0, attempt = 0, at = attempt * 10 }: Where = {}): StartedRecord {
  return {
    kind: "started",
    task,
    rank,
    attempt,
    pid: 1,
    pidStart: null,
    node: `n${rank}`,
    startedAt: time(at),
  };
}

function ended(
  status: FinalState,
  { task = 0, rank = 0, attempt = 0, at = attempt * 10 }: Where = {},
): ResultRecord {
  const good = status === "succeeded";
  return {
    kind: "result",
    task,
    rank,
    attempt,
    status,
    value: good ? { kind: "inline", value: attempt } : null,
    error: null,
    exitCode: good ? 0 : 1,
    signal: null,
    reason: good ? null : `${status} on rank ${rank}`,
    node: `n${rank}`,
    startedAt: time(at),
    endedAt: time(at + 5 + rank),
    usage: { maxRssBytes: 100 + rank, maxRssIsUpperBound: false, userSeconds: 0, systemSeconds: 0 },
  };
}

function again({ task = 0, rank = 0, attempt = 0, at = attempt * 10 }: Where = {}): AgainRecord {
  return {
    kind: "again",
    task,
    rank,
    attempt,
    why: "failed",
    reason: "exit code 1",
    exitCode: 1,
    signal: null,
    node: `n${rank}`,
    startedAt: time(at),
    endedAt: time(at + 5),
  };
}

/** Every order of a few records. */
function orders(records: SegmentRecord[]): SegmentRecord[][] {
  if (records.length <= 1) return [records];
  return records.flatMap((first, i) => orders(records.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}

/** The view of one task, by the records of its job. */
function foldTask(index: number, ranks: number, records: Iterable<SegmentRecord>) {
  const fold = new TaskFold(index + 1, ranks);
  for (const record of records) fold.add(record);
  return fold.view(index);
}

test("a task without records is queued", () => {
  expect(foldTask(3, 1, [])).toEqual({
    index: 3,
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
    ranks: [{ rank: 0, state: "queued", attempt: 0, node: null, startedAt: null, result: null }],
  });
});

test("a task that succeeded shows when, where and what it used", () => {
  const result = ended("succeeded");
  expect(foldTask(0, 1, [started(), result])).toEqual({
    index: 0,
    state: "succeeded",
    attempt: 0,
    exitCode: 0,
    signal: null,
    reason: null,
    native: null,
    node: "n0",
    startedAt: time(0),
    endedAt: time(5),
    seconds: 5,
    maxRssBytes: 100,
    ranks: [{ rank: 0, state: "succeeded", attempt: 0, node: "n0", startedAt: time(0), result }],
  });
});

test("the order of records makes no difference", () => {
  const cases: [SegmentRecord[], string, number][] = [
    [[started()], "running", 0],
    [[started(), again()], "queued", 1],
    [[started(), again(), started({ attempt: 1 })], "running", 1],
    [[started(), again(), started({ attempt: 1 }), ended("failed", { attempt: 1 })], "failed", 1],
    [[ended("failed"), started({ attempt: 1 }), ended("succeeded", { attempt: 1 })], "succeeded", 1],
    [[ended("succeeded"), started({ attempt: 1 }), ended("failed", { attempt: 1 })], "succeeded", 0],
    [[ended("succeeded"), ended("succeeded", { attempt: 1 })], "succeeded", 0],
    [[ended("failed", { at: 0 }), ended("timeout", { at: 7 })], "timeout", 0],
    [[ended("succeeded", { at: 7 }), ended("succeeded", { at: 0 }), ended("lost")], "succeeded", 0],
  ];
  for (const [records, state, attempt] of cases) {
    const views = orders(records).map((order) => foldTask(0, 1, order));
    expect(views[0]).toMatchObject({ state, attempt });
    for (const view of views) expect(view).toEqual(views[0] ?? view);
  }
});

test("a task that waits for another attempt says why", () => {
  expect(foldTask(0, 1, [again()])).toMatchObject({
    state: "queued",
    attempt: 1,
    exitCode: 1,
    reason: "waits for attempt 1: exit code 1",
    endedAt: null,
  });
});

test("several ranks make one state", () => {
  const stateOf = (...records: SegmentRecord[]) => foldTask(0, 2, records).state;
  const one = { rank: 1 };
  expect(stateOf(ended("succeeded"), ended("succeeded", one))).toBe("succeeded");
  expect(stateOf(ended("succeeded"))).toBe("running");
  expect(stateOf(ended("succeeded"), started(one))).toBe("running");
  expect(stateOf(ended("failed"), started(one))).toBe("running");
  expect(stateOf(ended("failed"), ended("succeeded", one))).toBe("failed");
  expect(stateOf(ended("cancelled"), ended("timeout", one))).toBe("timeout");
  expect(stateOf(ended("failed"))).toBe("failed");
  expect(stateOf(again(), ended("succeeded", one))).toBe("queued");
  expect(stateOf(again(), ended("failed", one))).toBe("queued");
  expect(stateOf(started(), ended("failed", { rank: 1, attempt: 1 }))).toBe("failed");
  expect(stateOf(ended("failed"), again(one), started({ attempt: 1 }))).toBe("running");
});

test("a task of several ranks spans them all, and tells of the one that failed", () => {
  expect(foldTask(0, 2, [ended("succeeded"), ended("failed", { rank: 1 })])).toMatchObject({
    state: "failed",
    exitCode: 1,
    reason: "failed on rank 1",
    node: "n0,n1",
    seconds: 6,
    maxRssBytes: 101,
  });
});

test("counts follow every record", () => {
  const fold = new TaskFold(3, 1);
  expect(fold.counts()).toMatchObject({ queued: 3 });
  fold.add(started({ task: 1 }));
  fold.add(started({ task: 1 }));
  expect(fold.counts()).toMatchObject({ queued: 2, running: 1 });
  fold.add(again({ task: 1 }));
  fold.add(ended("succeeded", { task: 0 }));
  expect(fold.counts()).toMatchObject({ queued: 2, running: 0, succeeded: 1 });
  expect([fold.stateOf(0), fold.stateOf(1), fold.stateOf(2)]).toEqual(["succeeded", "queued", "queued"]);
});

test("records and verdicts of tasks that the job does not have are passed over", () => {
  const fold = new TaskFold(2, 1);
  for (const where of [{ task: 2 }, { task: -1 }, { task: 0.5 }, { rank: 1 }, { rank: -1 }])
    fold.add(started(where));
  fold.addVerdict({ task: 9, state: "lost", reason: "", native: null, node: null, endedAt: time(1) });
  expect(fold.counts()).toMatchObject({ queued: 2, running: 0, lost: 0 });
});

test("a verdict ends a task that has no final record", () => {
  const fold = new TaskFold(2, 1);
  fold.add(started({ task: 1 }));
  for (const task of [0, 1]) {
    fold.addVerdict({
      task,
      state: "lost",
      reason: "NODE_FAIL",
      native: "NODE_FAIL",
      node: null,
      endedAt: time(9),
    });
  }
  expect(fold.counts()).toMatchObject({ queued: 0, running: 0, lost: 2 });
  expect(fold.view(0)).toMatchObject({ state: "lost", reason: "NODE_FAIL", endedAt: time(9), seconds: null });
  expect(fold.view(1)).toMatchObject({ state: "lost", node: "n0", seconds: 9 });
});

test("a verdict on a task that waits for another attempt is on the last one that ran", () => {
  const fold = new TaskFold(1, 1);
  fold.add(again());
  expect(fold.view(0)).toMatchObject({ state: "queued", attempt: 1 });
  fold.addVerdict({ task: 0, state: "cancelled", reason: "", native: null, node: null, endedAt: time(9) });
  expect(fold.view(0)).toMatchObject({ state: "cancelled", attempt: 0 });
  fold.add(again({ attempt: 1, at: 6 }));
  expect(fold.view(0)).toMatchObject({ state: "cancelled", attempt: 1 });
});

test("a record beats a verdict, and an attempt that begins after it makes it void", () => {
  const fold = new TaskFold(2, 1);
  for (const task of [0, 1]) {
    fold.addVerdict({ task, state: "lost", reason: "?", native: "FAILED", node: null, endedAt: time(9) });
  }
  fold.add(ended("succeeded", { task: 0 }));
  fold.add(started({ task: 1, attempt: 1, at: 10 }));
  expect(fold.view(0)).toMatchObject({ state: "succeeded", reason: null, native: "FAILED" });
  expect(fold.view(1)).toMatchObject({ state: "running", attempt: 1, reason: null });
  expect(fold.counts()).toMatchObject({ running: 1, succeeded: 1, lost: 0 });
});

test("any run of records leaves counts that the views agree with", () => {
  const states: FinalState[] = ["succeeded", "failed", "cancelled", "timeout", "lost"];
  let seed = 7;
  const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
  const fold = new TaskFold(20, 3);
  for (let i = 0; i < 2000; i++) {
    const where = { task: random(20), rank: random(3), attempt: random(3) };
    const kind = random(3);
    if (kind === 0) fold.add(started(where));
    else if (kind === 1) fold.add(again(where));
    else fold.add(ended(states[random(5)] ?? "failed", where));
    if (i % 100 !== 0) continue;
    const counted = Object.groupBy(
      Array.from({ length: 20 }, (_, task) => fold.view(task).state),
      (state) => state,
    );
    for (const [state, count] of Object.entries(fold.counts())) {
      expect([state, count]).toEqual([state, Reflect.get(counted, state)?.length ?? 0]);
    }
  }
});

test("100,000 tasks are folded in well under a second", () => {
  const fold = new TaskFold(100_000, 1);
  const begin = performance.now();
  for (let task = 0; task < 100_000; task++) {
    fold.add(started({ task }));
    fold.add(ended("succeeded", { task }));
  }
  expect(fold.counts().succeeded).toBe(100_000);
  expect(performance.now() - begin).toBeLessThan(5000);
});

test("a task began with its first attempt, whatever order its records come in, and also while it waits for another", () => {
  for (const records of orders([
    started(),
    again(),
    started({ attempt: 1 }),
    ended("failed", { attempt: 1 }),
  ])) {
    const fold = new TaskFold(1, 1);
    for (const record of records) fold.add(record);
    expect(fold.timesOf(0)).toEqual({ startedAt: time(0), endedAt: time(15) });
  }
  for (const records of orders([again({ at: 3 }), again({ rank: 1, at: 2 })])) {
    const fold = new TaskFold(1, 2);
    for (const record of records) fold.add(record);
    expect(fold.timesOf(0)).toEqual({ startedAt: time(2), endedAt: null });
  }
});

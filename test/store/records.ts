import type { AgainRecord, ResultRecord, StartedRecord } from "../../src/model/records.ts";

export function resultRecord(task: number, value: unknown): ResultRecord {
  return {
    kind: "result",
    task,
    rank: 0,
    attempt: 0,
    status: "succeeded",
    value: { kind: "inline", value },
    error: null,
    exitCode: 0,
    signal: null,
    reason: null,
    node: "node1",
    startedAt: "2026-01-01T00:00:00.000Z",
    endedAt: "2026-01-01T00:00:01.000Z",
    usage: null,
  };
}

export function againRecord(task: number, changes: Partial<AgainRecord> = {}): AgainRecord {
  return {
    kind: "again",
    task,
    rank: 0,
    attempt: 0,
    why: "preempted",
    reason: "preempted",
    exitCode: null,
    signal: "SIGTERM",
    node: "node1",
    startedAt: "2026-01-01T00:00:00.000Z",
    endedAt: "2026-01-01T00:00:01.000Z",
    ...changes,
  };
}

export function startedRecord(task: number): StartedRecord {
  return {
    kind: "started",
    task,
    rank: 0,
    attempt: 0,
    pid: 1,
    pidStart: null,
    node: "node1",
    startedAt: "2026-01-01T00:00:00.000Z",
  };
}

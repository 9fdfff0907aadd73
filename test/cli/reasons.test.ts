import { expect, test } from "bun:test";

import { makeOutput } from "../../src/cli/output.ts";
import { groupReasons, renderReasons } from "../../src/cli/reasons.ts";
import type { TaskState } from "../../src/model/states.ts";
import { taskView } from "./views.ts";

const { style } = makeOutput(
  { json: false, quiet: false, verbose: false, color: { out: false, err: false } },
  () => {},
);

const task = (index: number, state: TaskState, reason: string | null) => taskView({ index, state, reason });

test("the same reason is said once, with the ranges of its tasks", () => {
  const groups = groupReasons([
    task(0, "failed", "exit code 1"),
    task(1, "failed", "exit code 1"),
    task(2, "succeeded", null),
    task(3, "queued", "waits for 4 CPUs"),
    task(4, "failed", "exit code 2"),
    task(5, "failed", "exit code 1"),
  ]);
  expect(renderReasons(groups, style)).toEqual([
    "queued  3      waits for 4 CPUs",
    "failed  0-1,5  exit code 1",
    "failed  4      exit code 2",
  ]);
});

test("succeeded tasks have no reasons, and running ones only where nobody looks after them", () => {
  expect(groupReasons([task(0, "running", null), task(1, "succeeded", null)])).toEqual([]);
  const [group] = groupReasons([task(0, "running", "belongs to node7, which is silent")]);
  expect(group).toMatchObject({ state: "running", tasks: [0] });
});

test("the scheduler's word stands in for a missing reason", () => {
  const [group] = groupReasons([taskView({ index: 0, state: "lost", native: "NODE_FAIL" })]);
  expect(group?.reason).toBe("NODE_FAIL");
});

test("many reasons that differ in numbers alone become one", () => {
  const tasks = Array.from({ length: 20 }, (_, index) =>
    task(index, "failed", `used ${index}.5 GiB on node${index}`),
  );
  const groups = groupReasons(tasks);
  expect(groups).toHaveLength(1);
  expect(groups[0]).toMatchObject({ reason: "used 0.5 GiB on node0", alike: true });
  expect(groups[0]?.tasks).toHaveLength(20);
});

test("control characters in a reason are shown, not obeyed", () => {
  const lines = renderReasons(groupReasons([task(0, "failed", "bad\u001b[2Jword\nsecond")]), style);
  expect(lines).toEqual(["failed  0  bad\\x1b[2Jword\\nsecond"]);
});

test("more groups than fit are counted", () => {
  const words = ["a", "b", "c", "d"];
  const groups = groupReasons(words.map((word, index) => task(index, "failed", word)));
  expect(renderReasons(groups, style, { limit: 2 }).at(-1)).toBe("and 2 more reasons");
});

test("of a job with one task it goes without saying which one, and a state is no reason for itself", () => {
  const groups = groupReasons([task(0, "failed", "exit code 1")]);
  expect(renderReasons(groups, style, { single: true })).toEqual(["failed  exit code 1"]);
  const cancelled = groupReasons([task(0, "cancelled", "cancelled"), task(1, "cancelled", "cancelled")]);
  expect(renderReasons(cancelled, style)).toEqual(["cancelled  0-1"]);
});

import { expect, test } from "bun:test";

import { expandHostlist } from "../../src/model/hostlist.ts";
import { nearest } from "../../src/model/nearest.ts";
import { formatTaskId, parseAfter, parseSelector } from "../../src/model/selectors.ts";
import { problemOf } from "./problem.ts";

const job = (id: number, tasks: number[] | null = null, rank: number | null = null) => ({
  kind: "job" as const,
  job: id,
  tasks,
  rank,
});

test("jobs, tasks and ranks are selected by number", () => {
  expect(parseSelector("12")).toEqual(job(12));
  expect(parseSelector("12.3")).toEqual(job(12, [3]));
  expect(parseSelector("12.3:1")).toEqual(job(12, [3], 1));
  expect(parseSelector("12.0-3")).toEqual(job(12, [0, 1, 2, 3]));
  expect(parseSelector("12.7,1,4")).toEqual(job(12, [1, 4, 7]));
  expect(parseSelector("12.0-4:2")).toEqual(job(12, [0, 1, 2, 3, 4], 2));
});

test("the newest job is last, its tasks too", () => {
  expect(parseSelector("last")).toEqual({ kind: "last", tasks: null, rank: null });
  expect(parseSelector("last.2")).toEqual({ kind: "last", tasks: [2], rank: null });
});

test("a native id names its executor", () => {
  expect(parseSelector("slurm:4211")).toEqual({
    kind: "native",
    executor: "slurm",
    native: "4211",
    id: "4211",
    element: null,
  });
  expect(parseSelector("slurm:4211_3")).toEqual({
    kind: "native",
    executor: "slurm",
    native: "4211_3",
    id: "4211",
    element: 3,
  });
  expect(parseSelector("pbs:12[3].srv")).toEqual({
    kind: "native",
    executor: "pbs",
    native: "12[3].srv",
    id: "12[3].srv",
    element: null,
  });
});

test.each([
  "",
  "x",
  "12.",
  "12.x",
  "12:",
  "12:1",
  "12.1:",
  "12.1:x",
  "-1",
  "12.9-1",
  "slurm:",
  "12 13",
  "latest",
  "last:1",
])("%p is no selector", (text) => {
  const { code, message } = problemOf(() => parseSelector(text));
  expect(code).toBe("USAGE");
  expect(message).toStartWith(`Bad selector "${text}": `);
});

test("a rank without its task is told where to put it", () => {
  expect(problemOf(() => parseSelector("12:1")).hint).toBe("Write 12.0:1");
});

test("a dependency is a selector with its kind", () => {
  expect(parseAfter("12")).toEqual({ selector: job(12), kind: "ok" });
  expect(parseAfter("12.3:any")).toEqual({ selector: job(12, [3]), kind: "any" });
  expect(parseAfter("slurm:4211:fail").kind).toBe("fail");
  expect(parseAfter("last:each").kind).toBe("each");
  expect(problemOf(() => parseAfter("12:done")).message).toStartWith('Bad kind "done" in "12:done"');
  expect(problemOf(() => parseAfter("12:done")).hint).toContain("12:any");
});

test("ids are shown as they are typed", () => {
  expect([formatTaskId(12), formatTaskId(12, 3), formatTaskId(12, 3, 1)]).toEqual(["12", "12.3", "12.3:1"]);
});

test.each([
  ["partiton", "partition"],
  ["Partition", "partition"],
  ["ranks_per_node", "ranks-per-node"],
  ["tiem", "time"],
  ["part", "partition"],
  ["qso", "qos"],
  ["zzzz", null],
  ["", null],
  ["x", null],
])("the nearest to %p is %p", (word, near) => {
  expect(nearest(word, ["time", "partition", "qos", "ranks-per-node"])).toBe(near);
});

test.each([
  ["tux", ["tux"]],
  ["tux[1-3,07-09],gpu-a[1]-ib", ["tux1", "tux2", "tux3", "tux07", "tux08", "tux09", "gpu-a1-ib"]],
  ["r[1-2]n[08-10]", ["r1n08", "r1n09", "r1n10", "r2n08", "r2n09", "r2n10"]],
  ["a,b.example.org", ["a", "b.example.org"]],
])("the host list %s is expanded", (text, hosts) => {
  expect(expandHostlist(text)).toEqual(hosts);
});

test.each(["", "a,", "a[", "a[]", "a[1", "a]1", "a[3-1]", "a[x]", "a[1-99999999999]"])(
  "%p is no host list",
  (text) => {
    expect(problemOf(() => expandHostlist(text)).code).toBe("FORMAT");
  },
);

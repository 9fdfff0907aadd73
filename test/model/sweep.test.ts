import { expect, test } from "bun:test";

import { parseArraySpec } from "../../src/model/array-spec.ts";
import { expandTasks } from "../../src/model/expand.ts";
import { parseSweep } from "../../src/model/sweep.ts";
import { showValue } from "../../src/model/values.ts";
import { problemOf } from "./problem.ts";

const noFile = (path: string): string => {
  throw new Error(`unexpected read of ${path}`);
};
const valuesOf = (list: string) => parseSweep(`x=${list}`, noFile).values;

test("values are numbers and booleans only where their text comes back unchanged", () => {
  expect(valuesOf("1,0.5,true,null,a b")).toEqual([1, 0.5, true, null, "a b"]);
  const awkward = "1e-3,007,1.0,-0,+1,.5,0x10,NaN,Infinity,12345678901234567890,1_000, 1,True";
  expect(valuesOf(awkward)).toEqual(awkward.split(","));
});

test("what a command is shown is what was written, whatever the value became", () => {
  const text = "1,0.5,1e-3,007,1.0,true,null,é🙂,-v,--x=1,$HOME,{y},a=b";
  expect(valuesOf(text).map(showValue)).toEqual(text.split(","));
});

test("for functions every number of JSON's grammar is a number", () => {
  const { values } = parseSweep("lr=1e-3,1.0,007,12345678901234567890,-0", noFile, "typed");
  expect(values).toEqual([0.001, 1, "007", "12345678901234567890", 0]);
});

test("quotes keep commas, ranges and file marks as text", () => {
  expect(valuesOf('"a,b",c')).toEqual(["a,b", "c"]);
  expect(valuesOf('"1","1..3","@x"')).toEqual(["1", "1..3", "@x"]);
  expect(valuesOf('"say ""hi""",5" pipe')).toEqual(['say "hi"', '5" pipe']);
  expect(valuesOf('""')).toEqual([""]);
  expect(valuesOf("a,,b,")).toEqual(["a", "", "b", ""]);
});

test.each([
  ["1..4", ["1", "2", "3", "4"]],
  ["3..1", ["3", "2", "1"]],
  ["-1..1", ["-1", "0", "1"]],
  ["0..1/0.25", ["0", "0.25", "0.5", "0.75", "1"]],
  ["0..0.5/0.1", ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]],
  ["0..1/0.4", ["0", "0.4", "0.8"]],
  ["1..0/-0.5", ["1", "0.5", "0"]],
  ["-0.2..0.1/0.1", ["-0.2", "-0.1", "0", "0.1"]],
  ["08..11", ["08", "09", "10", "11"]],
  ["5..5", ["5"]],
  ["0..0.0000002/0.0000001", ["0", "0.0000001", "0.0000002"]],
])("the range %s has exact steps", (range, texts) => {
  expect(valuesOf(range).map(showValue)).toEqual(texts);
});

test.each(["0..1/0", "0..5/-1", "1..10..2", "1..1e9", "1..99999999", "..5/x5"])(
  "the range %s is refused or text",
  (range) => {
    if (range.startsWith("..")) expect(valuesOf(range)).toEqual([range]);
    else expect(problemOf(() => valuesOf(range)).message).toStartWith(`Bad sweep "x=${range}"`);
  },
);

test("paths with two dots are no ranges", () => {
  expect(valuesOf("../a,../b")).toEqual(["../a", "../b"]);
});

test("a file gives a value a line", () => {
  const read = (path: string) => (path === "in put.txt" ? "\uFEFFa,b\r\n\r\n3\n x\n" : noFile(path));
  expect(parseSweep("f=@in put.txt", read)).toEqual({ key: "f", values: ["a,b", 3, " x"] });
  expect(problemOf(() => parseSweep("f=@e", () => "\n")).message).toBe('Bad sweep "f=@e": e has no lines');
});

test("a sweep without key, equals sign or values says what to write", () => {
  expect(problemOf(() => parseSweep("lr", noFile)).message).toBe('Bad sweep "lr": it has no =');
  expect(problemOf(() => parseSweep("lr=", noFile)).hint).toContain('KEY=""');
  for (const key of ["", "1x", "a-b", "a b", "__proto__"]) {
    expect(problemOf(() => parseSweep(`${key}=1`, noFile)).message).toContain(`"${key}" cannot be the name`);
  }
  expect(problemOf(() => valuesOf('"a,b')).message).toContain("does not end before a comma");
});

test("a name may be written in any alphabet", () => {
  expect(parseSweep("größe=1", noFile).key).toBe("größe");
});

test("tasks that are nothing but numbers of an array, or nothing at all, are told by these", () => {
  const sweeps = [{ key: "x", values: [1, 2] }];
  expect(expandTasks({ array: [3, 4, 5, 9] }).plain).toEqual([
    [3, 5],
    [9, 9],
  ]);
  expect(expandTasks({}).plain).toEqual([]);
  expect(expandTasks({ array: [3, 9], args: ["z"] }).plain).toBeNull();
  expect(expandTasks({ args: ["z"] }).plain).toBeNull();
  expect(expandTasks({ array: [3, 9], sweeps }).plain).toBeNull();
  expect(expandTasks({ array: [3], rows: [{ params: { f: "a" }, line: "a" }] }).plain).toBeNull();
  expect(expandTasks({ sweeps }).plain).toBeNull();
  expect(expandTasks({ array: Array.from({ length: 500 }, (_, at) => 2 * at) }).plain).toBeNull();
});

test("tasks are the product of rows, sweeps and array, the last varying fastest", () => {
  const tasks = expandTasks({
    rows: [
      { params: { f: "a" }, line: "a" },
      { params: { f: "b", extra: 1 }, line: "b" },
    ],
    sweeps: [{ key: "x", values: [1, 2] }],
    array: [5, 7],
    args: ["z"],
  });
  expect(tasks.count).toBe(8);
  expect(tasks.keys).toEqual(["f", "x", "index"]);
  const all = [...tasks];
  expect(all).toHaveLength(8);
  expect(all[0]).toEqual({ params: { f: "a", x: 1, index: 5 }, line: "a", args: ["z"] });
  expect(all[1]?.params).toEqual({ f: "a", x: 1, index: 7 });
  expect(all[2]?.params).toEqual({ f: "a", x: 2, index: 5 });
  expect(all[7]).toEqual({ params: { f: "b", extra: 1, x: 2, index: 7 }, line: "b", args: ["z"] });
  expect([...tasks]).toEqual(all);
});

test("without parameters there is one task", () => {
  const tasks = expandTasks({ args: [1] });
  expect([...tasks]).toEqual([{ params: null, line: null, args: [1] }]);
  expect(tasks.count).toBe(1);
});

test("100,000 tasks are made one by one", () => {
  const { indices } = parseArraySpec("0-99999");
  let last = -1;
  for (const task of expandTasks({ array: indices })) last = Number(task.params?.index);
  expect(last).toBe(99_999);
});

test("a parameter that is given twice is refused, naming both places", () => {
  const sweep = { key: "x", values: [1] };
  expect(problemOf(() => expandTasks({ sweeps: [sweep, sweep] })).hint).toBe(
    "Write all its values at once: --sweep x=V1,V2",
  );
  const rows = [{ params: { x: 1 }, line: "1" }];
  expect(problemOf(() => expandTasks({ sweeps: [sweep], rows })).message).toBe(
    'Parameter "x" is given twice: by --sweep and by --params',
  );
  const index = { key: "index", values: [1] };
  expect(problemOf(() => expandTasks({ sweeps: [index], array: [0] })).message).toBe(
    'Parameter "index" is given twice: by --sweep and by --array',
  );
});

test("too many tasks, or none, are refused", () => {
  const big = { values: Array.from({ length: 3000 }, (_, i) => i) };
  const sweeps = [
    { key: "a", ...big },
    { key: "b", ...big },
  ];
  expect(problemOf(() => expandTasks({ sweeps })).message).toStartWith("9000000 tasks are more than");
  expect(problemOf(() => expandTasks({ rows: [] })).message).toStartWith("There are no tasks");
});

test.each([
  ["0-9", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], null],
  ["1,3", [1, 3], null],
  ["1-10:2%4", [1, 3, 5, 7, 9], 4],
  ["3,1-3,2", [1, 2, 3], null],
  ["10-10", [10], null],
  ["0-1,7%1", [0, 1, 7], 1],
])("the array %s has indices %p", (text, indices, parallel) => {
  expect(parseArraySpec(text)).toEqual({ indices, parallel });
});

test("a bare number is refused with both readings", () => {
  const { message, hint } = problemOf(() => parseArraySpec("10"));
  expect(message).toBe('Ambiguous array "10": sbatch reads it as the one task 10');
  expect(hint).toBe("Write 0-9 for 10 tasks, or 10-10 for the one task 10");
  expect(problemOf(() => parseArraySpec("0%2")).hint).toBe("Write 0-0 for the one task 0");
});

test.each([
  "",
  "a",
  "9-0",
  "1-10:0",
  "0-9%0",
  "0-9%",
  "1,,2",
  "0-9%2%3",
  "-1",
  "0-999999999",
  "1 - 3",
  "0-9\n",
])("the array %p is refused or trimmed", (text) => {
  if (text === "0-9\n") expect(parseArraySpec(text).indices).toHaveLength(10);
  else expect(problemOf(() => parseArraySpec(text)).message).toStartWith(`Bad array "${text}"`);
});

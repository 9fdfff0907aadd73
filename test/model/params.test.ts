import { expect, test } from "bun:test";

import { paramFormatOf, paramFormatOfText, parseParams } from "../../src/model/params.ts";
import { problemOf } from "./problem.ts";

test("a CSV row becomes named values, and keeps its text", () => {
  expect(parseParams("lr, name\r\n0.1,adam\r\n1e-3,007\r\n", "csv")).toEqual([
    { params: { lr: 0.1, name: "adam" }, line: "0.1,adam" },
    { params: { lr: "1e-3", name: "007" }, line: "1e-3,007" },
  ]);
  expect(parseParams("lr\n1e-3\n", "csv", { mode: "typed" })[0]?.params).toEqual({ lr: 0.001 });
});

test("quoted cells hold separators, quotes and line ends", () => {
  const rows = parseParams('\uFEFF"a",b\n"x, ""y""\r\nz",5" pipe\n"",\n', "csv");
  expect(rows[0]).toEqual({ params: { a: 'x, "y"\r\nz', b: '5" pipe' }, line: '"x, ""y""\r\nz",5" pipe' });
  expect(rows[1]?.params).toEqual({ a: "", b: "" });
});

test("10,000 rows with quoted line ends are read, and the last line number is right", () => {
  const text = `id,text\n${Array.from({ length: 10_000 }, (_, i) => `${i},"a\n${i}, ""q"""`).join("\n")}\n`;
  const rows = parseParams(text, "csv");
  expect(rows).toHaveLength(10_000);
  expect(rows[9_999]?.params).toEqual({ id: 9_999, text: 'a\n9999, "q"' });
  expect(problemOf(() => parseParams(`${text}1\n`, "csv")).message).toBe(
    "--params, line 20002: 1 field, but the header has 2",
  );
});

test("unusable tables name the file and line", () => {
  const problem = (text: string) => problemOf(() => parseParams(text, "csv", { name: "p.csv" })).message;
  expect(problem("a,b\n1,2\n\n1,2,3\n")).toBe("p.csv, line 4: 3 fields, but the header has 2");
  expect(problem('a\n"x\n')).toBe("p.csv, line 2: a quoted field is never closed");
  expect(problem('a\n"x"y\n')).toBe(
    'p.csv, line 2: "y" follows a closing quote'.replace('"y"', JSON.stringify("y\n")),
  );
  expect(problem("a,a\n1,2\n")).toBe('p.csv, line 1: two columns are called "a"');
  expect(problem("a,\n1,2\n")).toBe('p.csv, line 1: column 2 has no usable name ("")');
  expect(problem("a;b\n1;2\n")).toBe('p.csv, line 1: its one column is called "a;b"');
  expect(problem("a\n")).toBe("p.csv has no rows");
  expect(problem("")).toBe("p.csv has no rows");
});

test("a TSV is split at tabs", () => {
  expect(parseParams("a\tb\n1,5\tx y", "tsv")).toEqual([
    { params: { a: "1,5", b: "x y" }, line: "1,5\tx y" },
  ]);
});

test("JSONL rows are objects or single values", () => {
  expect(parseParams('{"a":1,"b":{"c":[2]}}\n\n"x"\n[1,2]\r\n7', "jsonl")).toEqual([
    { params: { a: 1, b: { c: [2] } }, line: '{"a":1,"b":{"c":[2]}}' },
    { params: { value: "x" }, line: '"x"' },
    { params: { value: [1, 2] }, line: "[1,2]" },
    { params: { value: 7 }, line: "7" },
  ]);
  expect(problemOf(() => parseParams('{"a":1}\n{b}\n', "jsonl", { name: "p.jsonl" })).message).toStartWith(
    "p.jsonl, line 2 is no JSON: ",
  );
});

test("whole numbers that JavaScript cannot hold stay as they were written", () => {
  expect(parseParams('{"seed":12345678901234567890}', "jsonl")[0]?.params).toEqual({
    seed: "12345678901234567890",
  });
});

test("a JSON file is an array of objects or scalars", () => {
  expect(parseParams('[{"a":"é"}, "x y", 3, null]', "json")).toEqual([
    { params: { a: "é" }, line: '{"a":"é"}' },
    { params: { value: "x y" }, line: "x y" },
    { params: { value: 3 }, line: "3" },
    { params: { value: null }, line: "null" },
  ]);
  expect(problemOf(() => parseParams('{"a":1}', "json")).message).toBe("--params holds no JSON array");
  expect(problemOf(() => parseParams("[", "json")).message).toStartWith("--params is no JSON");
});

test("plain lines stay text", () => {
  expect(parseParams("007\n\n-rf /\r\n {x}", "lines")).toEqual([
    { params: { line: "007" }, line: "007" },
    { params: { line: "-rf /" }, line: "-rf /" },
    { params: { line: " {x}" }, line: " {x}" },
  ]);
});

test("the format is told by the name, and on standard input by the first line", () => {
  expect(["a.csv", "b.TSV", "c.jsonl", "d.ndjson", "e.json", "f.txt"].map(paramFormatOf)).toEqual([
    "csv",
    "tsv",
    "jsonl",
    "jsonl",
    "json",
    "lines",
  ]);
  expect(problemOf(() => paramFormatOf("x.xlsx")).message).toBe('Cannot tell the format of "x.xlsx"');
  expect(paramFormatOfText('\n{"a":1}\n')).toBe("jsonl");
  expect(paramFormatOfText("{a}\n")).toBe("lines");
  expect(paramFormatOfText("7\n8\n")).toBe("lines");
  expect(paramFormatOfText("")).toBe("lines");
});

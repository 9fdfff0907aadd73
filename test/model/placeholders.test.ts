import { expect, test } from "bun:test";

import { checkTemplates, fillTemplate, findPlaceholders } from "../../src/model/placeholders.ts";
import { problemOf } from "./problem.ts";

const values = {
  job: 12,
  index: 3,
  params: {
    lr: 0.1,
    name: "--a b",
    on: true,
    none: null,
    list: [1, { a: 2 }],
    dollar: "$& {lr} $1",
    empty: "",
  },
  line: null,
};
const withLine = { ...values, line: "a,b $& {lr}" };

test.each([
  ["{lr}", "0.1"],
  ["--lr={lr},{lr}", "--lr=0.1,0.1"],
  ["{name}", "--a b"],
  ["{on}{none}", "truenull"],
  ["{list}", '[1,{"a":2}]'],
  ["{dollar}", "$& {lr} $1"],
  ["[{empty}]", "[]"],
  ["{job}.{index}", "12.3"],
  ["{{lr}}", "{lr}"],
  ["${lr}", "${lr}"],
  ["${{lr}}", "${{lr}}"],
  ["${HOME:-x} ${lr}", "${HOME:-x} ${lr}"],
  ["{ print $1 }", "{ print $1 }"],
  ['{"a":{"b":1}}', '{"a":{"b":1}}'],
  ["{1..3} {a,b} {} {{}}", "{1..3} {a,b} {} {{}}"],
  ["{lr", "{lr"],
  ["{lr}}", "0.1}"],
  ["{{lr}", "{0.1"],
  ["{{{lr}}}", "{{lr}}"],
  ["", ""],
])("%p becomes %p", (text, filled) => {
  expect(fillTemplate(text, values)).toBe(filled);
});

test("empty braces are the line, where there is one", () => {
  expect(fillTemplate("x{}y", withLine)).toBe("xa,b $& {lr}y");
  expect(fillTemplate("{{}} ${} {lr}", withLine)).toBe("{} ${} 0.1");
});

test("a parameter called index or job beats the task's own", () => {
  expect(fillTemplate("{index}", { ...values, params: { index: 42 } })).toBe("42");
});

test("a task without parameters still knows index and job", () => {
  expect(fillTemplate("{job}-{index}", { job: 1, index: 0, params: null, line: null })).toBe("1-0");
});

test("placeholders are found once each, literal and shell braces left out", () => {
  expect(findPlaceholders("{a}{b}{a}{{c}}${d}{}", { bare: false })).toEqual(["a", "b"]);
  expect(findPlaceholders("{}{größe}", { bare: true })).toEqual(["", "größe"]);
});

test("an unknown identifier is refused with the nearest, the known ones and the way to write it", () => {
  const { code, message, hint } = problemOf(() =>
    checkTemplates(["ok {lr}", "x {lrr}"], ["lr"], { bare: true }),
  );
  expect(code).toBe("USAGE");
  expect(message).toBe('Unknown placeholder {lrr} in "x {lrr}"');
  expect(hint).toBe(
    "Did you mean {lr}? Known are {lr}, {index}, {job}, {}; write {{lrr}} for the text {lrr}",
  );
  expect(() => checkTemplates(["{opt}"], ["lr"], { bare: true, some: ["opt"] })).toThrow(
    'Some tasks have no value for {opt}, in "{opt}"',
  );
  checkTemplates(["{lr} {index} {job} {} {{x}} ${y}"], ["lr"], { bare: true });
});

test("what is not in a task's row is refused, inherited names too", () => {
  expect(problemOf(() => fillTemplate("{toString}", values)).message).toStartWith(
    "Unknown placeholder {toString}",
  );
});

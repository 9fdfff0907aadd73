import { expect, test } from "bun:test";

import { defineScheduler } from "../../src/plugin.ts";
import { executorOf } from "../../src/registry/check.ts";

const none = () => [];
const SOUND = {
  name: "toy",
  description: "A scheduler of a test",
  detect: ["toysub"],
  script: () => "",
  submit: { argv: none, parse: () => null },
  status: [{ name: "toystat", scope: "ids", argv: none, parse: none }],
  cancel: none,
  goneErrors: [],
  transientErrors: [/busy/],
  environment: () => null,
};

/** What is said of a scheduler that is defined like this; it comes from a file, so its types prove nothing. */
function refusal(changes: object): string {
  const defined: unknown = Reflect.apply(defineScheduler, undefined, [{ ...SOUND, ...changes }]);
  try {
    executorOf({ default: defined }, () => "The plugin toy.ts");
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test("a sound scheduler loads", () => {
  expect(refusal({})).toBe("");
  expect(refusal({ detect: () => ({ score: 1, why: "" }), hold: none })).toBe("");
});

test.each([
  ["lacks cancel", { cancel: undefined }],
  ["has a detect that is not an array of command names, or a function", { detect: 7 }],
  ["has a script that is not a function", { script: "#!/bin/sh" }],
  ["lacks submit.parse", { submit: { argv: none } }],
  ["lacks status", { status: undefined }],
  ["has a status that is not an array of stages, the cheapest first", { status: none }],
  ["lacks status[0].parse", { status: [{ name: "x", scope: "ids", argv: none }] }],
  ["has a hold that is not a function", { hold: ["toyhold"] }],
  ["has a transientErrors that is not an array of regular expressions", { transientErrors: ["busy"] }],
])("one that %s is refused when it loads, by that name", (what, changes) => {
  expect(refusal(changes)).toBe(`The plugin toy.ts ${what}`);
});

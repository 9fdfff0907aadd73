import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { bind } from "../../src/code/bind.ts";
import { captureFunction, storeFunction } from "../../src/code/capture.ts";
import type { TaskPayload } from "../../src/model/job.ts";
import { tempDir } from "../helpers/temp.ts";
import { logOf, makeJob, resultsOf, runJob } from "./job.ts";

declare const factor: number;

const root = tempDir();
const options = { cwd: root, snapshot: true, script: import.meta.path, modules: () => [] };

/** Captures functions and makes a job of them in a home of its own. */
async function jobOf(functions: unknown[], tasks: Partial<TaskPayload>[]): Promise<string> {
  const home = tempDir();
  const captured = await Promise.all(functions.map((fn) => captureFunction(fn, options)));
  const stored = await Promise.all(captured.map((each) => storeFunction(home, each)));
  const [first, ...more] = stored.map(({ code }) => code);
  if (!first) throw new Error("There is nothing to call");
  return makeJob(home, { entry: { kind: "function", ...first, more }, tasks });
}

test("tasks of one job call different functions: exported, inline and with bound values", async () => {
  writeFileSync(join(root, "double.ts"), "export default (x: number) => x * 2;\n");
  const inline = async (x: number) => [x, (await import("node:path")).basename("/a/b")];
  const bound = bind((x: number) => x * factor, { factor: 100 });
  const steps = [
    { fn: 2, args: [5] },
    { fn: 0, args: [6] },
  ];
  const tasks = [{ args: [1] }, { args: [2], fn: 1 }, { args: [3], fn: 2 }, { args: [4], fn: 3 }, { steps }];
  const dir = await jobOf(["double.ts", inline, bound], tasks);
  expect(await runJob(dir)).toBe(1);
  const ends = resultsOf(dir).map(({ value, reason }) => (value?.kind === "inline" ? value.value : reason));
  expect(ends).toEqual([2, [2, "b"], 300, expect.stringContaining("calls function 3"), [500, 12]]);
});

test("an inline function that fails shows the line of the file that it was written in", async () => {
  const fails = (what: string) => {
    // Two lines below it fails
    const text: string = what.toUpperCase();
    throw new RangeError(text);
  };
  const dir = await jobOf([fails], [{ args: ["loud"] }]);
  expect(await runJob(dir)).toBe(1);
  const lines = readFileSync(import.meta.path, "utf8").split("\n");
  const line = lines.findIndex((text) => text.includes("new RangeError")) + 1;
  expect(logOf(dir, 0, "err")).toContain("RangeError: LOUD");
  expect(logOf(dir, 0, "err")).toContain(`captured.test.ts:${line}:`);
});

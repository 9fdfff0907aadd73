import type { TestJobx } from "../helpers/jobx.ts";

/** What a script printed, by line, as JSON values; `stderr` as it is. */
export type ScriptRun = { values: unknown[]; err: string; code: number };

let scripts = 0;

/**
 * Runs a script with `jobx run` as a user would: its body stands in a module that has the whole API at hand and
 * `show(value)`, which prints a line of JSON. `head` stands above it, for exported functions.
 */
export async function runScript(jobx: TestJobx, body: string, head = ""): Promise<ScriptRun> {
  const name = `script-${++scripts}.ts`;
  await jobx.file(
    name,
    `import * as api from "jobx";
import { asCompleted, again, bind, call, command, createExecutor, defineTask, Job, jobContext, monitor, sequence } from "jobx";
const show = (value: unknown) => console.log(JSON.stringify(value) ?? "undefined");
${head}
if (import.meta.main) {
${body}
}
`,
  );
  const { code, out, err } = await jobx.run(["run", name]);
  const values = out
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => (line === "undefined" ? undefined : JSON.parse(line)));
  return { values, err, code };
}

/** The lines of a script that must succeed. */
export async function valuesOf(jobx: TestJobx, body: string, head = ""): Promise<unknown[]> {
  const { values, err, code } = await runScript(jobx, body, head);
  if (code !== 0) throw new Error(`The script ended with ${code}\n${err}`);
  return values;
}

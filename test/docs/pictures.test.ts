import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { JobxError } from "../../src/errors.ts";
import { TestJobx } from "../helpers/jobx.ts";
import { blocksOf } from "./blocks.ts";

const root = resolve(import.meta.dir, "../..");
const jobx = new TestJobx();

/** The lines of a document's n-th block that is a picture. */
function linesOf(document: string, n = 0): string[] {
  const blocks = blocksOf(readFileSync(join(root, document), "utf8"));
  const pictures = blocks.filter(({ language }) => language === "tree" || language === "text");
  return (pictures[n]?.text ?? "").split("\n").filter((line) => line.trim() !== "");
}

/** What stands first in each of them. */
const firstOf = (document: string, n = 0) =>
  linesOf(document, n).map((line) => line.trim().split(/ {2,}/)[0] ?? "");

/** What stands in their right column. */
function rightOf(document: string, n: number): string[] {
  const lines = linesOf(document, n);
  const at = lines[0]?.search(/(?<= {2,})\S/) ?? 0;
  return lines.map((line) => line.slice(at));
}

test("the folders that are drawn are those of a home and its jobs", async () => {
  await jobx.file("f.ts", "export default (x: number) => [x, new Float64Array(200_000)];\n");
  const all = "echo out; echo err >&2; touch $JOBX_CHECKPOINT_DIR/x";
  const big = JSON.stringify({ big: "x".repeat(200_000) });
  await jobx.file("big.jsonl", `${big}\n`.repeat(4));
  await jobx.ok(["submit", "--params", "big.jsonl", "--wait", "--", "bash", "-c", all]);
  await jobx.ok(["submit", "--wait", "f.ts", "--arg", "1"]);
  const drawn = [...firstOf("README.md", 0).slice(1), ...firstOf("src/cli/help/files.md")];
  const names = drawn.flatMap((names) => names.split(/,? /)).map((name) => name.replace(/^jobs\/12/, "."));
  const folders = ["", "jobs/1", "jobs/2", "jobs/1/logs"].map((folder) => join(jobx.home, folder));
  const missing = names.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  expect(missing).toEqual([]);
});

test("every selector that is explained is one", async () => {
  for (let id = 3; id <= 11; id++) await jobx.submit(["-e", "debug", "--", "true"]);
  await jobx.submit(["--array", "0-9", "--ranks-per-node", "2", "--wait", "--", "true"]);
  for (const word of firstOf("src/cli/help/selectors.md")) {
    const { err, code } = await jobx.run(["status", word]);
    if (word.startsWith("slurm:"))
      expect({ word, err }).toMatchObject({ err: expect.stringMatching(/slurm/) });
    else expect({ word, err, code }).toEqual({ word, err: "", code: 0 });
  }
});

test("every way to write a sweep is one", async () => {
  await jobx.file("file.txt", "a\nb\n");
  for (const word of firstOf("src/cli/help/sweeps.md")) {
    await jobx.ok(["submit", "-e", "debug", "--sweep", word.replace(",...", ""), "--", "true"]);
  }
});

test("the exit codes are those of the errors", () => {
  const codes = [
    "JOB_FAILED",
    "USAGE",
    "REFUSED",
    "NOT_FOUND",
    "WAIT_TIMEOUT",
    "BUG",
    "INTERRUPTED",
  ] as const;
  const own = codes.map((code) => new JobxError(code, "").exitCode);
  expect(firstOf("src/cli/help/exit-codes.md").map(Number)).toEqual([0, ...own]);
});

test("what replaces submitit has these names and types", async () => {
  const calls = rightOf("src/cli/help/submitit.md", 0).flatMap((cell) => cell.split(/ {2,}| (?=\.)/));
  const options = rightOf("src/cli/help/submitit.md", 1).map((cell) => cell.replace(/, (?:or|one) .*/, ""));
  const statements = calls
    .filter((cell) => !cell.includes("jobx help"))
    .map((cell) => (cell.startsWith(".") ? `await job${cell}` : cell))
    .map((cell) =>
      cell.replace("=> …", "=> batch.submit(f, 1, 2)").replace("= …", "= await executor.submit(f)"),
    )
    .map((cell) => (cell.startsWith("checkpoint:") ? `defineTask({ run, ${cell} })` : cell));
  await jobx.file(
    "replaced.ts",
    `import * as api from "jobx";
const { again, asCompleted, call, command, createExecutor, defineTask, distributed } = api;
const { Job, jobContext, monitor, sequence } = api;
const f = (x = 0, y = 0) => x + y;
const g = () => 1;
const [xs, ys, x] = [[1], [2], 1];
const run = (_: unknown, x: number) => x;
const checkpoint = () => null;
const executor = await createExecutor();
const job = await executor.submit(f, 1, 2);
const jobs = [job];
export async function calls() {
${statements.map((line) => `{ ${line} }`).join("\n")}
}
export async function options() {
${options.map((line) => `await createExecutor({ ${line.replace("…", "")} });`).join("\n")}
}
`,
  );
  await jobx.ok(["init"]);
  const checked = Bun.spawnSync([process.execPath, "check"], { cwd: jobx.cwd, stderr: "pipe" });
  expect({ code: checked.exitCode, out: String(checked.stdout) }).toMatchObject({ code: 0 });
});

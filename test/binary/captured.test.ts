import { expect, test } from "bun:test";

import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

/** Runs a driver script as it stands, without any guard; gives the lines that it printed. */
async function drive(text: string): Promise<{ lines: string[]; err: string; code: number }> {
  await jobx.file(
    "drive.ts",
    `import { bind, call, command, createExecutor, defineTask, sequence } from "jobx";\n${text}`,
  );
  const { out, err, code } = await jobx.run(["run", "drive.ts"]);
  return { lines: out.split("\n").slice(0, -1), err, code };
}

test("a script without a guard submits inline functions, bound ones, and its own that stand alone", async () => {
  await jobx.file("lib.ts", "export const helper = (x: number) => x + 1;\n");
  const { lines, code, err } = await drive(`
import { helper } from "./lib.ts";
const k = 10;
export function square(x: number): number { return x * x }
const executor = await createExecutor();
const job = await executor.submitAll([
  call(square, 3),
  call((x: number) => x * 2, 4),
  call(bind((x: number) => x * k, { k }), 5),
  call(helper, 6),
  sequence([call(square, 7), call(async () => (await import("./lib.ts")).helper(8))]),
]);
console.log(JSON.stringify(await job.results()));
`);
  expect([code, err]).toEqual([0, expect.any(String)]);
  expect(lines).toEqual(["[9,8,50,7,[49,9]]"]);
  const shown = await jobx.ok(["show", "last"]);
  expect(shown).toMatch(/functions +.*drive\.ts:5#square \(snapshot/);
  expect(shown).toContain("square(7)");
  expect((await jobx.json<{ tasks: { fn: number }[] }>(["show", "last"])).tasks.map(({ fn }) => fn)).toEqual([
    0, 1, 2, 3, 0,
  ]);
  const retried = (await jobx.ok(["retry", "-q", "last"])).trim();
  await jobx.ok(["wait", retried]);
  expect(await jobx.json<unknown>(["result", retried])).toEqual([9, 8, 50, 7, [49, 9]]);
});

test("commands of one job have words of their own", async () => {
  const { lines, code, err } = await drive(`
const executor = await createExecutor();
const job = await executor.submitAll([command(["echo", "a  b"]), command(["printf", "%s", "{x}"])]);
console.log(JSON.stringify(await job.results()));
`);
  expect([code, err]).toEqual([0, expect.any(String)]);
  expect(lines).toEqual(['["a  b","{x}"]']);
  const shown = await jobx.ok(["show", "last"]);
  expect(shown).toContain("each task has its own");
  expect(shown).toContain("printf %s '{x}'");
});

test("what an inline function takes from around it is refused before anything is written", async () => {
  const { err, code } = await drive(`
const rate = 0.1;
const executor = await createExecutor();
await executor.submit((x: number) => x * rate, 1);
`);
  expect(code).toBe(1);
  expect(err).toContain("it uses rate, declared outside of it (drive.ts:5:");
  expect(err).toContain("submit(bind(fn, { rate }), …)");
});

test("a function that a guarded script exports is found while the script is still being evaluated", async () => {
  const { lines, code, err } = await drive(`
const k = 5;
export function times(x: number) { return x * k }
export const later = defineTask({ run: async (_ctx, x: number) => x - k });
if (import.meta.main) {
  const executor = await createExecutor();
  const jobs = await Promise.all([executor.submit(times, 2), executor.submit(later, 2)]);
  console.log(JSON.stringify(await Promise.all(jobs.map((job) => job.result()))));
}
`);
  expect([code, err]).toEqual([0, expect.any(String)]);
  expect(lines).toEqual(["[10,-3]"]);
});

test("an inline function that fails shows the line in the script", async () => {
  const { lines } = await drive(`
type Row = { a: number };
const executor = await createExecutor();
const job = await executor.submit((row: Row) => {
  const doubled: number = row.a * 2;

  if (doubled > 1) throw new RangeError("too large: " + doubled);
}, { a: 3 });
const error = await job.exception();
console.log((error?.cause as Error).message);
console.log((error?.cause as Error).stack?.split("\\n")[1]);
`);
  expect(lines[0]).toBe("too large: 6");
  expect(lines[1]).toContain("drive.ts:8:");
});

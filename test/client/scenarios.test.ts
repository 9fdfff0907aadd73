import { expect, test } from "bun:test";

import { TestJobx } from "../helpers/jobx.ts";
import { runScript, valuesOf } from "./script.ts";

const jobx = new TestJobx();

const FUNCTIONS = `
export function add(a: number, b: number) { return a + b; }
export async function slowly(ms: number) { await Bun.sleep(ms); return ms; }
export function fail(what: string): number { throw Object.assign(new RangeError("no " + what), { what }); }
`;

test("an addition is submitted, waited for and read", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor({ time: "4m", name: "sum" });
     const job = await executor.submit(add, 5, 7);
     show([typeof job.id, job.name, job.executor, job.length]);
     show(await job.result());
     show([await job.state(), await job.done(), await job.exception()]);`,
    FUNCTIONS,
  );
  expect(values).toEqual([["number", "sum", "local", 1], 12, ["succeeded", true, null]]);
});

test("an array takes one element of each iterable and runs so many at once", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor({ parallel: 2 });
     const job = await executor.map(add, [1, 2, 3, 4], new Set([10, 20, 30, 40]));
     show(job.length);
     show(await job.results());
     show((await job.task(2).info()).index);`,
    FUNCTIONS,
  );
  expect(values).toEqual([4, [11, 22, 33, 44], 2]);
});

test("a batch is one job, and what it gave can be used after it", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     const tasks = await executor.batch((batch) => [1, 2, 3].map((n) => batch.submit(add, n, n)));
     show(new Set(tasks.map((task) => task.job.id)).size);
     show(await Promise.all(tasks.map((task) => task.result())));
     show(tasks.map((task) => task.index));`,
    FUNCTIONS,
  );
  expect(values).toEqual([1, [2, 4, 6], [0, 1, 2]]);
});

test("jobs run side by side, and come in the order in which they end", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     const slow = await executor.submit(slowly, 700);
     const fast = await executor.submit(slowly, 1);
     const ended: unknown[] = [];
     for await (const job of asCompleted([slow, fast])) ended.push(await job.result());
     show(ended);
     const [first] = await Promise.all([slow.result(), fast.result()]);
     show(first);`,
    FUNCTIONS,
  );
  expect(values).toEqual([[1, 700], 700]);
});

test("a failure carries what was thrown, with its stack in the user's file, its fields and the end of the log", async () => {
  const { values } = await runScript(
    jobx,
    `const executor = await createExecutor();
     const job = await executor.submit(bind((what: string) => {
       console.error("about to fail");
       throw Object.assign(new RangeError("no " + what), { what, extra });
     }, { extra: 7 }), "luck");
     const error = await job.exception();
     if (!(error instanceof api.JobFailedError)) throw error;
     const { cause } = error;
     if (!(cause instanceof RangeError)) throw cause;
     show([error.code, error.selector, error.message, error.logTail]);
     show([cause.message, Reflect.get(cause, "what"), Reflect.get(cause, "extra")]);
     show(/script-\\d+\\.ts:\\d+/.test(cause.stack ?? ""));
     show(await job.result().catch((same) => same instanceof api.JobFailedError && same instanceof api.JobxError));`,
  );
  const [told, cause, hasPlace, isSame] = values;
  expect(told).toEqual([
    "JOB_FAILED",
    expect.stringMatching(/^\d+$/),
    expect.stringContaining("RangeError: no luck"),
    "about to fail",
  ]);
  expect(cause).toEqual(["no luck", "luck", 7]);
  expect([hasPlace, isSame]).toEqual([true, true]);
});

test("an uncaught failure is told with its remote stack, the line that waited and what to type next, and no frame of jobx", async () => {
  const { err, code } = await runScript(
    jobx,
    `const executor = await createExecutor();
     await (await executor.submit(fail, "luck")).result();`,
    FUNCTIONS,
  );
  expect(code).toBe(1);
  expect(err).toMatch(/JobFailedError: Job \d+ failed: RangeError: no luck/);
  expect(err).toMatch(/jobx logs \d+/);
  // The place in the script that waited, with its line.
  expect(err).toContain('await (await executor.submit(fail, "luck")).result();');
  expect(err).toMatch(/at fail \(.*script-\d+\.ts:\d+/);
  expect(err).not.toMatch(/src\/(client|orchestrator|worker)\//);
});

test("a command's value is its trimmed output, in its own folder and with its own variables", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor({ env: { A: "a", B: "b" } });
     show(await (await executor.submit(command(["sh", "-c", "echo $A $B; pwd"], { cwd: "/", env: { B: 2 } }))).result());
     show(await (await executor.submit(command(["echo", "x"], { capture: false }))).result());
     const all = await executor.submitAll(["one", "two"].map((word) => command(["echo", word])));
     show(await all.results());
     show(await all.task(1).submission());
     const bad = await executor.submit(command(["sh", "-c", "echo oops >&2; exit 3"]));
     show(await bad.exception().then((error) => [error?.code, error instanceof api.TaskError && error.logTail]));`,
  );
  expect(values).toEqual([
    "a 2\n/",
    null,
    ["one", "two"],
    { kind: "command", words: ["echo", "two"], params: null },
    ["JOB_FAILED", "oops"],
  ]);
});

test("ranks of one task each have a value, and share the work by their number", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor({ ranksPerNode: 2 });
     const job = await executor.submit(chunk, [0, 1, 2, 3, 4]);
     show(await job.results<number[]>());
     show(await job.task(0).rank(1).result());
     show(await job.result().catch((error) => error.code));
     const nested = await executor.map(chunk, [[1, 2], [3, 4]]);
     show(await nested.results());
     show(job.task(0).ranks.map((rank) => rank.id.replace(/^\\d+/, "N")));`,
    `export function chunk(items: number[]) {
       const { rank, numRanks } = jobContext();
       return items.filter((_, at) => at % numRanks === rank);
     }`,
  );
  expect(values).toEqual([
    [
      [0, 2, 4],
      [1, 3],
    ],
    [1, 3],
    "USAGE",
    [
      [[1], [2]],
      [[3], [4]],
    ],
    ["N.0:0", "N.0:1"],
  ]);
});

test("different calls make one job, and each task knows what it was asked", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     const job = await executor.submitAll([call(add, 1, 2), call(slowly, 1), call((x: string) => x + "!", "hi")]);
     show(await job.results());
     const asked = await job.task(0).submission();
     show(asked.kind === "function" && asked.args);`,
    FUNCTIONS,
  );
  expect(values).toEqual([
    [3, 1, "hi!"],
    [1, 2],
  ]);
});

test("a sequence makes its calls one after the other and gives all their values", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     const job = await executor.submit(sequence([call(add, 1, 2), call(slowly, 3)]));
     show(await job.result());
     show((await job.submission()).kind);`,
    FUNCTIONS,
  );
  expect(values).toEqual([[3, 3], "sequence"]);
});

test("a function is found by its place as well, and a default export is named after its file", async () => {
  await jobx.file(
    "place.ts",
    "export default (x: number) => x * 2;\nexport const triple = (x: number) => x * 3;\n",
  );
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     const [a, b] = await Promise.all([executor.submit("place.ts", 4), executor.map("place.ts#triple", [1, 2])]);
     show([a.name, await a.result(), b.name, await b.results()]);`,
  );
  expect(values).toEqual([["place", 8, "triple", [3, 6]]]);
});

test("a job waits for others, whatever their end where it says so", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     const first = await executor.submit(slowly, 300);
     const bad = await executor.submit(fail, "x");
     const second = await executor.with({ after: [first, { job: bad, kind: "any" }], name: "second" }).submit(add, 1, 1);
     show(await second.result());
     show([await first.done(), await bad.done(), second.name]);
     show(await executor.with({ after: bad }).submit(add, 1, 1).catch((error) => [error instanceof api.SubmissionError, error.code]));`,
    FUNCTIONS,
  );
  expect(values).toEqual([2, [true, true, "second"], [true, "REFUSED"]]);
});

test("any process finds a job again: whole, in part, the last one and by its native id", async () => {
  const id = await jobx.submit(["--array", "0-2", "--capture", "--", "echo", "{index}"]);
  const values = await valuesOf(
    jobx,
    `const job = await Job.attach(${id});
     show([job.id, await job.results()]);
     const task = await Job.attach("${id}.1");
     show([task.index, await task.result()]);
     const some = await Job.attach("${id}.1-2");
     show([some instanceof Job && some.length, await some.results()]);
     const last = await Job.attach("last");
     const native = await Job.attach("local:" + job.nativeIds[0]);
     show([last.id, native.id]);
     show(await Job.attach("999").catch((error) => error.code));
     const executor = await createExecutor();
     show((await executor.attach("last")).id);`,
  );
  const job = Number(id);
  expect(values).toEqual([[job, ["0", "1", "2"]], [1, "1"], [2, ["1", "2"]], [job, job], "NOT_FOUND", job]);
});

test("a job submitted from within a job inherits none of its variables, and a module that submits when imported is stopped", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     show(await (await executor.submit(outer)).result());
     await Bun.write("careless.ts", \`
       import { createExecutor, command } from "jobx";
       const executor = await createExecutor();
       await executor.submit(command(["true"]));
       export const f = () => 1;
     \`);
     const error = await (await executor.submit("careless.ts#f")).exception();
     show([error?.code, error?.message.includes("if (import.meta.main)")]);`,
    `export async function outer() {
       const { task } = jobContext();
       const inner = await (await createExecutor({ env: { X: "1" } })).submit(command(["sh", "-c", "echo $JOBX_NUM_TASKS $JOBX_TASK $RANK"]));
       return [task, await inner.result()];
     }`,
  );
  expect(values).toEqual([
    [0, "1 0"],
    ["JOB_FAILED", true],
  ]);
});

test("a function within a job submits inline functions, and those that its own file exports", async () => {
  await jobx.file("lib.ts", "const k = 3;\nexport function times(x: number) { return x * k; }\n");
  const values = await valuesOf(
    jobx,
    `for (const name of ["local", "debug"]) {
       const job = await (await createExecutor({ executor: name })).submit(outer, 5);
       show(await job.result());
     }`,
    `import { times } from "./lib.ts";
     export { times };
     export async function outer(x: number) {
       const executor = await createExecutor();
       const jobs = [await executor.submit((y: number) => y + 1, x), await executor.submit(times, x)];
       return Promise.all(jobs.map((job) => job.result()));
     }`,
  );
  expect(values).toEqual([
    [6, 15],
    [6, 15],
  ]);
});

test("a task is cancelled, held, released and retried from its handle", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor({ parallel: 1 });
     const job = await executor.map(slowly, [60_000, 60_000]);
     const last = job.task(1);
     show(await last.hold());
     show((await last.info()).reason?.includes("held"));
     await last.release();
     show(await job.cancel());
     const error = await job.exception();
     show([error instanceof api.JobCancelledError, await job.state()]);
     show((await last.exception()).hint.replaceAll(job.id + ".", "ID.")); // it never ran
     const again = await (await executor.submit(add, 1, 2)).wait();
     const retried = await again.retry({ time: 3 });
     const info = await retried.info();
     show([await retried.result(), info.resources, info.origin?.job === again.id]);
     show(await again.retry({ resume: true }).catch((error) => error.code)); // it saved nothing`,
    FUNCTIONS,
  );
  expect(values).toEqual([
    { asked: 1, passedOver: 0, alreadyFinal: 0 },
    true,
    { asked: 2, passedOver: 0, alreadyFinal: 0 },
    [true, "cancelled"],
    "Run it again: jobx retry ID.1",
    [3, { timeSeconds: 180 }, true],
    "NOT_FOUND",
  ]);
});

test("await using cancels what has not ended when its scope does", async () => {
  const values = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     let kept;
     { await using job = await executor.submit(slowly, 60_000); kept = job; }
     show((await kept.wait()) && await kept.state());`,
    FUNCTIONS,
  );
  expect(values).toEqual(["cancelled"]);
});

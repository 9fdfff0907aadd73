import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { tempDir } from "../helpers/temp.ts";
import {
  againsOf,
  isAlive,
  type JobInput,
  logOf,
  makeJob,
  resultOf,
  resultsOf,
  runJob,
  startWorker,
} from "./job.ts";

/** A job that calls the default export of this source. */
function functionJob(source: string, input: JobInput = {}): string {
  const home = tempDir();
  const file = join(home, "task.ts");
  writeFileSync(file, source);
  return makeJob(home, { entry: { kind: "function", file, export: "default", code: null }, ...input });
}

const one = { run: { pack: { tasks: 1, slots: 1 } } };

describe("a function", () => {
  test("gives its value, with its output in the task's own log", async () => {
    const dir = functionJob("export default (x: number) => { console.log('got', x); return x * 2 }", {
      tasks: [{ args: [1] }, { args: [21] }],
      ...one,
    });
    expect(await runJob(dir)).toBe(0);
    expect(resultsOf(dir).map(({ value }) => value)).toEqual([
      { kind: "inline", value: 2 },
      { kind: "inline", value: 42 },
    ]);
    expect(logOf(dir, 1, "out", 2)).toBe("got 21\n");
  });

  test("that throws fails with the error's message, and the next task runs", async () => {
    const dir = functionJob(
      "export default (x: number) => { if (x) throw new RangeError('too far'); return 1 }",
      {
        tasks: [{ args: [1] }, { args: [0] }],
        ...one,
      },
    );
    expect(await runJob(dir)).toBe(1);
    const [failed, succeeded] = resultsOf(dir);
    expect(failed).toMatchObject({ status: "failed", error: { name: "RangeError", message: "too far" } });
    expect(succeeded?.status).toBe("succeeded");
  });

  test("that ends its process costs only its own task", async () => {
    const dir = functionJob("export default (x: number) => { if (x) process.exit(3); return 1 }", {
      tasks: [{ args: [0] }, { args: [1] }, { args: [0] }],
      ...one,
    });
    expect(await runJob(dir)).toBe(1);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["succeeded", "failed", "succeeded"]);
    expect(resultsOf(dir)[1]?.reason).toContain("ended with exit code 3 before the function returned");
  });

  test.each([
    [undefined, ""],
    [3 * 1024 ** 3, "; if it was memory, retry with --mem 6G"],
  ])(
    "that is killed says who does such a thing, and with --mem what to ask for (%p)",
    async (memBytes, advice) => {
      const source = "export default () => process.kill(process.pid, 'SIGKILL')";
      const dir = functionJob(source, { resources: memBytes === undefined ? {} : { memBytes } });
      expect(await runJob(dir)).toBe(1);
      expect(resultOf(dir)).toMatchObject({
        status: "failed",
        signal: "SIGKILL",
        reason: `the function's process ended by SIGKILL (by the kernel for want of memory, or by somebody) before the function returned${advice}`,
      });
    },
  );

  test("that never ends is ended at its limit, and the next task runs", async () => {
    const dir = functionJob("export default (x: number) => { while (x); return 1 }", {
      tasks: [{ args: [1] }, { args: [0] }],
      resources: { timeSeconds: 1 },
      ...one,
    });
    expect(await runJob(dir)).toBe(1);
    expect(resultsOf(dir).map(({ status }) => status)).toEqual(["timeout", "succeeded"]);
  });

  test("that uses more memory than it may is ended", async () => {
    const source =
      "export default async () => { const b = Buffer.alloc(5e8, 1); await Bun.sleep(20000); return b.length }";
    const dir = functionJob(source, { resources: { memBytes: 256 * 1024 ** 2 } });
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir).reason).toMatch(/^OUT_OF_MEMORY on .*retry with --mem 512M$/);
  });

  test("has its children ended with it, while its process goes on", async () => {
    const source =
      "export default () => { const c = Bun.spawn(['sleep', '300']); c.unref(); console.log(c.pid); return process.pid }";
    const dir = functionJob(source, { tasks: [{}, {}], ...one });
    expect(await runJob(dir)).toBe(0);
    const [first, second] = resultsOf(dir);
    expect(first?.value).toEqual(second?.value ?? null);
    for (const task of [0, 1]) expect(isAlive(Number(logOf(dir, task, "out", 2)))).toBe(false);
  });

  test("is run again after its process was killed, with --retries", async () => {
    const source =
      "export default () => { if (process.env.JOBX_ATTEMPT === '0') process.kill(process.pid, 'SIGKILL'); return 1 }";
    const dir = functionJob(source, { run: { retries: 1 } });
    expect(await runJob(dir)).toBe(0);
    expect(againsOf(dir)).toMatchObject([{ why: "failed", signal: "SIGKILL" }]);
  });

  test("does not outlive its worker", async () => {
    const dir = functionJob("export default () => { console.log(process.pid); while (true); }");
    const worker = startWorker(dir);
    const pid = await eventually(() => Number(logOf(dir)));
    worker.signal("SIGKILL");
    await worker.ended;
    expect(await runJob(dir)).toBe(1);
    expect(resultOf(dir).status).toBe("lost");
    expect(isAlive(pid)).toBe(false);
  });
});

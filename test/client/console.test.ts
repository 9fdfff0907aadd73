import { expect, test } from "bun:test";

import { TestJobx } from "../helpers/jobx.ts";
import { valuesOf } from "./script.ts";

const jobx = new TestJobx();

/** What only jobx's own files can bring into what a console shows. */
const OWN = /\$bunfs|\/src\/(?:client|store|orchestrator|worker)\/|@bytecode/;

test("an error that is asked for is shown with the line that asked, as one that is thrown", async () => {
  const [asked, thrown, late] = await valuesOf(
    jobx,
    `const executor = await createExecutor();
const job = await executor.submit(() => { throw new RangeError("too far"); });
show(Bun.inspect(await job.exception()));
show(Bun.inspect(await job.result().catch((error) => error)));
const long = await executor.submit(() => Bun.sleep(60_000));
try {
  for await (const one of asCompleted([long], { timeout: 0 })) show(one.id);
} catch (error) {
  show(Bun.inspect(error));
}
await long.cancel();`,
  );
  for (const shown of [asked, thrown]) {
    expect(shown).toMatch(
      /job\.(?:exception|result)\(\)[\s\S]*JobFailedError: Job \d+ failed[\s\S]*RangeError: too far/,
    );
    expect(shown).not.toMatch(OWN);
  }
  expect(late).toMatch(/asCompleted\(\[long\][\s\S]*WaitTimeoutError/);
  expect(late).not.toMatch(OWN);
});

test("errors within values and errors are errors again, shown without a line of jobx", async () => {
  const [shown, nested, many] = await valuesOf(
    jobx,
    `const executor = await createExecutor();
const given = await executor.submit((error: Error) => error, new RangeError("given"));
show(Bun.inspect([await given.result()]));
const job = await executor.submit(() => {
  throw Object.assign(new AggregateError([new TypeError("one")], "many"), { inner: new EvalError("in") });
});
const { cause } = (await job.exception()) as any;
show([cause.errors[0] instanceof TypeError, cause.inner instanceof EvalError, cause instanceof AggregateError]);
show(Bun.inspect(cause.errors));`,
  );
  expect(shown).toMatch(/RangeError: given/);
  expect(shown).not.toMatch(OWN);
  expect(nested).toEqual([true, true, true]);
  expect(many).toMatch(/TypeError: one/);
  expect(many).not.toMatch(OWN);
});

test("a handle is shown and written as what it stands for", async () => {
  const [id, shown, texts] = await valuesOf(
    jobx,
    `const executor = await createExecutor();
const job = await executor.map(function square(n: number) { return n * n; }, [1, 2]);
show(job.id);
const [task] = await executor.batch((batch) => {
  const early = batch.submit(function one() { return 1; });
  show(Bun.inspect([job, job.task(1), job.task(1).rank(0), early]));
  return [early];
});
show([String(job), \`\${job.task(1)}\`, JSON.stringify({ job, task: job.task(0) }), Bun.inspect(task)]);
await job.wait();`,
  );
  expect(shown).toMatch(
    new RegExp(
      `^\\[\\s+Job ${id} \\(square\\), Task ${id}\\.1 \\(square\\), Rank ${id}\\.1:0 \\(square\\), Task not submitted yet\\s+\\]$`,
    ),
  );
  expect(texts).toEqual([
    `${id}`,
    `${id}.1`,
    `{"job":${id},"task":"${id}.0"}`,
    `Task ${Number(id) + 1}.0 (one)`,
  ]);
});

test("what was cancelled says so once", async () => {
  const [text] = await valuesOf(
    jobx,
    `const executor = await createExecutor();
const job = await executor.submit(() => Bun.sleep(60_000));
while ((await job.state()) !== "running") await Bun.sleep(10);
await job.cancel();
show(String(await job.exception()));`,
  );
  expect(text).toMatch(/^JobCancelledError: Job \d+ was cancelled$/);
});

import { expect, test } from "bun:test";

import { TestJobx } from "../helpers/jobx.ts";
import { valuesOf } from "./script.ts";

const jobx = new TestJobx();

test("what is called with the wrong things is refused by their value, with the right form", async () => {
  const said = await valuesOf(
    jobx,
    `const executor = await createExecutor();
     const job = await executor.submit(() => 1);
     const calls = [
       () => executor.batch(5),
       () => executor.map(() => 1, { a: 1 }),
       () => executor.submitAll([5]),
       () => sequence(5),
       () => sequence([5]),
       () => command("ls -l"),
       () => command(["ls"], { cwd: 5 }),
       () => Job.attach({}),
       () => defineTask(5),
       () => defineTask({}),
       () => defineTask({ run() {}, checkpont() {} }),
       () => job.wait({ signal: 5 }),
       () => executor.submit(5),
       () => executor.map(() => 1, null),
       () => executor.map(() => 1, (async function* () {})()),
     ];
     for (const each of calls) {
       const error = await (async () => each())().catch((error) => error);
       show([error.constructor.name, error.code, error.message, typeof error.hint]);
     }`,
  );
  const refusals = [
    "batch was given 5 and no function",
    "Argument 2 of map is { a: 1 }, which cannot be iterated",
    "submitAll was given 5, which is no call, command or sequence",
    "The sequence is 5, not an array of calls",
    "Step 0 of the sequence is 5, which is no call",
    'The command is "ls -l", not an array of texts',
    "cwd is 5, and it takes a text",
    "Job.attach was given {}",
    "defineTask was given 5 and no object",
    "run of defineTask is undefined and no function",
    "defineTask takes no checkpont",
    "signal is 5",
    "What was given to be called is a number, not a function",
    "Argument 2 of map is null, which cannot be iterated",
    "Argument 2 of map is {}, which cannot be iterated without waiting",
  ];
  const hints = refusals.map((message) => (message.startsWith("cwd") ? "undefined" : "string"));
  expect(said).toEqual(refusals.map((message, at) => ["JobxError", "USAGE", message, hints[at]]));
});

test("an error has its class's name, and what it advises is an option of the API", async () => {
  const said = await valuesOf(
    jobx,
    `const executor = await createExecutor({ maxPayload: 100 });
     const error = await executor.submit((text) => text, "x".repeat(200)).catch((error) => error);
     show([error.constructor.name, error.name, error.hint]);
     const classes = ["JobxError", "JobFailedError", "JobLostError", "JobCancelledError", "JobTimeoutError",
       "SubmissionError", "WaitTimeoutError", "PayloadError", "TaskError", "InterruptedError"];
     show(classes.filter((name) => api[name].name !== name));
     const job = await executor.submit(() => 1);
     const handles = [executor.with({ maxPayload: "1M" }), job, job.task(0)];
     for (const handle of handles) {
       const { message } = await executor.submit((x) => x, { handle }).catch((error) => error);
       show(message.replace(/.*(?= is )/, ""));
     }`,
  );
  const hint = "Pass the names of files instead of their contents, or raise maxPayload";
  const instances = ["Executor", "Job", "Task"].map((name) => ` is an instance of ${name}`);
  expect(said).toEqual([["PayloadError", "PayloadError", hint], [], ...instances]);
});

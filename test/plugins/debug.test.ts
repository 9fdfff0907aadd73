import { expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { JOBX, TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

type Status = {
  state: string;
  counts: Record<string, number>;
  tasks: { state: string; attempt: number; exitCode: number | null; reason: string | null }[];
};

const status = (id: string) => jobx.json<Status>(["status", "--tasks", id]);
const newest = async () => String((await jobx.json<{ id: number }[]>(["list", "-n", "1"]))[0]?.id);

await jobx.file(
  "tasks.ts",
  `import { jobContext } from "jobx";
let calls = 0;
export function add(a: number, b: number) {
  console.log("adding in " + process.cwd());
  return { sum: a + b, calls: ++calls };
}
export function place() {
  const { task, executor, params } = jobContext();
  return { task, params, executor, variable: process.env.JOBX_TASK, mine: process.env.MINE };
}
export async function fail(word: string) {
  await null;
  throw new RangeError("too large: " + word);
}
export async function sleep() {
  console.log("asleep");
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}
`,
);

test("a command has the terminal's input and output, and a record afterwards", async () => {
  const ran = await jobx.run(["submit", "-e", "debug", "--", "cat"], { input: "from the terminal\n" });
  expect(ran.out).toContain("from the terminal");
  const job = await status(await newest());
  expect(job).toMatchObject({ state: "succeeded", tasks: [{ exitCode: 0, attempt: 0 }] });
});

test("the log says where the output of a command went", async () => {
  await jobx.run(["submit", "-e", "debug", "--", "echo", "hello"]);
  expect(await jobx.ok(["logs", await newest()])).toContain("the output went to the terminal");
});

test("a captured output is on the terminal, in the log, and the result", async () => {
  const ran = await jobx.run(["submit", "-e", "debug", "--capture", "--", "printf", "a\\nb"]);
  expect(ran.out).toContain("a\nb");
  const id = await newest();
  expect(await jobx.json<unknown>(["result", id])).toBe("a\nb");
  expect(await jobx.ok(["logs", id])).toContain("a\nb");
});

test("a captured output is kept where nobody reads it to its end", async () => {
  const line = `${JOBX.join(" ")} submit -e debug --capture -- seq 100000 | head -n 1`;
  const { env, cwd } = jobx;
  await Bun.spawn(["sh", "-c", line], { cwd, env, stdout: "ignore", stderr: "ignore" }).exited;
  const id = await newest();
  await eventually(async () => (await status(id)).state !== "running");
  const value = await jobx.json<string>(["result", id]);
  expect(value.slice(-13)).toBe("\n99999\n100000");
});

test("a function that ends the process has failed with its exit code, and those after it were not run", async () => {
  await jobx.file("exits.ts", `export default ({ n }: { n: number }) => (n < 1 ? n : process.exit(3));\n`);
  const ran = await jobx.run(["submit", "-e", "debug", "exits.ts", "--sweep", "n=0..2"]);
  expect(ran.code).toBe(3);
  const job = await status(await newest());
  expect(job.tasks.map(({ state, exitCode, reason }) => [state, exitCode, reason])).toEqual([
    ["succeeded", null, null],
    ["failed", 3, "the function's process ended with exit code 3 before the function returned"],
    ["cancelled", null, "not run, because task 1 ended the process that runs them all"],
  ]);
});

test("a function that waits for what never comes has failed, and so has the process that ran it", async () => {
  await jobx.file("never.ts", "export default () => new Promise(() => {});\n");
  const ran = await jobx.run(["submit", "-e", "debug", "never.ts"]);
  expect(ran.code).toBe(1);
  expect(ran.err).toContain(
    "Task 0: the function's process ended with exit code 0 before the function returned",
  );
  expect(await status(await newest())).toMatchObject({ state: "failed", tasks: [{ exitCode: 0 }] });
});

test("a function may remove the folder that everything runs in", async () => {
  const folder = join(jobx.cwd, "removed");
  mkdirSync(folder);
  await jobx.file(
    "remove.ts",
    `import { rmSync } from "node:fs";
export default function remove() {
  rmSync(process.cwd(), { recursive: true });
  return "removed";
}
`,
  );
  await jobx.ok(["submit", "-e", "debug", "../remove.ts"], { cwd: folder });
  expect(await jobx.json<unknown>(["result", await newest()])).toBe("removed");
});

test("what a command writes to JOBX_RESULT is its value", async () => {
  await jobx.ok(["submit", "-e", "debug", "--", "sh", "-c", `echo '{"loss":0.5}' > "$JOBX_RESULT"`]);
  expect(await jobx.json<unknown>(["result", await newest()])).toEqual({ loss: 0.5 });
});

test("a function runs in this process, and its value is the result", async () => {
  const ran = await jobx.run(["submit", "-e", "debug", "tasks.ts#add", "--args", "[1, 2]"]);
  expect(ran.out).toContain(`adding in ${jobx.cwd}`);
  expect(await jobx.json<unknown>(["result", await newest()])).toEqual({ sum: 3, calls: 1 });
});

test("tasks run in order, each with its own context, variables and fresh modules", async () => {
  const words = ["submit", "-e", "debug", "--env", "MINE={n}", "--sweep", "n=3,4"];
  const ran = await jobx.run([...words, "tasks.ts#place"]);
  expect(ran.err.indexOf("task 0 of 2")).toBeLessThan(ran.err.indexOf("task 1 of 2"));
  expect(await jobx.json<unknown>(["result", await newest()])).toEqual([
    { task: 0, params: { n: 3 }, executor: "debug", variable: "0", mine: "3" },
    { task: 1, params: { n: 4 }, executor: "debug", variable: "1", mine: "4" },
  ]);
});

test("an error is shown with the code around it, and is in the record", async () => {
  const ran = await jobx.run(["submit", "-e", "debug", "tasks.ts#fail", "--arg", "x"]);
  expect(ran.err).toContain("RangeError: too large: x");
  expect(ran.err).toMatch(/> 13 \|\s+throw new RangeError\("too large: " \+ word\);/);
  const job = await status(await newest());
  expect(job.tasks[0]).toMatchObject({ state: "failed", reason: "RangeError: too large: x (tasks.ts:13)" });
});

test("a failed task does not keep the next one from running, and retries are attempts", async () => {
  const script = 'test "$JOBX_ATTEMPT" = "$0"';
  const words = [
    "submit",
    "-e",
    "debug",
    "--retries",
    "1",
    "--sweep",
    "n=1,2",
    "--",
    "sh",
    "-c",
    script,
    "{n}",
  ];
  await jobx.run(words);
  const job = await status(await newest());
  expect(job.tasks.map(({ state, attempt }) => [state, attempt])).toEqual([
    ["succeeded", 1],
    ["failed", 1],
  ]);
});

for (const [what, words] of [
  ["a command", ["--capture", "--", "echo", "printed"]],
  ["a function", ["tasks.ts#add", "--args", "[1, 2]"]],
] as const) {
  test(`with --json and -q standard output holds the answer alone, whatever ${what} prints`, async () => {
    const json = await jobx.run(["--json", "submit", "-e", "debug", ...words]);
    expect(JSON.parse(json.out)).toMatchObject({ executor: "debug", state: "succeeded" });
    expect(json.err).toMatch(/printed|adding in/);
    const quiet = await jobx.run(["-q", "submit", "-e", "debug", ...words]);
    expect(quiet.out).toBe(`${await newest()}\n`);
    expect(quiet.err).toMatch(/printed|adding in/);
  });
}

test("limits are said to limit nothing", async () => {
  const ran = await jobx.run(["submit", "-e", "debug", "-t", "1h", "--mem", "1G", "--", "true"]);
  expect([ran.code, ran.err]).toEqual([0, expect.stringContaining("--time and --mem limit nothing")]);
});

test("a missing command has exit code 127 and is named", async () => {
  await jobx.run(["submit", "-e", "debug", "--", "no-such-command"]);
  expect((await status(await newest())).tasks[0]).toMatchObject({
    state: "failed",
    exitCode: 127,
    reason: "command not found: no-such-command",
  });
});

function start(
  argv: string[],
  options: { detached?: boolean } = {},
): { child: Bun.Subprocess<"ignore", "pipe", "pipe">; seen: () => string } {
  let seen = "";
  const child = Bun.spawn([...JOBX, ...argv], {
    cwd: jobx.cwd,
    env: jobx.env,
    stdout: "pipe",
    stderr: "pipe",
    ...options,
  });
  for (const stream of [child.stdout, child.stderr]) {
    void (async () => {
      for await (const chunk of stream) seen += Buffer.from(chunk).toString();
    })();
  }
  return { child, seen: () => seen };
}

for (const [what, words] of [
  ["a command", ["--", "sh", "-c", "echo asleep; exec sleep 600"]],
  ["a function", ["tasks.ts#sleep"]],
] as const) {
  test(`Ctrl-C ends ${what}, and leaves it and the tasks after it cancelled`, async () => {
    const { child, seen } = start(["submit", "-e", "debug", "--array", "0-2", ...words]);
    await eventually(() => seen().includes("asleep"), { what: "the task to start" });
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    const job = await status(await newest());
    expect(job.counts).toMatchObject({ cancelled: 3 });
    expect(job.tasks[0]?.reason).toContain("Ctrl-C");
  });
}

test("Ctrl-C that the terminal gives the command, too, leaves it cancelled, whoever is first to end", async () => {
  for (let round = 0; round < 5; round++) {
    const words = ["--", "sh", "-c", "echo asleep; exec sleep 600"];
    const { child, seen } = start(["submit", "-e", "debug", "--retries", "1", ...words], { detached: true });
    await eventually(() => seen().includes("asleep"), { what: "the task to start" });
    process.kill(-child.pid, "SIGINT");
    expect(await child.exited).toBe(130);
    expect(await status(await newest())).toMatchObject({ state: "cancelled", tasks: [{ attempt: 0 }] });
  }
});

test("a job in another process can be seen running and be cancelled", async () => {
  const { child, seen } = start(["submit", "-e", "debug", "tasks.ts#sleep"]);
  await eventually(() => seen().includes("asleep"), { what: "the task to start" });
  const id = await newest();
  expect((await status(id)).state).toBe("running");
  await jobx.ok(["cancel", id]);
  await child.exited;
  expect((await status(id)).state).toBe("cancelled");
});

test("a job whose process was killed does not stay running", async () => {
  const { child, seen } = start(["submit", "-e", "debug", "tasks.ts#sleep"]);
  await eventually(() => seen().includes("asleep"), { what: "the task to start" });
  child.kill("SIGKILL");
  await child.exited;
  const job = await status(await newest());
  expect(["lost", "failed"]).toContain(job.state);
  expect(job.tasks[0]?.reason).toContain(`on ${hostname()} is gone`);
});

test("--inspect says where to attach, waits, and is only for functions", async () => {
  const refused = await jobx.run(["submit", "-e", "debug", "--inspect", "--", "true"]);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("--inspect is for functions")]);
  const { child, seen } = start(["submit", "-e", "debug", "--inspect", "tasks.ts#add", "--args", "[1,2]"]);
  await eventually(() => /Waiting for a debugger at ws:\/\/127\.0\.0\.1:\d+\//.test(seen()));
  expect(seen()).not.toContain("adding");
  child.kill("SIGKILL");
  await child.exited;
});

test("setup lines, several ranks and nodes are refused, and nothing is left", async () => {
  const before = await newest();
  for (const words of [
    ["--setup", "true"],
    ["--ranks-per-node", "2"],
    ["--nodes", "2"],
  ]) {
    const ran = await jobx.run(["submit", "-e", "debug", ...words, "--", "true"]);
    expect(ran.code).toBe(2);
  }
  expect(await newest()).toBe(before);
  expect(existsSync(join(jobx.home, "jobs", String(Number(before) + 1)))).toBe(false);
});

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { keepSnapshot, modulePath, takeSnapshot } from "../../src/code/snapshot.ts";
import { loadValue } from "../../src/store/values.ts";
import { type FunctionTask, Runner, type RunnerOutcome } from "../../src/worker/runner-client.ts";
import { eventually } from "../helpers/eventually.ts";
import { JOBX } from "../helpers/jobx.ts";
import { tempDir } from "../helpers/temp.ts";

const root = tempDir();
const home = join(root, "home");
const file = join(root, "task.ts");
const env = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: root };

const runners: Runner[] = [];
let runner: Runner;
let module: string;
let count = 0;

beforeAll(async () => {
  mkdirSync(join(root, "sub"));
  writeFileSync(file, SOURCE);
  const code = keepSnapshot(home, file, await takeSnapshot({ file, export: "add" }));
  module = modulePath(home, { file, code });
  runner = start();
});

afterAll(async () => {
  for (const each of runners) each.kill();
  await Promise.all(runners.map((each) => each.closed));
});

function start(): Runner {
  const made = Runner.start({ runtime: JOBX, env });
  runners.push(made);
  return made;
}

type Settings = Partial<FunctionTask> & { live?: boolean };

function taskOf(name: string, { live, ...rest }: Settings = {}): FunctionTask {
  const task = count++;
  return {
    task,
    rank: 0,
    attempt: 0,
    params: null,
    args: [],
    env: { ...env, JOBX_JOB: "7", JOBX_TASK: String(task), MARK: `m${task}` },
    cwd: root,
    out: join(root, `${task}.out`),
    err: join(root, `${task}.err`),
    code: { path: live ? file : module, export: name, file },
    steps: null,
    upTo: null,
    noticeSeconds: 90,
    dir: root,
    valueName: `${task}.bin`,
    ...rest,
  };
}

/** Runs one function on the shared runner; gives its outcome and what it wrote. */
async function call(name: string, settings: Settings = {}) {
  const task = taskOf(name, settings);
  const outcome = await runner.run(task);
  if (outcome.kind === "died") runner = start();
  const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
  return { outcome, out: read(task.out), err: read(task.err) };
}

function valueOf(outcome: RunnerOutcome): unknown {
  if (outcome.kind !== "value") throw new Error(`No value: ${Bun.inspect(outcome)}`);
  return loadValue(root, outcome.value);
}

function errorOf(outcome: RunnerOutcome) {
  if (outcome.kind !== "error") throw new Error(`No error: ${Bun.inspect(outcome)}`);
  return outcome;
}

/** The line of the task file that holds this text. */
function lineOf(text: string): number {
  return SOURCE.split("\n").findIndex((line) => line.includes(text)) + 1;
}

describe("A function in a runner", () => {
  test("is given its arguments, then its row, and its value comes back with its type", async () => {
    const when = new Date(5);
    const given = await call("echo", {
      args: [1n, when, new Map([["a", new Set([1])]])],
      params: { lr: 0.1 },
    });
    expect(valueOf(given.outcome)).toEqual([1n, when, new Map([["a", new Set([1])]]), { lr: 0.1 }]);
    expect(valueOf((await call("echo")).outcome)).toEqual([]);
  });

  test("may be async, and may give nothing", async () => {
    expect(valueOf((await call("later", { args: [4] })).outcome)).toBe(5);
    expect(valueOf((await call("nothing")).outcome)).toBeUndefined();
  });

  test("is not the main module, from a snapshot or live", async () => {
    expect(valueOf((await call("isMain")).outcome)).toBe(false);
    expect(valueOf((await call("isMain", { live: true })).outcome)).toBe(false);
  });

  test("has its own module state in every task", async () => {
    expect(valueOf((await call("next")).outcome)).toBe(1);
    expect(valueOf((await call("next")).outcome)).toBe(1);
  });

  test("takes and gives large values, which go to a file", async () => {
    const bytes = new Uint8Array(6_000_000).fill(7);
    const { outcome } = await call("echo", { args: [bytes] });
    expect(outcome).toMatchObject({ kind: "value", value: { kind: "file" } });
    expect(valueOf(outcome)).toEqual([bytes]);
  });

  test("says what it used", async () => {
    const { outcome } = await call("burn");
    if (outcome.kind === "died") throw new Error("It died");
    expect(outcome.usage.userSeconds).toBeGreaterThan(0.01);
    expect(outcome.usage).toMatchObject({ maxRssIsUpperBound: true });
  });

  test("knows its job by jobContext()", async () => {
    const { outcome } = await call("context", { params: { n: 1 } });
    expect(valueOf(outcome)).toMatchObject({ job: 7, rank: 0, attempt: 0, numRanks: 1, params: { n: 1 } });
  });

  test("hears by its signal that it is to leave", async () => {
    const task = taskOf("untilAborted");
    const ended = runner.run(task);
    await eventually(() => existsSync(task.out) && readFileSync(task.out, "utf8").includes("waiting"));
    runner.abort("timeout");
    expect(valueOf(await ended)).toBe("The task's time limit is near");
  });
});

describe("Output of a task", () => {
  test("goes to its own logs, from console, process, file descriptors and children, in order", async () => {
    const { outcome, out, err } = await call("speak");
    const mark = `m${count - 1}`;
    expect(valueOf(outcome)).toBe("done");
    expect(out).toBe(`console\nprocess\ndescriptor\nchild ${mark}\nsync ${mark}\nend\n`);
    expect(err).toBe("console error\nprocess error\n");
  });

  test("stays apart from that of the next task, and is appended to what is there", async () => {
    const task = taskOf("speak");
    writeFileSync(task.out, "earlier\n");
    await runner.run(task);
    await call("speak");
    expect(
      readFileSync(task.out, "utf8")
        .split("\n")
        .filter((line) => line === "console"),
    ).toHaveLength(1);
    expect(readFileSync(task.out, "utf8")).toStartWith("earlier\nconsole\n");
  });

  test("goes to one file when the logs are merged", async () => {
    const out = join(root, "merged.out");
    await call("speak", { out, err: out });
    expect(readFileSync(out, "utf8")).toStartWith("console\nconsole error\nprocess\nprocess error\n");
  });

  test("is complete however much it is", async () => {
    const { outcome, out } = await call("flood");
    expect(valueOf(outcome)).toBe(out.length);
    expect(out.length).toBeGreaterThan(3_000_000);
  });
});

describe("From task to task", () => {
  test("folder, environment, listeners, umask and timers are given back", async () => {
    const before = valueOf((await call("surroundings")).outcome);
    await call("meddle");
    const after = valueOf((await call("surroundings")).outcome);
    expect(after).toEqual(before);
    expect(after).toMatchObject({ cwd: root, left: undefined });
    expect((await call("speak")).out).toStartWith("console\nprocess\n");
  });

  test("the environment is that of the task, for children too", async () => {
    const { outcome } = await call("environment", { env: { ...env, ONLY: "here" }, cwd: join(root, "sub") });
    expect(valueOf(outcome)).toEqual(["here", "here", "here", "here", join(root, "sub")]);
    expect(valueOf((await call("environment")).outcome)).toEqual(["", "", "", "", root]);
  });
});

describe("An error of a function", () => {
  test("comes back with name, message, fields, cause and the user's own file and line", async () => {
    const { outcome, out, err } = await call("fail");
    const { error, reason } = errorOf(outcome);
    const line = lineOf("new RangeError(");
    expect(error).toMatchObject({ name: "RangeError", message: "too large", fields: { limit: 3 } });
    expect(error.cause).toMatchObject({ name: "TypeError", message: "inner" });
    expect(error.stack?.split("\n")[1]).toMatch(new RegExp(`at deep \\(${file}:${line}:\\d+\\)`));
    expect(error.stack).toContain(`${file}:${lineOf("const deepest = deep()")}`);
    expect(
      error.stack
        ?.split("\n")
        .slice(1)
        .every((frame) => frame.includes(file)),
    ).toBe(true);
    expect(reason).toBe(`RangeError: too large (task.ts:${line})`);
    expect(out).toBe("before\n");
    expect(err).toContain("RangeError: too large\n    at deep");
    expect(err).toContain("limit: 3");
    expect(err).toContain("Caused by: TypeError: inner");
    expect(err).toContain(`> ${line} | `);
  });

  test("may be anything that can be thrown", async () => {
    expect(errorOf((await call("throwText")).outcome)).toMatchObject({
      reason: "Thrown: plain text",
      error: { message: "plain text" },
    });
    expect(errorOf((await call("throwNothing")).outcome).error).toMatchObject({ message: "undefined" });
  });

  test("that nobody handles is the task's, also after the function has returned", async () => {
    expect(errorOf((await call("rejectLate")).outcome).reason).toContain("late rejection");
    expect(errorOf((await call("throwInTimer")).outcome).reason).toContain("timer threw");
    expect(valueOf((await call("add", { args: [1, 2] })).outcome)).toBe(3);
  });

  test("is a result that cannot be stored, with the path of what is wrong", async () => {
    const { reason } = errorOf((await call("unstorable")).outcome);
    expect(reason).toContain("The result cannot be stored");
    expect(reason).toContain("model.fn is a function");
  });

  test("is one whose message is cut inside a character", async () => {
    const { error, reason } = errorOf((await call("failAtLength")).outcome);
    expect(error.message).toBe("😀".repeat(300));
    expect(reason).toStartWith("Error: 😀");
    expect(reason.isWellFormed()).toBe(true);
  });

  test("is a result that changes while it is stored", async () => {
    const { outcome } = await call("fickle");
    expect(errorOf(outcome).reason).toContain("cannot be stored");
    expect(valueOf((await call("add", { args: [1, 2] })).outcome)).toBe(3);
  });

  test("is a folder or a log that is not there", async () => {
    expect(errorOf((await call("add", { cwd: "/no/such/folder" })).outcome).reason).toContain(
      "/no/such/folder",
    );
    const unwritable = { out: "/proc/nowhere/x.out", err: "/proc/nowhere/x.err" };
    expect((await call("add", unwritable)).outcome.kind).toBe("error");
  });
});

describe("A live module", () => {
  const live = async (name: string, text: string, exported = "default") => {
    const path = join(root, name);
    writeFileSync(path, text);
    const { outcome } = await call(exported, { code: { path, export: exported, file: path } });
    return errorOf(outcome);
  };

  test("that throws when it is loaded is the task's error, with the file's line", async () => {
    const { error, reason } = await live(
      "top.ts",
      "export default () => 1;\n\nthrow new TypeError('at the top');\n",
    );
    expect(reason).toBe("TypeError: at the top (top.ts:3)");
    expect(error.stack).toContain("top.ts:3:");
  });

  test("that does not parse, or imports what is not there, says where", async () => {
    expect((await live("syntax.ts", "export default = 1;\n")).error.message).toMatch(/syntax\.ts:1:16/);
    expect((await live("lost.ts", 'import "./gone.ts";\nexport default () => 1;\n')).reason).toContain(
      "gone.ts",
    );
  });

  test("whose export is missing or cannot be called is refused in words", async () => {
    expect((await live("a.ts", "export const run = () => 1;\n")).reason).toContain("has no default export");
    expect((await live("b.ts", "export default function* () {}\n")).reason).toContain(
      "is a generator function",
    );
    expect((await live("c.ts", "export default class {}\n")).reason).toContain("is a class");
    expect((await live("d.ts", "export default { a: 1 };\n")).reason).toContain(
      "is an object, not a function",
    );
  });
});

describe("A runner that dies", () => {
  test("of process.exit gives the exit code, and what was written is kept", async () => {
    const { outcome, out } = await call("leave");
    expect(outcome).toEqual({ kind: "died", exitCode: 7, signal: null });
    expect(out).toBe("bye\n");
  });

  test("of a signal names it", async () => {
    expect((await call("shoot")).outcome).toMatchObject({ kind: "died", signal: "SIGKILL" });
  });

  test("takes the processes that the task had started with it", async () => {
    const task = taskOf("spin");
    const ended = runner.run(task);
    const child = Number(
      await eventually(
        () => existsSync(task.out) && /^child (\d+)\n/.exec(readFileSync(task.out, "utf8"))?.[1],
      ),
    );
    runner.kill();
    expect(await ended).toMatchObject({ kind: "died", signal: "SIGKILL" });
    await runner.closed;
    await eventually(() => !isAlive(child));
    expect(await runner.run(taskOf("add"))).toMatchObject({ kind: "died" });
    runner = start();
  });

  test("is replaced, and the next task runs", async () => {
    await call("leave");
    expect(valueOf((await call("add", { args: [1, 2] })).outcome)).toBe(3);
  });
});

test("A runner whose supervisor is killed ends, even in the middle of an endless loop", async () => {
  const script = join(root, "supervisor.ts");
  const task = taskOf("spin");
  writeFileSync(
    script,
    `import { Runner } from ${JSON.stringify(join(import.meta.dir, "../../src/worker/runner-client.ts"))};
const runner = Runner.start({ runtime: ${JSON.stringify(JOBX)}, env: ${JSON.stringify(env)} });
console.log(runner.pid);
await runner.run(${JSON.stringify(task)});`,
  );
  const supervisor = Bun.spawn([process.execPath, script], { stdout: "pipe", env });
  await eventually(() => existsSync(task.out) && readFileSync(task.out, "utf8").includes("child"));
  const { value } = await supervisor.stdout.getReader().read();
  const pid = Number(new TextDecoder().decode(value));
  expect(isAlive(pid)).toBe(true);
  supervisor.kill("SIGKILL");
  await eventually(() => !isAlive(pid));
  process.kill(Number(/child (\d+)/.exec(readFileSync(task.out, "utf8"))?.[1]), "SIGKILL");
});

test("A second task is not taken while one runs", async () => {
  const ended = runner.run(taskOf("later", { args: [1] }));
  expect(() => runner.run(taskOf("add"))).toThrow("while it runs another");
  await ended;
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie still has a pid.
  return process.platform !== "linux" || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

const SOURCE = `import { writeSync } from "node:fs";
import { execSync } from "node:child_process";
import { jobContext } from "jobx";

let counter = 0;
export const add = (a: number, b: number) => a + b;
export const echo = (...args: unknown[]) => args;
export async function later(n: number) { await Bun.sleep(1); return n + 1; }
export function nothing() {}
export const isMain = () => import.meta.main;
export const next = () => ++counter;
export function burn() { const end = performance.now() + 30; while (performance.now() < end); }
export function context() { const { signal, ...rest } = jobContext(); return { ...rest, aborted: signal.aborted }; }
export async function untilAborted() {
  console.log("waiting");
  const { signal } = jobContext();
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return signal.reason.message;
}
export async function speak() {
  console.log("console");
  console.error("console error");
  process.stdout.write("process\\n");
  process.stderr.write("process error\\n");
  writeSync(1, "descriptor\\n");
  await Bun.spawn(["sh", "-c", 'echo "child $MARK"'], { stdout: "inherit" }).exited;
  Bun.spawnSync({ cmd: ["sh", "-c", 'echo "sync $MARK"'], stdout: "inherit" });
  console.log("end");
  return "done";
}
export function flood() {
  const line = "x".repeat(999);
  for (let i = 0; i < 2000; i++) console.log(line);
  for (let i = 0; i < 2000; i++) process.stdout.write(line + "\\n");
  return 4_000_000;
}
export function surroundings() {
  return {
    cwd: process.cwd(),
    left: process.env.LEFT,
    umask: process.umask(),
    exitCode: process.exitCode ?? 0,
    listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]).sort(),
  };
}
export function meddle() {
  process.chdir("/");
  process.env = { LEFT: "over" };
  process.umask(0);
  process.exitCode = 3;
  process.on("exit", () => {});
  process.on("SIGTERM", () => {});
  process.on("uncaughtException", () => {});
  process.stdout.end("the end of this stream\\n");
  setTimeout(() => console.log("a timer of a task that has ended"), 1);
}
export async function environment() {
  const { spawnSync } = await import("bun");
  const text = "printf %s \\"$ONLY\\"";
  return [
    process.env.ONLY ?? "",
    spawnSync(["sh", "-c", text]).stdout.toString(),
    execSync(text).toString(),
    await Bun.$\`sh -c \${text}\`.text(),
    process.cwd(),
  ];
}
function deep(): never {
  throw Object.assign(new RangeError("too large", { cause: new TypeError("inner") }), { limit: 3 });
}
export function fail() {
  console.log("before");
  const deepest = deep();
  return deepest;
}
export function throwText() { throw "plain text"; }
export function throwNothing() { throw undefined; }
export async function rejectLate() { void Promise.reject(new Error("late rejection")); return 1; }
export async function throwInTimer() { setTimeout(() => { throw new Error("timer threw"); }, 1); await new Promise(() => {}); }
export function failAtLength() { throw new Error("😀".repeat(300)); }
let looks = 0;
/** Storing it takes two looks. */
export const fickle = () => ({ get model() { return ++looks > 2 ? () => 1 : 1; } });
export const unstorable = () => ({ model: { fn: () => 1 } });
export function leave() { console.log("bye"); process.exit(7); }
export function shoot() { process.kill(process.pid, "SIGKILL"); }
export function spin() {
  const child = Bun.spawn(["sleep", "1000"]);
  console.log("child " + child.pid);
  while (true);
}
`;

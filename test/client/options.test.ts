import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { named } from "../../src/client/errors.ts";
import { Executor } from "../../src/client/executor.ts";
import { readOptions } from "../../src/client/given.ts";
import type { ExecutorOptions } from "../../src/client/options.ts";
import { openSession } from "../../src/client/session.ts";
import { inputFrom } from "../../src/client/submit.ts";
import { JobxError } from "../../src/errors.ts";
import { createExecutor } from "../../src/index.ts";
import { tempDir } from "../helpers/temp.ts";

const root = tempDir("client-options");
const before = { ...process.env };

beforeAll(() => {
  mkdirSync(join(root, "jobx"));
  const lines = ['time = "1h"', "cpus = 2", "", "[profile.gpu]", "gpus = 2", "", "[local]", "nice = 3"];
  writeFileSync(join(root, "jobx", "config.toml"), lines.join("\n"), { mode: 0o600 });
  process.env.XDG_CONFIG_HOME = root;
  process.env.JOBX_MEM = "2G";
  delete process.env.JOBX_HOME;
});
afterAll(() => {
  for (const name of ["XDG_CONFIG_HOME", "JOBX_MEM", "JOBX_HOME"]) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
});

/** The request of a submission with these options. */
function request(options: ExecutorOptions) {
  const session = openSession({ home: join(root, "home"), ...options });
  const set = { entry: { kind: "command" as const, argv: ["true"] }, tasks: [], count: 1, command: null };
  return inputFrom(session, { executor: "local", ...options }, set);
}

/** What is said of options as JavaScript may give them. */
async function refusal(act: () => unknown): Promise<JobxError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof JobxError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("options", () => {
  test("stand above variables, these above a profile, and that above the files", async () => {
    const { resources } = await request({ profile: "gpu", cpus: 8 });
    expect(resources).toEqual({ timeSeconds: 3600, memBytes: 2 * 1024 ** 3, cpus: 8, gpus: { count: 2 } });
  });

  test("take numbers in the documented units, and texts as the command line does", async () => {
    const numbers = await request({
      time: 1.5,
      mem: 5_000_000,
      gpus: 1,
      signalDelay: 2,
      pack: 3,
      maxPayload: 10,
    });
    expect(numbers.resources).toMatchObject({ timeSeconds: 90, memBytes: 5_000_000, gpus: { count: 1 } });
    expect(numbers.run).toMatchObject({
      signalDelaySeconds: 120,
      pack: { tasks: 3, slots: 1 },
      maxPayloadBytes: 10,
    });
    const texts = await request({ time: "2h", mem: "8G", gpus: "a100:2", signalDelay: "45s", pack: "4/2" });
    expect(texts.resources).toMatchObject({
      timeSeconds: 7200,
      memBytes: 8 * 1024 ** 3,
      gpus: { type: "a100", count: 2 },
    });
    expect(texts.run).toMatchObject({ signalDelaySeconds: 45, pack: { tasks: 4, slots: 2 } });
  });

  test("are each what the flag of the same meaning is", async () => {
    const { run, name, cwd, environment } = await request({
      name: "n",
      cwd: "/",
      env: { A: 1, B: true },
      setup: "one",
      teardown: ["two", "three"],
      launcher: ["apptainer", "exec", "my image.sif"],
      retries: 2,
      maxTimeouts: 4,
      requeue: false,
      parallel: 5,
      distributed: true,
      mergeOutput: true,
      cleanEnv: true,
      capture: true,
    });
    expect({ name, cwd }).toEqual({ name: "n", cwd: "/" });
    expect(run).toMatchObject({
      env: { A: "1", B: "true" },
      setup: ["one"],
      teardown: ["two", "three"],
      launcher: ["apptainer", "exec", "my image.sif"],
      retries: 2,
      maxTimeouts: 4,
      requeue: false,
      parallel: 5,
      distributed: true,
      mergeOutput: true,
      cleanEnv: true,
      capture: true,
    });
    expect(Object.keys(environment)).not.toContain("XDG_CONFIG_HOME");
  });

  test.each<[string, unknown]>([
    ["The options are null", null],
    ['The options are "local"', "local"],
    ["local is 3, and it takes an object of its options", { local: 3 }],
    ["time is Infinity, and it takes a number of minutes", { time: Number.POSITIVE_INFINITY }],
    ["mem is NaN, and it takes a number of bytes", { mem: Number.NaN }],
    ["gpus is NaN", { gpus: Number.NaN }],
    ['cpus: "1000000000" is more than 999999999', { cpus: 1e9 }],
    ['and it takes a number, "8/2" or { tasks, slots }', { pack: { tasks: 2, slot: 2 } }],
    ['and it takes a number, "8/2" or { tasks, slots }', { pack: { tasks: 2, slots: "2" } }],
    ["env is { A: 1, B: null }, and it takes", { env: { A: 1, B: null } }],
    ["slurm_array_parallelism: did you mean parallel?", { slurm_array_parallelism: 3 }],
    ["slurm_use_srun: did you mean slurm: { useSrun: … }?", { slurm_use_srun: true }],
    ["slurm_constraint: did you mean slurm: { constraint: … }?", { slurm_constraint: "a" }],
    ["use_srun: did you mean slurm: { useSrun: … }?", { use_srun: true }],
    ["additional_parameters: did you mean slurm: { … }?", { additional_parameters: {} }],
  ])("that are wrong are refused: %s", async (message, given) => {
    const error = await refusal(() => readOptions(given));
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("\n");
  });

  test("that do not fit the machine or the executor are called as in a script", async () => {
    const cwd = await refusal(() => named(() => request({ cwd: "/nowhere" })));
    expect(cwd.message).toBe("cwd: there is no folder /nowhere");
    const inspect = await refusal(() => named(() => request({ inspect: true })));
    expect(inspect.hint).toContain('Add executor: "debug"');
  });

  test("of one executor count on it alone, under the names that scripts would write", async () => {
    const { options } = await request({
      local: { nice: 5 },
      slurm: { srunArgs: "--mpi=pmix", partition: "x" },
    });
    expect(options).toEqual({ nice: 5 });
    const error = await refusal(() => request({ slurm: { srunArg: "x" } }));
    expect(error.message).toContain('Unknown option "srunArg" of slurm');
    expect(error.hint).toContain("srun-args");
  });

  test("that are wrong are all named, with the nearest of those there are", async () => {
    const wrong: object = {
      tiem: 3,
      cpus: "4",
      time: "2x",
      mem: "lots",
      slurm_partition: "a",
      timeout_min: 3,
    };
    const { code, message } = await refusal(() => createExecutor(wrong));
    expect(code).toBe("USAGE");
    expect(message.split("; ")).toEqual([
      "There is no option tiem: did you mean time?",
      'cpus is "4", and it takes a whole number',
      'time: Bad time "2x"',
      'mem: Bad size "lots"',
      "There is no option slurm_partition: did you mean partition?",
      "There is no option timeout_min: did you mean time?",
    ]);
  });

  test("that are like none there is are refused with all there are", async () => {
    const error = await refusal(() => Reflect.apply(createExecutor, null, [{ zzzqqq: 1, vvwwxx: 2 }]));
    expect(error.message).toBe("There is no option zzzqqq; There is no option vvwwxx");
    expect(error.hint).toMatch(/^The options are executor, home, .*, maxPayload, /);
  });

  test("that name an executor or a table which is not there say so", async () => {
    expect((await refusal(() => createExecutor({ executor: "locl" }))).message).toContain(
      'no executor "locl"',
    );
    const table: object = { mysite: { queue: "q" } };
    expect((await refusal(() => createExecutor(table))).message).toContain(
      "neither an option nor an executor mysite",
    );
  });

  test("are called by their own names in errors, not by flags", async () => {
    const { message } = await refusal(() => named(() => request({ inspect: true })));
    expect(message).toStartWith("inspect is for the debug executor");
    expect((await refusal(() => named(() => request({ home: "" })))).message).toBe('home is ""');
  });

  test("of a job to wait for are handles, ids, selectors, and those with a kind", () => {
    const after = [
      { selector: "3" },
      4,
      "5.1",
      { job: 6, kind: "any" },
      { job: { selector: "7" }, kind: "each" },
    ];
    expect(readOptions({ after }).options.all("after")).toEqual(["3", "4", "5.1", "6:any", "7:each"]);
    expect(() => readOptions({ after: [null] })).toThrow(/after is \[ null \]/);
  });
});

test("with() makes another executor and leaves its own as it is; variables and tables are merged", async () => {
  const first = await createExecutor({
    executor: "local",
    home: join(root, "home"),
    env: { A: 1 },
    local: { nice: 1 },
  });
  const second = first.with({ env: { B: 2 }, local: { cpus: 1 }, time: 3 });
  expect(second).toBeInstanceOf(Executor);
  expect(second.options).toMatchObject({ env: { A: 1, B: 2 }, local: { nice: 1, cpus: 1 }, time: 3 });
  expect(first.options).toMatchObject({ env: { A: 1 }, local: { nice: 1 } });
  expect(first.home).toBe(join(root, "home"));
  expect(second.with({ home: join(root, "other") }).home).toBe(join(root, "other"));
  expect(() => first.with({ time: "2x" })).toThrow(/time: Bad time/);
});

test("a note is said once to whoever is told, however many executors a script makes", () => {
  const heard: string[] = [];
  const onNote = (text: string) => void heard.push(text);
  for (const home of ["one", "two"])
    openSession({ home: join(root, home), onNote }).services.note("slow disk");
  openSession({ home: join(root, "one"), onNote: (text) => heard.push(text) }).services.note("slow disk");
  expect(heard).toEqual(["slow disk", "slow disk"]);
});

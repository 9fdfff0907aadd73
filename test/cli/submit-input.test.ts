import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { OptionValues } from "../../src/cli/args/values.ts";
import { entryFrom, type EntryWords } from "../../src/cli/submit/entry.ts";
import { checkExecutorName, checkPrefixes, executorOptions } from "../../src/cli/submit/executor-options.ts";
import { submitInputFrom } from "../../src/cli/submit/input.ts";
import { directivesOf } from "../../src/cli/submit/script.ts";
import { parsePack } from "../../src/config/run-options.ts";
import { type SettingsSources, SubmitSettings } from "../../src/config/settings.ts";
import { JobxError } from "../../src/errors.ts";
import { splitWords } from "../../src/model/words.ts";
import { openRegistry } from "../../src/registry.ts";
import { tempDir } from "../helpers/temp.ts";

const folder = tempDir("submit-input");
const COMMAND: EntryWords = { kind: "command", argv: ["echo", "{a}"] };
const FUNCTION: EntryWords = { kind: "function", reference: "fit.ts" };

type Given = Record<string, string | boolean | string[]>;

function settings(given: Given, others: Partial<Omit<SettingsSources, "flags">> = {}): SubmitSettings {
  const flags = new OptionValues();
  for (const [name, value] of Object.entries(given)) {
    for (const one of Array.isArray(value) ? value : [value]) flags.add(name, one);
  }
  return new SubmitSettings({
    flags,
    directives: {},
    config: { values: {}, originOf: () => "/c.toml:3" },
    ...others,
  });
}

function build(
  given: Given,
  entry: EntryWords = COMMAND,
  others: Partial<Omit<SettingsSources, "flags">> = {},
) {
  return submitInputFrom(settings(given, others), {
    entry,
    executor: "local",
    env: { HOME: "/home/me", PATH: "/bin", SLURM_JOB_ID: "7", FOO: "1" },
    cwd: folder,
    logs: "/home/logs",
    slurmOptions: {},
    stdin: async () => "one\ntwo\n",
    resolveAfter: async (selector) => ({ job: Number(selector) }),
  });
}

async function refusal(act: () => unknown): Promise<JobxError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof JobxError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a submission", () => {
  test("has every default filled in", async () => {
    const input = await build({}, { kind: "command", argv: ["ls"] });
    expect(input).toMatchObject({
      name: null,
      count: 1,
      templated: false,
      array: false,
      resources: {},
      options: {},
    });
    expect(input.run).toEqual({
      retries: 0,
      maxTimeouts: 3,
      requeue: null,
      signalDelaySeconds: 90,
      parallel: null,
      pack: { tasks: 1, slots: 1 },
      after: [],
      setup: [],
      teardown: [],
      launcher: [],
      capture: false,
      mergeOutput: false,
      distributed: false,
      cleanEnv: false,
      env: {},
      maxPayloadBytes: 1024 ** 3,
    });
    expect(input.cwd).toBe(folder);
    expect(input.environment).toEqual({ HOME: "/home/me", PATH: "/bin", FOO: "1" });
  });

  test("reads resources, and sizes and times in their units", async () => {
    const { resources, run } = await build({
      time: "90",
      mem: "4G",
      gpus: "a100:2",
      "ranks-per-node": "2",
      "signal-delay": "2m",
      "max-payload": "1M",
      sweep: "a=1",
    });
    expect(resources).toEqual({
      timeSeconds: 5400,
      memBytes: 4 * 1024 ** 3,
      gpus: { type: "a100", count: 2 },
      ranksPerNode: 2,
    });
    expect(run).toMatchObject({ signalDelaySeconds: 120, maxPayloadBytes: 1024 ** 2 });
  });

  test("makes a task of every combination", async () => {
    const input = await build({ sweep: ["a=1,2", "b=x,y"] });
    expect([...input.tasks].map((task) => task.params)).toEqual([
      { a: 1, b: "x" },
      { a: 1, b: "y" },
      { a: 2, b: "x" },
      { a: 2, b: "y" },
    ]);
    expect(input).toMatchObject({ count: 4, templated: true, array: false });
  });

  test("takes indices and how many at once from an array, unless --parallel says so", async () => {
    const entry: EntryWords = { kind: "command", argv: ["echo", "{index}"] };
    expect((await build({ array: "1-5:2%2" }, entry)).run.parallel).toBe(2);
    const input = await build({ array: "1-5:2%2", parallel: "7" }, entry);
    expect(input.run.parallel).toBe(7);
    expect([...input.tasks].map((task) => task.params)).toEqual([{ index: 1 }, { index: 3 }, { index: 5 }]);
  });

  test("reads rows from standard input, and {} is the row", async () => {
    const input = await build({ params: "-" }, { kind: "command", argv: ["echo", "{}"] });
    expect([...input.tasks].map((task) => task.line)).toEqual(["one", "two"]);
  });

  test("gives a function --args first, then each --arg, as JSON or as text", async () => {
    const input = await build({ args: '[1, {"a": 2}]', arg: ["3", "text", '"4"'] }, FUNCTION);
    expect([...input.tasks][0]?.args).toEqual([1, { a: 2 }, 3, "text", "4"]);
  });

  test("gives a function whole numbers that a number cannot hold as text", async () => {
    const given = { args: '[{ "id": 9007199254740993 }]', arg: ["12345678901234567890", "9007199254740991"] };
    const { tasks } = await build(given, FUNCTION);
    expect([...tasks][0]?.args).toEqual([
      { id: "9007199254740993" },
      "12345678901234567890",
      Number.MAX_SAFE_INTEGER,
    ]);
  });

  test("sets variables from the configuration, then the file, then --env", async () => {
    writeFileSync(join(folder, "vars"), "# mine\nB=file\nC='two words'\n");
    const config = { values: { env: { A: "config", B: "config" } }, originOf: () => "" };
    const { run } = await build({ "env-file": "vars", env: ["A=flag=1"], sweep: "a=1" }, COMMAND, { config });
    expect(run.env).toEqual({ A: "flag=1", B: "file", C: "two words" });
  });

  test("lets flags beat a script's directives, and those the configuration", async () => {
    const others = {
      directives: { time: "10", mem: "1G", requeue: true as const },
      config: { values: { time: "20", mem: "2G", cpus: "3" }, originOf: () => "" },
    };
    const { resources, run } = await build({ time: "1", sweep: "a=1" }, COMMAND, others);
    expect(resources).toEqual({ timeSeconds: 60, memBytes: 1024 ** 3, cpus: 3 });
    expect(run.requeue).toBe(true);
  });

  test("runs in the folder of --chdir", async () => {
    mkdirSync(join(folder, "sub"), { recursive: true });
    expect((await build({ chdir: "sub", sweep: "a=1" })).cwd).toBe(join(folder, "sub"));
  });

  test("knows what it comes after", async () => {
    const { run } = await build({ after: ["3", "4:each"], sweep: "a=1" });
    expect(run.after).toEqual([
      { job: 3, kind: "ok" },
      { job: 4, kind: "each" },
    ]);
  });

  test("keeps an executor's options, those for another one left out", async () => {
    const { options } = await build({
      option: ["nice=5", "local.cpus=2", "slurm.partition=gpu"],
      sweep: "a=1",
    });
    expect(options).toEqual({ nice: "5", cpus: "2" });
  });

  test.each([
    [{ sweep: "b=1" }, COMMAND, "Unknown placeholder {a}"],
    [{ sweep: "a=1", env: "X={c}" }, COMMAND, "Unknown placeholder {c}"],
    [{ arg: "1" }, COMMAND, "--arg is for functions"],
    [{ snapshot: false }, COMMAND, "--no-snapshot is for functions"],
    [{ capture: true }, FUNCTION, "--capture is for commands"],
    [{ args: "{}" }, FUNCTION, '--args: "{}" is not a JSON array'],
    [{ env: "X" }, COMMAND, '--env: "X" has no ='],
    [{ env: "=1" }, COMMAND, '--env: "" cannot be the name of a variable'],
    [{ retries: "-1" }, COMMAND, '--retries: "-1" is not a whole number'],
    [{ parallel: "0" }, COMMAND, '--parallel: "0" is not a whole number of at least 1'],
    [{ pack: "2/3" }, COMMAND, '--pack: Bad pack "2/3"'],
    [{ launcher: "a 'b" }, COMMAND, "--launcher: A quote or backslash"],
    [{ params: "nowhere.csv" }, COMMAND, "There is no file nowhere.csv"],
    [{ chdir: "nowhere" }, COMMAND, "--chdir: there is no folder"],
    [{ name: "" }, COMMAND, '--name is ""'],
  ] as [Given, EntryWords, string][])("refuses %j", async (given, entry, message) => {
    expect((await refusal(() => build(given, entry))).message).toContain(message);
  });

  test("says where a bad value came from that was not typed", async () => {
    const config = { values: { mem: "4X" }, originOf: () => "/c.toml:3" };
    const error = await refusal(() => build({ sweep: "a=1" }, COMMAND, { config }));
    expect(error.message).toBe('--mem: Bad size "4X" (from /c.toml:3)');
  });
});

describe("what is to run", () => {
  test("is a command behind --, or a module", () => {
    expect(entryFrom([], ["ls", "-h"], folder)).toEqual({ kind: "command", argv: ["ls", "-h"] });
    for (const reference of ["a.ts#b", "a.tsx", "a.mts", "a.cts", "a.js", "a.jsx#b", "a.mjs", "a.cjs"])
      expect(entryFrom([reference], null, folder)).toEqual({ kind: "function", reference });
  });

  test.each([
    [["ls"], null, '"ls" is neither an option nor a module', "goes after --: jobx submit [options] -- ls"],
    [["a b", "c"], null, '"a b" is neither', "jobx submit [options] -- 'a b' c"],
    [[], null, "There is nothing to submit", "./run.sh"],
    [[], [], "There is no command after --", "./run.sh"],
    [[], [""], 'The command is ""', "Write its name"],
    [["a.ts", "3"], null, 'Unexpected argument "3"', "jobx submit a.ts --arg 3"],
    [["a.ts"], ["ls"], '"a.ts" stands before the --', "Submit one of them"],
  ] as [string[], string[] | null, string, string][])(
    "is refused as %j, %j",
    async (words, rest, message, hint) => {
      const error = await refusal(() => entryFrom(words, rest, folder));
      expect(error.message).toContain(message);
      expect(error.hint).toContain(hint);
    },
  );

  test("is shown with ./ where a script of that name is here", async () => {
    writeFileSync(join(folder, "train.sh"), "");
    expect((await refusal(() => entryFrom(["train.sh"], null, folder))).hint).toEndWith("-- ./train.sh");
  });
});

describe("habits of sbatch", () => {
  test("-o and -e with a file say where the output is", async () => {
    for (const act of [
      () => executorOptions(["x.log"], "local", "/h/ID"),
      () => checkExecutorName("x.err", "/h/ID"),
    ]) {
      expect((await refusal(act)).hint).toBe("`jobx logs` shows the output; it is kept in /h/ID");
    }
  });

  test("-o with the prefix of no executor names the nearest one, and any that there is may be named", async () => {
    const executors = openRegistry({ env: {}, home: folder, runtime: [], note() {} });
    await checkPrefixes(["slurm.gres=gpu:1", "local.x=1", "gres=a.b=1"], executors);
    const error = await refusal(() => checkPrefixes(["slurn.gres=x"], executors));
    expect(error.message).toBe('-o slurn.gres=x: there is no executor "slurn"');
    expect(error.hint).toContain('Did you mean "slurm"?');
    expect(error.code).toBe("USAGE");
  });

  test("a bad name in the configuration's [env] is told with its file and line", async () => {
    const config = {
      values: { env: { "A B": "1" } },
      originOf: (key: string, inner?: string) => `/c.toml:${key}.${inner}`,
    };
    const error = await refusal(() => build({}, COMMAND, { config }));
    expect(error.message).toBe('/c.toml:env.A B: env: "A B" cannot be the name of a variable');
  });

  test("a script with #SBATCH lines needs a decision", async () => {
    writeFileSync(join(folder, "job.sh"), "#!/bin/bash\n#SBATCH --time=10\n#SBATCH -J mine\necho\n");
    for (const line of [
      "./job.sh",
      "bash job.sh",
      "bash -ex job.sh",
      "bash --login -o pipefail job.sh",
      "env A=1 B=2 ./job.sh",
      "/usr/bin/nice env A=1 bash job.sh",
    ]) {
      const argv = line.split(" ");
      const error = await refusal(() => directivesOf(argv, folder, { use: false, ignore: false }));
      expect(error.hint).toContain("--use-directives");
      expect(error.hint).toContain("--ignore-directives");
    }
    expect(directivesOf(["./job.sh"], folder, { use: true, ignore: false })?.flags).toEqual({
      time: "10",
      name: "mine",
    });
    expect(directivesOf(["./job.sh"], folder, { use: false, ignore: true })).toBeNull();
    for (const line of ["ls", "nice -n 5 ./job.sh"]) {
      const error = await refusal(() => directivesOf(line.split(" "), folder, { use: true, ignore: false }));
      expect(error.message).toBe(`${line} has no #SBATCH lines to use`);
    }
    for (const line of [
      "./missing.sh",
      "bash",
      "bash -c ls job.sh",
      "bash -ec ls job.sh",
      "bash -s job.sh",
      "env",
      "env A=1",
      "nice -n 5 ./job.sh",
    ]) {
      expect(directivesOf(line.split(" "), folder, { use: false, ignore: false })).toBeNull();
    }
  });
});

test.each([
  ["apptainer exec --nv image.sif", ["apptainer", "exec", "--nv", "image.sif"]],
  [`a 'b c' "d \\"e\\"" f\\ g ''`, ["a", "b c", 'd "e"', "f g", ""]],
  ["  ", []],
])("splits %j as a shell would", (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test("a pack is N or N/K", () => {
  expect(parsePack("8")).toEqual({ tasks: 8, slots: 1 });
  expect(parsePack("8/2")).toEqual({ tasks: 8, slots: 2 });
});

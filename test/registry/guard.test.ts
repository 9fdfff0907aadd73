import { describe, expect, test } from "bun:test";

import type { Executor, ExecutorContext } from "../../src/executor/contract.ts";
import { defineExecutor, type ExecutorDefinition } from "../../src/executor/define.ts";
import { guarded } from "../../src/registry/guard.ts";
import { TestJobx } from "../helpers/jobx.ts";

const CONTEXT: ExecutorContext = {
  home: "/nowhere",
  env: {},
  settings: {},
  run: async () => ({ code: 0, stdout: "", stderr: "" }),
  note: () => undefined,
  taskOutput: 1,
  runtime: [],
};

const CALLS: [verb: string, code: string, call: (executor: Executor) => unknown][] = [
  ["affinity", "PLUGIN", (executor) => executor.affinity(CONTEXT)],
  ["status", "PLUGIN", (executor) => executor.status([], CONTEXT)],
  ["cancel", "PLUGIN", (executor) => executor.cancel([], CONTEXT)],
  ["hold", "PLUGIN", (executor) => executor.hold?.([], CONTEXT)],
  [
    "find",
    "PLUGIN",
    (executor) => executor.find && Reflect.apply(executor.find, executor, ["token", CONTEXT]),
  ],
  // Nobody knows whether the job was accepted, so its folder has to stay.
  ["submit", "UNREACHABLE", (executor) => Reflect.apply(executor.submit, executor, [{}, CONTEXT])],
];

describe.each(CALLS)("a plugin whose %s", (verb, code, call) => {
  test("throws is named with the verb, whatever it throws", async () => {
    for (const thrown of [new TypeError("x is not a function"), "just words", undefined]) {
      const executor = guarded(
        plugin({
          [verb]: () => {
            throw thrown;
          },
        }),
        "/p/toy.ts",
      );
      const error = await outcome(() => call(executor));
      expect(error).toMatchObject({ code, hint: expect.stringContaining("/p/toy.ts") });
      expect(String(error)).toContain(`The plugin toy failed in ${verb}`);
    }
  });

  test("never answers is not waited for", async () => {
    const executor = guarded(plugin({ [verb]: () => new Promise(() => undefined) }), "/p/toy.ts", {
      [verb]: 0.02,
    });
    const error = await outcome(() => call(executor));
    expect(error).toMatchObject({ code });
    expect(String(error)).toContain(`The plugin toy gave no answer from ${verb} within 0.02 s`);
  });
});

test.each([
  ["affinity", "yes"],
  ["affinity", { score: 7, why: "" }],
  ["status", undefined],
  ["status", [{ job: 1, element: 0, state: "flying" }]],
  ["status", [undefined]],
  ["find", { natives: [{ id: 7 }] }],
  ["submit", "4211"],
  ["submit", { natives: [{ id: 4211, firstElement: 0, elements: 1 }] }],
  ["submit", { natives: [{ id: "", firstElement: 0, elements: 1 }] }],
  ["submit", { natives: [{ id: "x".repeat(256), firstElement: 0, elements: 1 }] }],
])("what is no answer from %s is named: %j", async (verb, answer) => {
  const executor = guarded(plugin({ [verb]: async () => answer }), "/p/toy.ts");
  const [, , call] = CALLS.find(([name]) => name === verb) ?? [];
  expect(String(await outcome(() => call?.(executor)))).toContain("The plugin toy gave ");
});

test("what a plugin says in jobx's own words passes, and so do good answers", async () => {
  const { JobxError } = await import("../../src/errors.ts");
  const refusal = new JobxError("REFUSED", "no such queue");
  const executor = guarded(plugin({ cancel: () => Promise.reject(refusal) }), "/p/toy.ts");
  expect(await outcome(() => executor.cancel([], CONTEXT))).toBe(refusal);
  expect(await executor.status([], CONTEXT)).toEqual([]);
  expect(executor.hold).toBeUndefined();
});

describe("jobx with a plugin that", () => {
  const source = (status: string, top = "") => `import { defineExecutor } from "jobx/plugin";
${top}
export default defineExecutor({
  name: "toy",
  description: "For tests",
  affinity: () => ({ score: 0, why: "a test" }),
  submit: async () => ({ natives: [{ id: "1", cluster: null, submitted: new Date().toISOString(), firstElement: 0, elements: 1 }] }),
  status: async () => { ${status} },
  cancel: async () => {},
  environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
});
`;

  test("prints to standard output still gives one JSON document", async () => {
    const jobx = new TestJobx();
    const noise = 'console.log("noise"); process.stdout.write("more noise\\n"); console.table?.([1]);';
    await Bun.write(`${jobx.root}/.config/jobx/plugins/toy.ts`, source(`${noise} return [];`, noise));
    await jobx.submit(["-e", "toy", "--", "true"]);
    const ran = await jobx.run(["--json", "list"]);
    expect(JSON.parse(ran.out)).toMatchObject([{ executor: "toy" }]);
    expect(ran.err).toContain("noise\nmore noise\n");
  });

  test("ends the process, in a verb or while it loads, ends nothing", async () => {
    const jobx = new TestJobx();
    const file = `${jobx.root}/.config/jobx/plugins/toy.ts`;
    await Bun.write(file, source("process.exitCode = 9; process.exit(0);"));
    await jobx.submit(["-e", "toy", "--", "true"]);
    const ran = await jobx.run(["--json", "list"]);
    expect({ code: ran.code, jobs: JSON.parse(ran.out) }).toMatchObject({
      code: 0,
      jobs: [{ state: "queued" }],
    });
    expect(ran.err).toContain("The plugin toy failed in status: process.exit() is not for plugins");
    await Bun.write(file, source("return [];", "process.exit(0);"));
    const again = await jobx.run(["submit", "-e", "toy", "--", "true"]);
    expect(again).toMatchObject({ code: 3, out: "", err: expect.stringContaining("toy.ts:2:") });
  });

  test("throws where nobody waits for it is named, and is no bug of jobx", async () => {
    const jobx = new TestJobx();
    const file = `${jobx.root}/.config/jobx/plugins/toy.ts`;
    const later = 'setTimeout(() => { throw new Error("later"); }, 1); await new Promise(() => {});';
    await Bun.write(file, source("return [];"));
    await jobx.submit(["-e", "toy", "--", "true"]);
    await Bun.write(file, source(later));
    const ran = await jobx.run(["list"]);
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining(`The plugin failed at ${file}:8:`) });
  });

  test("throws or gives nonsense in status is named, and the rest goes on", async () => {
    const jobx = new TestJobx();
    const file = `${jobx.root}/.config/jobx/plugins/toy.ts`;
    await Bun.write(file, source("return [];"));
    await jobx.submit(["-e", "toy", "--", "true"]);
    for (const [status, says] of [
      ['throw new TypeError("oh");', "The plugin toy failed in status: oh (toy.ts:8:"],
      ["return 5;", "The plugin toy gave 5 instead of a list from status"],
    ] as const) {
      await Bun.write(file, source(status));
      const ran = await jobx.run(["--json", "list"]);
      expect(JSON.parse(ran.out)).toMatchObject([{ executor: "toy", state: "queued" }]);
      expect(ran.err).toContain(says);
    }
  });
});

test("a plugin that says nothing of its contract is of the first version", () => {
  expect(plugin({}).contract).toBe(1);
});

function plugin(verbs: Record<string, unknown>): Executor {
  const definition: ExecutorDefinition = {
    name: "toy",
    description: "For tests",
    affinity: () => ({ score: 0, why: "a test" }),
    submit: async () => ({ natives: [] }),
    status: async () => [],
    cancel: async () => undefined,
    environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
  };
  return defineExecutor(Object.assign(definition, verbs));
}

async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return error;
  }
}

import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { JobxError } from "../../src/errors.ts";
import { openRegistry, type Registry } from "../../src/registry.ts";
import { tempDir } from "../helpers/temp.ts";

const root = tempDir("registry");
let made = 0;

/** A plugin whose loading leaves a file behind, so that laziness can be seen. */
function plugin(name: string, settings: { score?: string; extra?: string; top?: string } = {}): string {
  return `import { defineExecutor, option } from "jobx/plugin";
import { writeFileSync } from "node:fs";
writeFileSync(new URL("file://" + import.meta.path.replace(/^.*jobx-plugin:/, "") + ".loaded"), "");
${settings.top ?? ""}
export default defineExecutor({
  name: "${name}",
  description: "The ${name} of a test",
  options: { queue: option.string("Queue") },
  affinity: () => ${settings.score ?? `({ score: 0, why: "a test" })`},
  submit: async () => ({ natives: [] }),
  status: async () => [],
  cancel: async () => {},
  environment: () => ({ element: 0, rank: 0, restarts: 0, hostnames: null }),
  ${settings.extra ?? ""}
});
`;
}

/** A folder with the given files; `registry()` looks into it by JOBX_PLUGIN_PATH. */
function folder(files: Record<string, string>): string {
  const path = join(root, String(made++));
  mkdirSync(path, { mode: 0o755 });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), text, { mode: 0o644 });
  }
  return path;
}

function open(
  paths: string[],
  more: Partial<Parameters<typeof openRegistry>[0]> & { notes?: string[] } = {},
): Registry {
  return openRegistry({
    env: { HOME: join(root, "nobody"), PATH: join(root, "nobody"), JOBX_PLUGIN_PATH: paths.join(":") },
    home: join(root, "home"),
    runtime: ["/nowhere/jobx"],
    note: (text) => more.notes?.push(text),
    binary: null,
    ...more,
  });
}

async function refusal(promise: Promise<unknown>): Promise<JobxError> {
  const thrown = await promise.then(
    (value) => `it gave ${String(value)}`,
    (error: unknown) => error,
  );
  if (thrown instanceof JobxError) return thrown;
  throw new Error(`Expected a JobxError: ${String(thrown)}`);
}

const wasLoaded = (path: string, file: string) => existsSync(join(path, `${file}.loaded`));

test("a plugin file is an executor of its name, with everything from jobx/plugin at hand", async () => {
  const executor = await open([folder({ "toy.ts": plugin("toy") })]).get("toy");
  expect(executor).toMatchObject({ name: "toy", contract: 1, graceSeconds: 30 });
});

test("naming an executor loads that one file and no other", async () => {
  const path = folder({ "toy.ts": plugin("toy"), "other.ts": plugin("other") });
  const registry = open([path]);
  expect(registry.names()).toEqual(["debug", "local", "lsf", "other", "pbs", "sge", "slurm", "toy"]);
  await registry.get("local");
  expect([wasLoaded(path, "toy.ts"), wasLoaded(path, "other.ts")]).toEqual([false, false]);
  await registry.get("toy");
  expect([wasLoaded(path, "toy.ts"), wasLoaded(path, "other.ts")]).toEqual([true, false]);
});

test("a file of another name is found as well, by what it defines", async () => {
  const path = folder({ "my-cluster.ts": plugin("oar"), "zzz.ts": "throw new Error('broken')" });
  expect((await open([path]).get("oar")).name).toBe("oar");
});

test("what was never tried on a real scheduler says what it was written from", async () => {
  const path = folder({ "toy.ts": plugin("toy") });
  const lines = await open([path]).list();
  const untried = lines.filter((line) => line.untried !== null);
  expect(untried.map((line) => line.name)).toEqual(["lsf", "pbs"]);
  expect(untried[0]?.untried).toContain("manual");
});

test("a later folder wins by name, over earlier ones and over what is built in", async () => {
  const first = folder({ "toy.ts": plugin("toy"), "local.ts": plugin("local") });
  const second = folder({ "toy.ts": plugin("toy", { extra: 'description: "The second",' }) });
  const registry = open([first, second]);
  expect((await registry.get("toy")).description).toBe("The second");
  expect((await registry.get("local")).description).toBe("The local of a test");
  const lines = await registry.list();
  expect(lines.filter((line) => line.name === "toy").map((line) => [line.from, line.state])).toEqual([
    [join(first, "toy.ts"), "shadowed"],
    [join(second, "toy.ts"), "loaded"],
  ]);
  expect(lines.find((line) => line.name === "local" && line.from === "built in")).toMatchObject({
    state: "shadowed",
    why: `replaced by the one in ${join(first, "local.ts")}`,
  });
});

test("a plugin that takes a built-in's name from a file of another name is told to rename it", async () => {
  const path = folder({ "fast.ts": plugin("debug") });
  const registry = open([path]);
  expect((await registry.get("debug")).description).not.toBe("The debug of a test");
  expect((await registry.list()).find((line) => line.from === join(path, "fast.ts"))).toMatchObject({
    state: "shadowed",
    why: "replaced by the one that is built in",
    hint: "A plugin that replaces another executor must carry its name: debug.ts",
  });
});

const BROKEN: [title: string, text: string, says: string][] = [
  ["does not parse", "\nconst x = ;", "bad.ts:2:11 does not load: Unexpected ;"],
  ["throws while it loads", "throw new Error('no licence')", "no licence"],
  [
    "throws in a function of its own",
    "\nfunction f() {\n  null.x;\n}\nf();",
    "bad.ts:3:3 does not load: null is",
  ],
  ["throws something that is no error", "throw 'just text'", "just text"],
  ["has no default export", "export const x = 1;", "has no default export"],
  ["exports by a name alone", "\nexport const toy = 1;", "bad.ts:2 has no default export"],
  ["exports something else", "\n\nexport default 5;", "bad.ts:3 exports a number as its default"],
  ["was not made by defineExecutor", "export default { name: 'bad' };", "defineExecutor did not make"],
  [
    "is of a newer contract",
    "export default { contract: 99 };",
    "is written for version 99 of the plugin contract, this jobx knows up to version 1",
  ],
  [
    "is of an older contract than any that is read",
    "export default { contract: 0 };",
    "is written for version 0 of the plugin contract, this jobx reads versions from 1 on",
  ],
  [
    "has a contract that is no number",
    'export default { contract: "1" };',
    'has the contract "1", which is no version',
  ],
  ["has a name that no flag could carry", plugin("Bad Name"), 'has the name "Bad Name"'],
  ["calls itself auto", plugin("auto"), 'has the name "auto"'],
  ["lacks a verb", plugin("bad", { extra: "status: undefined," }), "lacks status()"],
  ["has a verb that is no function", plugin("bad", { extra: "hold: true," }), "has a hold that is a boolean"],
  ["has options of another make", plugin("bad", { extra: "options: { a: 'text' }," }), 'has an option "a"'],
  ["imports a package", '\nimport x from "left-pad"; x();', 'bad.ts:2 does not load: it imports "left-pad"'],
  [
    "imports a name that is not there",
    'import { defineExecutr } from "jobx/plugin";\ndefineExecutr();',
    "bad.ts:1 does not load: jobx/plugin has no defineExecutr",
  ],
  [
    "imports a file that is not there",
    'import { x } from "./gone.ts"; x();',
    "bad.ts:1 imports ./gone.ts, and",
  ],
];

describe("a plugin that", () => {
  for (const [title, text, says] of BROKEN) {
    test(`${title} is listed with the reason, says it when named, and breaks nothing else`, async () => {
      const path = folder({ "bad.ts": text, "good.ts": plugin("good") });
      const registry = open([path]);
      const error = await refusal(registry.get("bad"));
      expect(error.code).toBe("PLUGIN");
      expect(error.message).toContain(says);
      expect(error.message).toContain(join(path, "bad.ts"));
      expect(error.hint).toBeString();
      expect((await registry.get("good")).name).toBe("good");
      const listed = (await registry.list()).find((line) => line.from === join(path, "bad.ts"));
      expect(listed).toMatchObject({ name: "bad", state: "broken", why: error.message });
    });
  }
});

test("a plugin that does not load because of a helper names the helper's line, and a misspelt import its neighbour", async () => {
  const path = folder({
    "bad.ts": 'import { x } from "./lib/x.ts";\nexport default x;',
    "lib/x.ts": "export const x = 1;\n\nexport const y = = 2;",
    "near.ts": 'import { defineExecutr } from "jobx/plugin";\nexport default defineExecutr({});',
  });
  const registry = open([path]);
  expect((await refusal(registry.get("bad"))).message).toBe(
    `The plugin ${join(path, "bad.ts")} does not load: ${join(path, "lib", "x.ts")}:3:18: Unexpected =`,
  );
  expect((await refusal(registry.get("near"))).hint).toBe("Did you mean defineExecutor?");
});

test("a plugin that was written against the first version of the contract loads, whether or not it says so", async () => {
  const path = folder({ "one.ts": plugin("one", { extra: "contract: 1," }), "old.ts": plugin("old") });
  const registry = open([path]);
  expect([(await registry.get("one")).contract, (await registry.get("old")).contract]).toEqual([1, 1]);
});

test("a plugin may have helpers beside it, in a folder that is not looked into", async () => {
  const path = folder({
    "toy.ts": plugin("toy", { top: 'import { word } from "./lib/word.ts"; export const heard = word;' }),
    "lib/word.ts": 'export const word: string = "hello";',
    "types.d.ts": "export type X = 1;",
    ".hidden.ts": "throw 1",
    "README.md": "text",
  });
  const registry = open([path]);
  expect(registry.names()).toEqual(["debug", "local", "lsf", "pbs", "sge", "slurm", "toy"]);
  expect((await registry.get("toy")).name).toBe("toy");
});

test("nothing around a plugin decides what its imports mean", async () => {
  const path = folder({
    "tsconfig.json": '{ "compilerOptions": { "paths": { "jobx/plugin": ["./evil.js"] } } }',
    "node_modules/jobx/package.json": '{ "name": "jobx", "exports": { "./plugin": "./evil.js" } }',
    "node_modules/jobx/evil.js": "throw new Error('evil')",
    "toy.ts": plugin("toy"),
  });
  writeFileSync(join(path, "evil.js"), "throw new Error('evil')");
  expect((await open([path]).get("toy")).name).toBe("toy");
});

test("paths with spaces and signs are no obstacle", async () => {
  const path = folder({ "a b#c%20?/toy.ts": plugin("toy", { top: "" }).replace(/^writeFileSync.*$/m, "") });
  expect((await open([join(path, "a b#c%20?")]).get("toy")).name).toBe("toy");
});

describe("what others could have written is refused:", () => {
  test("a file that its group can write", async () => {
    const path = folder({ "toy.ts": plugin("toy") });
    chmodSync(join(path, "toy.ts"), 0o664);
    const error = await refusal(open([path]).get("toy"));
    expect(error.message).toContain("can be written by its group");
    expect(error.hint).toBe(`Mend it with: chmod go-w ${join(path, "toy.ts")}`);
    expect(wasLoaded(path, "toy.ts")).toBe(false);
  });

  test("every file of a folder that others can write, which is a line of `folders` too", async () => {
    const path = folder({ "toy.ts": plugin("toy") });
    chmodSync(path, 0o1777);
    const registry = open([path]);
    expect(registry.folders.find((known) => known.path === path)?.problem).toEqual({
      why: "it can be written by everybody (mode 1777)",
      mend: `chmod go-w ${path}`,
    });
    expect((await refusal(registry.get("toy"))).hint).toBe(`Mend it with: chmod go-w ${path}`);
    expect(wasLoaded(path, "toy.ts")).toBe(false);
    expect((await registry.get("local")).name).toBe("local");
  });

  test("a link that leads to such a place", async () => {
    const target = folder({ "toy.ts": plugin("toy") });
    const path = folder({});
    symlinkSync(join(target, "toy.ts"), join(path, "toy.ts"));
    chmodSync(target, 0o777);
    expect((await refusal(open([path]).get("toy"))).hint).toBe(`Mend it with: chmod go-w ${target}`);
  });

  test("a helper beside the plugin", async () => {
    const path = folder({ "toy.ts": `import "./lib/x.ts";\n${plugin("toy")}`, "lib/x.ts": "export {};" });
    chmodSync(join(path, "lib", "x.ts"), 0o666);
    expect((await refusal(open([path]).get("toy"))).hint).toBe(
      `Mend it with: chmod go-w ${join(path, "lib", "x.ts")}`,
    );
  });

  test.skipIf(process.geteuid?.() !== 0)("a file of somebody else (needs root)", async () => {
    const path = folder({ "toy.ts": plugin("toy") });
    chownSync(join(path, "toy.ts"), 54_321, 54_321);
    expect((await refusal(open([path]).get("toy"))).hint).toBe(
      `Mend it with: chown root ${join(path, "toy.ts")}`,
    );
  });
});

test("a plugin path is never relative, and a missing folder in it is reported", async () => {
  const missing = join(root, "missing");
  const problems = open(["plugins", ".", missing]).folders.map((known) => known.problem?.why ?? null);
  const relative = "it is a relative path, which would depend on where one stands";
  expect(problems).toEqual([null, relative, relative, "it does not exist"]);
});

test("the folder beside the binary and the one of the configuration are looked into", async () => {
  const beside = folder({ "plugins/one.ts": plugin("one") });
  const config = folder({ "jobx/plugins/two.ts": plugin("two") });
  const registry = open([], {
    binary: join(beside, "jobx"),
    env: { HOME: join(root, "nobody"), XDG_CONFIG_HOME: config },
  });
  expect([(await registry.get("one")).name, (await registry.get("two")).name]).toEqual(["one", "two"]);
});

test("an unknown executor is answered with the nearest known one", async () => {
  const registry = open([folder({ "torque.ts": plugin("torque"), "bad.ts": "throw 1" })]);
  const error = await refusal(registry.get("torqeu"));
  expect(error.code).toBe("NOT_FOUND");
  expect(error.message).toBe('There is no executor "torqeu"');
  expect(error.hint).toContain('Did you mean "torque"?');
  expect(error.hint).toContain("bad did not load");
});

test("settings are validated once, by the executor's own schema", async () => {
  const path = folder({ "toy.ts": plugin("toy") });
  const table = (values: Record<string, unknown>) => () => ({ values, where: "[toy] in c.toml" });
  const good = open([path], { table: table({ queue: "long" }) });
  expect(good.contextFor(await good.get("toy")).settings).toEqual({ queue: "long" });
  const bad = open([path], { table: table({ queu: "long" }) });
  const toy = await bad.get("toy");
  expect(() => bad.contextFor(toy)).toThrow('Unknown option "queu" of toy ([toy] in c.toml)');
});

describe("auto", () => {
  const cluster = `({ score: 2, why: "sbatch is on PATH" })`;
  const silent = `{ throw new Error("the controller gives no answer") }`;

  test("takes a cluster before this machine, and says why", async () => {
    const picked = await open([folder({ "toy.ts": plugin("toy", { score: cluster }) })]).pick();
    expect([picked.executor.name, picked.why]).toEqual(["toy", "sbatch is on PATH"]);
  });

  test("never takes this machine instead of a cluster that gives no answer", async () => {
    const error = await refusal(open([folder({ "toy.ts": plugin("toy", { score: silent }) })]).pick());
    expect(error.code).toBe("UNREACHABLE");
    expect(error.message).toBe(
      "toy seems to be here but could not be asked: The plugin toy failed in affinity: the controller gives no answer (toy.ts:9:31)",
    );
    expect(error.hint).toContain("-e local");
  });

  test("takes a cluster that answers although another one does not", async () => {
    const path = folder({
      "a.ts": plugin("a", { score: silent }),
      "b.ts": plugin("b", { score: cluster }),
    });
    expect((await open([path]).pick()).executor.name).toBe("b");
  });

  test("takes a plugin file's cluster before a built-in one", async () => {
    const commands = ["sbatch", "squeue", "scancel", "scontrol"];
    const bin = folder(Object.fromEntries(commands.map((name) => [name, "#!/bin/sh\n"])));
    for (const name of commands) chmodSync(join(bin, name), 0o755);
    const path = folder({ "toy.ts": plugin("toy", { score: cluster }) });
    const name = async (plugins: string) =>
      (await open([], { env: { PATH: bin, JOBX_PLUGIN_PATH: plugins } }).pick()).executor.name;
    expect([await name(""), await name(path)]).toEqual(["slurm", "toy"]);
  });

  test("leaves out executors that must be named, and mentions those that did not load", async () => {
    const notes: string[] = [];
    const path = folder({ "toy.ts": plugin("toy"), "bad.ts": "throw 1" });
    expect((await open([path], { notes }).pick()).executor.name).toBe("local");
    expect(notes).toEqual(["bad did not load and cannot be chosen; see `jobx plugins`"]);
  });

  test("says which executors may be named where none is taken unasked", async () => {
    const bin = folder({ sbatch: "#!/bin/sh\n" });
    chmodSync(join(bin, "sbatch"), 0o755);
    const error = await refusal(open([], { env: { PATH: bin } }).pick());
    expect(error.message).toBe("No executor runs jobs here unless it is named");
    expect(error.hint).toContain("-e local: sbatch is here");
  });
});

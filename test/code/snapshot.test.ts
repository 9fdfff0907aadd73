import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { checkExport } from "../../src/code/exports.ts";
import { keepSnapshot, modulePath, takeSnapshot } from "../../src/code/snapshot.ts";
import { tempDir } from "../helpers/temp.ts";

const root = tempDir();
const home = join(root, "home");

beforeAll(() => {
  for (const folder of ["home", "lib", "node_modules/pack"])
    mkdirSync(join(root, folder), { recursive: true });
  file("lib/deep.ts", "export const deep = () => [import.meta.dir, __filename];\n");
  file("lib/data.txt", "numbers\n");
  file("node_modules/pack/package.json", '{"name":"pack","main":"index.js"}');
  file("node_modules/pack/index.js", "exports.where = __dirname;\n");
  file(
    "task.ts",
    `#!/usr/bin/env bun
import pack from "pack";
import { deep } from "./lib/deep.ts";
import data from "./lib/data.txt" with { type: "file" };
export * from "./lib/deep.ts";
export default (n: number) => n + 1;
export const places = () => [import.meta.dir, import.meta.path, import.meta.file, import.meta.url, import.meta.main];
export const others = () => [...deep(), pack.where];
export const asset = () => Bun.file(data).text();
export const mode = () => process.env.NODE_ENV;
export async function* stream() {}
export function* items() {}
export class Model {}
export const Other = class {};
export const rate = 0.1, title = "x", table = { a: 1 };
if (import.meta.main) throw new Error("The module took itself for the program");
`,
  );
});

function file(name: string, text: string): string {
  writeFileSync(join(root, name), text);
  return join(root, name);
}

async function take(
  name: string,
  exported = "default",
  folder = home,
): Promise<{ code: string; warnings: string[] }> {
  const snapshot = await takeSnapshot({ file: join(root, name), export: exported });
  return { code: keepSnapshot(folder, name, snapshot), warnings: snapshot.warnings };
}

const load = async (snapshot: { code: string }): Promise<Record<string, () => unknown>> =>
  await import(modulePath(home, { file: "", code: snapshot.code }));

describe("A snapshot", () => {
  test("holds the module with its files, packages and assets, each with its original place", async () => {
    const module = await load(await take("task.ts"));
    const path = join(root, "task.ts");
    expect(module["places"]?.()).toEqual([root, path, "task.ts", `file://${path}`, false]);
    expect(module["others"]?.()).toEqual([
      join(root, "lib"),
      join(root, "lib/deep.ts"),
      join(root, "node_modules/pack"),
    ]);
    expect(await module["asset"]?.()).toBe("numbers\n");
    expect(module["mode"]?.()).toBe(process.env.NODE_ENV);
  });

  test("of the same code is stored once, also when several are taken at the same time", async () => {
    const other = join(root, "other-home");
    const taken = await Promise.all([1, 2, 3].map(() => take("task.ts", "default", other)));
    expect(new Set(taken.map((each) => each.code)).size).toBe(1);
    expect(readdirSync(join(other, "code"))).toEqual([taken[0]?.code ?? ""]);
  });

  test("has the same name whatever the current folder", async () => {
    const script = file(
      "hash.ts",
      `import { keepSnapshot, takeSnapshot } from ${JSON.stringify(join(import.meta.dir, "../../src/code/snapshot.ts"))};
const snapshot = await takeSnapshot({ file: ${JSON.stringify(join(root, "task.ts"))}, export: "default" });
console.log(keepSnapshot(${JSON.stringify(home)}, "task.ts", snapshot));`,
    );
    const run = (cwd: string) => Bun.spawnSync([process.execPath, script], { cwd }).stdout.toString().trim();
    const here = (await take("task.ts")).code;
    expect([run("/"), run(root)]).toEqual([here, here]);
  });

  test("changes its name with the code, and keeps the old code", async () => {
    const path = file("edit.ts", "export default () => 1;\n");
    const before = await take("edit.ts");
    writeFileSync(path, "export default () => 2;\n");
    const after = await take("edit.ts");
    expect(after.code).not.toBe(before.code);
    expect((await load(before))["default"]?.()).toBe(1);
  });

  test("is its owner's alone", async () => {
    const path = modulePath(home, {
      file: "",
      code: (await take("task.ts")).code,
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, "code")).mode & 0o777).toBe(0o700);
  });

  test("keeps the user's own source in its map", async () => {
    const { code } = await take("task.ts");
    const text = readFileSync(modulePath(home, { file: "", code }), "utf8");
    const map = JSON.parse(Buffer.from(text.slice(text.lastIndexOf("base64,") + 7), "base64").toString());
    const index = map.sources.indexOf(join(root, "task.ts"));
    expect(map.sourcesContent[index]).toBe(readFileSync(join(root, "task.ts"), "utf8"));
    expect(text).not.toContain("debugId");
  });
});

describe("Without running the module, a snapshot refuses", () => {
  const refused: [string, string][] = [
    ["stream", "is a generator function"],
    ["items", "is a generator function"],
    ["Model", "is a class"],
    ["Other", "is a class"],
    ["rate", "is a number, not a function"],
    ["title", "is a string, not a function"],
    ["table", "is an object, not a function"],
  ];
  test.each(refused)("the export %s, which %s", async (name, why) => {
    await expect(take("task.ts", name)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(why),
    });
  });

  test("an export that is missing, listing those that are there", async () => {
    await expect(take("task.ts", "dep")).rejects.toMatchObject({
      message: expect.stringContaining("it exports Model, Other, asset, deep, default, items"),
      hint: `Did you mean ${join(root, "task.ts")}#deep?`,
    });
    file("named.ts", "export function run() {}\n");
    await expect(take("named.ts")).rejects.toMatchObject({
      message: `${join(root, "named.ts")} has no default export; it exports run`,
      hint: `Name one: ${join(root, "named.ts")}#run`,
    });
  });

  test("code that does not parse, with its place, code frame and no stack", async () => {
    file("bad.ts", "console.log(import.meta.dir); export default = ;\n");
    const error = await take("bad.ts").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "USAGE" });
    expect(String(error)).toContain("bad.ts:1:46: Unexpected =");
    expect(String(error)).toContain("> 1 | console.log(import.meta.dir); export default = ;");
    expect(String(error)).toContain(`    | ${" ".repeat(45)}^`);
  });

  test("an import that cannot be found", async () => {
    file("lost.ts", 'import { x } from "no-such-package";\nexport default () => x;\n');
    await expect(take("lost.ts")).rejects.toMatchObject({
      message: expect.stringMatching(/lost\.ts:1:19: .*no-such-package/),
      hint: expect.stringContaining("node_modules"),
    });
  });

  test("an import that a package cannot do without; a driver that it may never ask for is left to the run", async () => {
    const index = join("node_modules", "drivers", "index.js");
    mkdirSync(join(root, "node_modules", "drivers"), { recursive: true });
    file("node_modules/drivers/package.json", '{"name":"drivers","main":"index.js"}');
    file("drives.ts", 'import drivers from "drivers";\nexport default () => drivers.open("data");\n');
    file("node_modules/drivers/other.js", 'exports.other = () => require("no-driver");\n');
    file(
      index,
      'exports.open = (what) => what === "db" ? require("no-driver") : what;\nexports.more = require("./other.js");\n',
    );
    const module = await load(await take("drives.ts"));
    expect(module["default"]?.()).toBe("data");
    file(index, 'import driver from "no-driver";\nexport default { open: () => driver };\n');
    await expect(take("drives.ts")).rejects.toThrow(
      /drivers\/index\.js:1:\d+: Could not resolve: "no-driver"/,
    );
    // The user's own file is told of what it lacks.
    file("asks-itself.ts", 'export default () => require("no-driver");\n');
    await expect(take("asks-itself.ts")).rejects.toThrow(/asks-itself\.ts:1:\d+: Could not resolve/);
  });

  test("a native addon, naming the way out", async () => {
    file("addon.node", "\x7fELF");
    file("native.ts", 'import addon from "./addon.node";\nexport default () => addon;\n');
    await expect(take("native.ts")).rejects.toMatchObject({
      message: expect.stringContaining("addon.node"),
      hint: expect.stringContaining("--no-snapshot"),
    });
  });
});

test("A module with module.exports is taken, its names left to the task; one that exports nothing is refused", async () => {
  file("common.cjs", "module.exports = { run: () => __filename };\n");
  const module = await load(await take("common.cjs", "run"));
  expect(module["default"]).toMatchObject({ run: expect.any(Function) });
  file("empty.ts", "");
  await expect(take("empty.ts")).rejects.toThrow("it exports nothing");
});

test("A computed import is named with its file, its line and the way out", async () => {
  file(
    "computed.ts",
    "export const fixed = () => import('node:path');\n\nexport default (name: string) => import(name);\n",
  );
  const { warnings } = await take("computed.ts");
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(
    /computed\.ts:3 imports a module whose name is only known when it runs.*--no-snapshot/,
  );
  expect((await take("task.ts")).warnings).toEqual([]);
});

test("Of computed imports only code is named: also of a required module, and not what texts say", async () => {
  file(
    "calls.cjs",
    "const x = 'a';\nexports.a = (name) => [x, require(name)];\nexports.b = async (n) => { const m = await import(`./${n}.ts`); return m; };\n",
  );
  const { warnings } = await take("calls.cjs", "a");
  expect(warnings).toEqual([expect.stringMatching(/calls\.cjs:2 imports/)]);
  file(
    "texts.ts",
    "export const help = ['import(functions)', `see ${1} import(x)`, /import(x)/];\nexport default () => help;\n",
  );
  expect((await take("texts.ts")).warnings).toEqual([]);
});

describe("A live file's export", () => {
  const check = (name: string, exported: string) => checkExport({ file: join(root, name), export: exported });

  test("is found without running the file; what stands behind a star is left to the task", () => {
    check("task.ts", "places");
    check("task.ts", "anything");
    file("plain.ts", "export const run = () => 1;\nthrow new Error('run');\n");
    check("plain.ts", "run");
    expect(() => check("plain.ts", "rum")).toThrow("has no export rum; it exports run");
  });

  test("of a file that does not parse is an error with the place", () => {
    file("broken.ts", "export const = 1;\n");
    expect(() => check("broken.ts", "x")).toThrow(/broken\.ts.*1:14/s);
  });
});

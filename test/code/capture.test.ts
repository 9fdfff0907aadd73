import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { bind } from "../../src/code/bind.ts";
import { captureFunction, type CaptureOptions, storeFunction } from "../../src/code/capture.ts";
import { loadableCode } from "../../src/code/snapshot.ts";
import { JobxError } from "../../src/errors.ts";
import { loadFunction } from "../../src/worker/load-function.ts";
import { tempDir } from "../helpers/temp.ts";

type Fn = (...args: unknown[]) => unknown;
type Exports = Record<string, unknown> & { inner: Record<string, Fn> };

const root = tempDir();
const home = join(root, "home");
const script = join(root, "sweep.ts");
const lib = join(root, "lib.ts");
let exports: Exports;
let libExports: Record<string, unknown>;

beforeAll(async () => {
  write("lib.ts", LIB);
  write("barrel.ts", 'export { helper as helped } from "./lib.ts";\nexport * as all from "./lib.ts";\n');
  write("data/words.json", '["a","b"]');
  write("data/more.json", "[1]");
  write("data/skip.json", "[2]");
  write("tool.sh", "#!/bin/sh\necho tool\n");
  write("node_modules/pack/index.js", "export const seven = 7;\n");
  write("node_modules/pack/package.json", '{"name":"pack","type":"module"}');
  write("sweep.ts", SCRIPT);
  exports = await import(script);
  libExports = await import(lib);
});

function write(name: string, text: string): void {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: name.endsWith(".sh") ? 0o755 : 0o644 });
}

/** The script has been evaluated. */
function options(more: Partial<CaptureOptions> = {}): CaptureOptions {
  const modules = (): [string, unknown][] => [
    [script, exports],
    [join(root, "barrel.ts"), { helped: libExports["helper"] }],
    [lib, libExports],
  ];
  return { cwd: root, snapshot: true, script, modules, ...more };
}

/** The script is being evaluated: the cache has what it imports alone. */
const evaluating = { modules: (): [string, unknown][] => [[lib, libExports]] };

async function capture(fn: unknown, more: Partial<CaptureOptions> = {}) {
  const captured = await captureFunction(fn, options(more));
  const stored = await storeFunction(home, captured);
  return { ...captured, ...stored };
}

/** Calls the stored function as a job does. */
async function call({ code }: Awaited<ReturnType<typeof capture>>, ...args: unknown[]): Promise<unknown> {
  const graph = new Bun.ModuleGraph();
  try {
    const fn = await loadFunction(graph, loadableCode(home, { kind: "function", ...code }));
    if (typeof fn !== "function") throw new Error("No function");
    return await fn(...args);
  } finally {
    graph.dispose();
  }
}

async function refusal(
  fn: unknown,
  more: Partial<CaptureOptions> = {},
): Promise<{ message: string; hint: string }> {
  try {
    await captureFunction(fn, options(more));
  } catch (error) {
    if (error instanceof JobxError) return { message: error.message, hint: error.hint ?? "" };
    throw error;
  }
  throw new Error("It was not refused");
}

describe("An exported function", () => {
  test("is found by identity, in the module that has it rather than in one that passes it on", async () => {
    const taken = await capture(libExports["helper"]);
    expect(taken).toMatchObject({ file: lib, export: "helper", name: "helper" });
    expect(await call(taken, 1)).toBe(2);
  });

  test("that is a default export is found, and named after its file", async () => {
    expect(await capture(libExports["default"])).toMatchObject({ file: lib, export: "default", name: "lib" });
  });

  test("that a function in `module.exports` carries is found as well", async () => {
    write("carried.cjs", "const k = 3;\nmodule.exports = () => 1;\nmodule.exports.times = (n) => n * k;\n");
    const file = join(root, "carried.cjs");
    const { default: whole } = await import(file);
    const taken = await capture(whole.times, { modules: () => [[file, whole]] });
    expect(taken).toMatchObject({ file, export: "times" });
    expect(await call(taken, 2)).toBe(6);
  });

  test("that was made by bind() or in a closure is found as well", async () => {
    expect(await call(await capture(libExports["bound"]))).toBe(3);
    expect(await call(await capture(libExports["made"]), 1)).toBe(11);
  });

  test("of the script stands alone where its text is enough", async () => {
    for (const more of [{}, evaluating]) {
      const taken = await capture(exports["alone"], more);
      expect(taken).toMatchObject({ file: `${script}:3`, name: "alone" });
      expect(await call(taken, 2)).toBe(4);
    }
  });

  test("of the script that uses what is around it stands for its module, evaluated or not", async () => {
    for (const more of [{}, evaluating]) {
      for (const name of ["uses", "renamed", "arrow"]) {
        const taken = await capture(exports[name], more);
        expect(taken).toMatchObject({ file: script, export: name });
        expect(await call(taken, 2)).toBe(10);
      }
      expect(await capture(exports["default"], more)).toMatchObject({ file: script, export: "default" });
    }
  });

  test("of the script is refused while that is evaluated where the same text stands elsewhere too", async () => {
    const { message } = await refusal(exports["twin"], evaluating);
    expect(message).toMatch(/twin cannot be taken out of its module: it uses factor/);
  });

  test("without a snapshot is its live file", async () => {
    expect(await capture(exports["alone"], { snapshot: false })).toMatchObject({
      file: script,
      export: "alone",
      code: { code: null },
    });
  });

  test("is not written anywhere before it is stored", async () => {
    await captureFunction(libExports["helper"], options());
    const empty = join(root, "empty-home");
    expect(existsSync(empty)).toBe(false);
    await storeFunction(empty, await captureFunction(libExports["helper"], options()));
    expect(readdirSync(join(empty, "code"))).toHaveLength(1);
  });
});

describe("An inline function", () => {
  test("is taken by its text, and its imports beside the script with it", async () => {
    const taken = await capture(exports.inner["imports"]);
    expect(taken).toMatchObject({ file: `${script}:${lineOf("imports:")}`, export: "imports" });
    expect(await call(taken, 1)).toEqual([2, 7, root]);
  });

  test("keeps its name where that means nothing else, and a method stays one", async () => {
    expect(await call(await capture(exports.inner["failing"])).catch(String)).toBe("RangeError: too large");
    const method = await capture(exports.inner["method"]);
    expect(method.name).toBe("method");
    expect(await call(method, 2)).toBe(3);
    const { [Symbol.iterator]: iterator } = { [Symbol.iterator]: () => 0, ...exports.inner };
    expect(await call(await capture(iterator))).toBe(5);
  });

  test.each([
    ["failing", 'RangeError("too'],
    ["folded", 'RangeError("folded'], // its constant by the runtime, the name of its class by the bundler
  ])("%s with the line of the user's own file", async (name, line) => {
    const taken = await capture(exports.inner[name]);
    const error = await call(taken).catch((thrown: unknown) => thrown);
    const [, first] = error instanceof Error ? (error.stack ?? "").split("\n") : [];
    expect(first).toContain(`${script}:${lineOf(line)}:`);
  });

  test("is refused by name and place where it uses what is around it, with the ways out", async () => {
    const { message, hint } = await refusal(exports.inner["free"]);
    expect(message).toContain("it uses factor, helper, declared outside of it");
    expect(message).toContain(`sweep.ts:${lineOf("free: (x")}:`);
    expect(message).toMatch(/> +\d+ \|.*x \* factor/);
    expect(hint).toStartWith("Hand over values: submit(bind(free, { factor }), …); or import inside of it:");
    expect(hint).toContain('const { helper } = await import("./lib.ts"); or export the function');
  });

  test.each([
    ["self", "this"],
    ["meta", "import.meta"],
    ["evil", "eval()"],
  ])("%s is refused, since it uses %s", async (name, what) => {
    expect((await refusal(exports.inner[name])).message).toContain(`it uses ${what}, which`);
  });

  test("means by a global's name what its module means by it", async () => {
    write(
      "globals.ts",
      `import { setTimeout } from "node:timers/promises";
import fetch from "./lib.ts";
const performance = { now: () => 1 };
export const all = {
  wait: () => setTimeout(1, "waited"),
  now: (x: number) => Math.max(x, performance.now()),
  load: () => fetch(),
  plain: () => Object.keys(process.versions).includes("bun"),
};
`,
    );
    const file = join(root, "globals.ts");
    const { all } = await import(file);
    const from = { script: file, modules: (): [string, unknown][] => [] };
    expect(await call(await capture(all.wait, from))).toBe("waited");
    expect(await call(await capture(all.plain, from))).toBe(true);
    expect((await refusal(all.now, from)).message).toContain("it uses performance, declared outside of it");
    expect((await refusal(all.load, from)).hint).toStartWith("Import inside of it: const { default: fetch }");
    const given = bind(all.now, { performance: { now: null } });
    expect((await capture(given, from)).name).toBe("now");
  });

  test("may ask for the type of what is declared nowhere, not of the script's own", async () => {
    expect(await call(await capture(exports.inner["askWindow"]))).toBe("undefined");
    expect((await refusal(exports.inner["askFactor"])).message).toContain("it uses factor");
  });

  test.each<[string, unknown, RegExp]>([
    ["a class", class {}, /is a class/],
    ["a generator", function* () {}, /is a generator function/],
    ["a built-in", Math.max, /max is built in/],
    ["a bound function", (() => 1).bind(null), /was made by bind\(\)/],
    ["a number", 3, /is a number, not a function/],
    ["nothing", undefined, /is undefined, not a function/],
  ])("%s is refused with the reason", async (_what, value, reason) => {
    expect((await refusal(value)).message).toMatch(reason);
  });

  test("takes along what every program has, and may call itself", async () => {
    expect(await call(await capture(exports.inner["runtime"]))).toEqual(["b", true]);
    const recursive = await capture(exports.inner["recursive"]);
    expect(recursive).toMatchObject({ name: "fact", code: { export: "fact" } });
    expect(await call(recursive, 5)).toBe(120);
    // There the same name is another's.
    expect((await refusal(exports.inner["shadowed"])).message).toContain("it uses basename");
  });

  test.each([
    ["import five", "const { default: five } = await import("],
    ["import * as five", "const five = await import("],
    ["import { helper as five }", "const { helper: five } = await import("],
  ])("that uses a name from %s is told how to import it inside", async (clause, inside) => {
    const name = `asks-${clause.replace(/\W/g, "")}.ts`;
    write(name, `${clause} from "./lib.ts";\nexport const all = { fn: () => five };\n`);
    const file = join(root, name);
    const { hint } = await refusal((await import(file)).all.fn, { script: file, modules: () => [] });
    expect(hint).toStartWith(`Import inside of it: ${inside}"./lib.ts")`);
  });

  test("whose imports are not there is refused with the line that asks for them", async () => {
    write("asks.ts", 'export const all = {\n  lost: () =>\n    import("./lost.ts"),\n};\n');
    const asks = join(root, "asks.ts");
    const { message } = await refusal((await import(asks)).all.lost, { script: asks, modules: () => [] });
    expect(message).toContain("asks.ts:2:");
    expect(message).toContain('Could not resolve: "./lost.ts"');
    expect(message).not.toContain("#inline");
  });

  test("of no known file is taken as well", async () => {
    const taken = await capture(new Function("a", "return a + 1"), { script: null, modules: () => [] });
    expect(await call(taken, 1)).toBe(2);
  });
});

describe("bind", () => {
  test("gives an inline function its names, as data stored beside its code", async () => {
    const { free } = exports.inner;
    const fn = bind((x: number) => x, { x: 1 });
    expect(fn(5)).toBe(5);
    const only = bind(exports.inner["times"] as (x: number) => number, { factor: 100 });
    const taken = await capture(only);
    expect(await call(taken, 3)).toBe(300);
    expect(await call(taken, 4)).toBe(400);
    expect((await refusal(bind(free as Fn, { factor: 1 }))).message).toContain("it uses helper, ");
  });

  test("makes different code of different values, and the same of the same", async () => {
    const of = async (factor: unknown) =>
      (await capture(bind(exports.inner["times"] as Fn, { factor }))).code.code;
    expect(await of(1)).toBe(await of(1));
    expect(await of(1)).not.toBe(await of(2));
  });

  test("keeps Maps, dates and typed arrays, fresh for every task", async () => {
    const taken = await capture(
      bind(exports.inner["grow"] as Fn, {
        table: new Map([["a", new Date(0)]]),
        list: [new Float32Array([1])],
      }),
    );
    expect(await call(taken)).toEqual([2, new Date(0), new Float32Array([1])]);
    expect(await call(taken)).toEqual([2, new Date(0), new Float32Array([1])]);
  });

  test("refuses what is no data, by its path", () => {
    expect(() => bind((x: number) => x, { k: { f: () => 1 } })).toThrow("bind.k.f is a function");
  });

  test("names values that are not used", async () => {
    const taken = await capture(bind(exports.inner["times"] as Fn, { factor: 1, facter: 2 }));
    expect(taken.warnings).toEqual(["bind.facter is not used by times"]);
  });
});

describe("A task of defineTask", () => {
  test("is found by identity, or in the script that is being evaluated", async () => {
    expect(await capture(exports["task"])).toMatchObject({ file: script, export: "task" });
    expect(await capture(exports["task"], evaluating)).toMatchObject({ file: script, export: "task" });
  });

  test("must be exported", async () => {
    const { message, hint } = await refusal(exports.inner["hidden"]);
    expect(message).toContain("is not exported");
    expect(hint).toContain("export const NAME = defineTask(");
  });
});

describe("snapshot.include", () => {
  const include = ["data/*.json", "tool.sh"];

  test("copies files, and the places of the module point at them", async () => {
    const taken = await capture(libExports["read"], { snapshot: { include, exclude: ["**/skip.json"] } });
    const before = await call(taken);
    write("data/words.json", '["changed"]');
    expect(await call(taken)).toEqual(before);
    write("data/words.json", '["a","b"]');
    const folder = join(home, "code", taken.code.code ?? "", "files");
    expect(before).toEqual({
      dir: folder,
      words: ["a", "b"],
      names: ["more.json", "words.json"],
      tool: "tool\n",
      url: `file://${folder}/lib.ts`,
    });
  });

  test("makes different code of different files", async () => {
    const of = async () => (await capture(libExports["read"], { snapshot: { include } })).code.code;
    const before = await of();
    write("data/more.json", "[2]");
    expect(await of()).not.toBe(before);
    write("data/more.json", "[1]");
    expect(await of()).toBe(before);
  });

  test("reaches an inline function and one of the script by __dirname", async () => {
    const taken = await capture(exports.inner["reads"], { snapshot: { include: ["data"] } });
    expect(await call(taken)).toEqual(["a", "b"]);
  });

  test("refuses what matches nothing, and what is absolute", async () => {
    const { message } = await refusal(libExports["read"], { snapshot: { include: ["dota/*"] } });
    expect(message).toContain('"dota/*" matches no file');
    expect((await refusal(libExports["read"], { snapshot: { include: [root] } })).message).toContain(
      "is absolute",
    );
  });
});

function lineOf(text: string): number {
  return SCRIPT.slice(0, SCRIPT.indexOf(text)).split("\n").length;
}

const LIB = `import { readdirSync } from "node:fs";
export function helper(x: number) { return x + 1 }
export default function () { return 5 }
export const bound = helper.bind(null, 2);
const make = (k: number) => (x: number) => x + k;
export const made = make(10);
export async function read() {
  return {
    dir: import.meta.dir,
    words: await Bun.file(new URL("./data/words.json", import.meta.url)).json(),
    names: readdirSync(__dirname + "/data").sort(),
    tool: Bun.spawnSync([import.meta.dir + "/tool.sh"]).stdout.toString(),
    url: import.meta.url,
  };
}
`;

const SCRIPT = `import { helper } from "./lib.ts"; import os, { basename } from "node:path"; import * as fs from "fs";
interface Options { rate?: number }
export function alone(x: number, _options: Options = {}): number {
  return x * 2;
}
const factor = 5;
export async function uses(x: number) { return x * factor }
function plain(x: number): number { return helper(x) * factor - 5 }
export { plain as renamed };
export const arrow = async (x: number) => helper(x) * factor - 5;
export default async function () { return helper(factor) }
const twins = [1].map((factor) => (x: number) => x * factor + 0);
export const twin = (x: number) => x * factor + 0;
const defineTask = (task: object) => Object.freeze({ ...task, [Symbol.for("jobx.task")]: true });
export const task = defineTask({ async run(_ctx: unknown, x: number) { return x + factor } });
const fact = (n: number): number => (n < 2 ? 1 : n * fact(n - 1));
const shadow = (basename: string) => () => basename;
export const inner = {
  recursive: fact,
  runtime: () => [basename("/a/b"), fs.existsSync(os.sep)],
  shadowed: shadow("x"),
  imports: async (x: number) => {
    const { helper } = await import("./lib.ts");
    const { seven } = await import("pack");
    return [helper(x), seven, __dirname];
  },
  failing(): number {
    // Where it fails
    const limits: { most: number } = { most: 1 };

    throw new RangeError("too large");
    return limits.most;
  },
  folded(): number {
    const most = 3;
    const Limit = class Named {};

    throw new RangeError("folded " + os.EOL.length * most * new Limit().constructor.length);
  },
  method(x: number) { return x + 1 },
  [Symbol.iterator]() { return 5 },
  free: (x: number) => x * factor + helper(x),
  times: (x: number) => factor * x,
  grow: () => { table.set("b", 1); return [table.size, table.get("a"), list[0]] },
  self: function (this: { x: number }) { return this.x },
  meta: () => import.meta.dir,
  evil: () => eval("factor"),
  askWindow: () => typeof window,
  askFactor: () => typeof factor,
  reads: () => Bun.file(__dirname + "/data/words.json").json(),
  hidden: defineTask({ run: () => twins }),
};
declare const table: Map<string, unknown>;
declare const list: unknown[];
`;

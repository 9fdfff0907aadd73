import { describe, expect, test } from "bun:test";

import { readFunctionText } from "../../src/code/function-text.ts";

function read(text: string) {
  const found = readFunctionText(text);
  if (typeof found === "string") throw new Error(found);
  return {
    free: found.free.map(({ what }) => what),
    assumed: found.assumed.map(({ what }) => what),
    problems: found.problems.map(({ what }) => what),
    places: found.free.map(({ what, offset }) => text.slice(offset, offset + what.length)),
  };
}

describe("The names that a function takes from outside", () => {
  const cases: [what: string, text: string, free: string[]][] = [
    ["nothing of its own", "(a) => a + 1", []],
    ["a name beside parameters", "(a) => a + k", ["k"]],
    ["default parameters", "(a, b = a, c = d) => b + c", ["d"]],
    [
      "a default that uses a name of the body",
      "(a = inner) => { const inner = 1; return a + inner }",
      ["inner"],
    ],
    ["destructured parameters", "({ a: { b = x } = {}, ...rest }, [c, , d = c]) => [b, rest, d]", ["x"]],
    ["destructured variables", "(o) => { const { a, [key]: b, ...c } = o; return [a, b, c] }", ["key"]],
    [
      "inner functions that close over its own",
      "(n) => { const k = 1; return () => () => n + k + z }",
      ["z"],
    ],
    ["labels", "() => { out: for (;;) { for (;;) break out } }", []],
    ["catch parameters", "() => { try {} catch ({ message = fallback }) { return message } }", ["fallback"]],
    ["catch without one", "() => { try {} catch { return error } }", ["error"]],
    [
      "class bodies",
      "() => { class A extends Base { x = y; static { z; } [name]() {} #p = A } return A }",
      ["Base", "y", "z", "name"],
    ],
    ["typeof of what is used elsewhere too", "() => typeof k === 'number' && k", ["k"]],
    ["a name that shadows and is used outside of its block", "() => { { const a = 1; a } return a }", ["a"]],
    ["a var of a block", "() => { if (true) { var v = 1 } return v }", []],
    ["a function used before it stands", "() => { return f(); function f() { return 1 } }", []],
    ["a function of a block, outside of it", "() => { { function f() {} } return f() }", ["f"]],
    ["a named function's own name", "function fact(n) { return n < 2 ? 1 : n * fact(n - 1) }", []],
    ["an arrow function's name, which is a variable's", "(n) => n < 2 ? 1 : n * fact(n - 1)", ["fact"]],
    ["template literals", "(a) => `${a} ${b} ${`${c}`}` + tag`x`", ["b", "c", "tag"]],
    ["a compiled enum", "() => Color.Red + 5 /* Blue */", ["Color"]],
    ["property names", "(o) => ({ k: o.k, l: o?.l, m() {}, o }).k", []],
    ["a shorthand property", "() => ({ k })", ["k"]],
    ["what it assigns to", "() => { total += 1; [first] = [1]; count++ }", ["total", "first", "count"]],
    [
      "loops",
      "() => { for (const x of xs) x; for (let i = 0; i < n; i++) i; for (k in {}) k }",
      ["xs", "n", "k"],
    ],
    [
      "globals",
      "() => [undefined, NaN, globalThis, Bun, process, console, fetch, URL, structuredClone, setTimeout, Buffer]",
      [],
    ],
    ["what every module has", "() => [require('node:fs'), __dirname, __filename]", []],
    ["what only CommonJS has", "() => [module, exports]", ["module", "exports"]],
    [
      "an import's name",
      "async () => { const a = await import('./a.ts'); return a.b + helper() }",
      ["helper"],
    ],
    [
      "compiled JSX",
      "() => jsxDEV_7x81h0kn('div', {}, undefined, false, undefined, this_1)",
      ["jsxDEV_7x81h0kn", "this_1"],
    ],
    ["using", "async () => { using a = open(); await using b = a }", ["open"]],
    ["generators and classes inside", "() => { function* g() { yield y } return [...g()] }", ["y"]],
    [
      "an async arrow function with one parameter",
      "async x => { await x; for await (const y of z) y }",
      ["z"],
    ],
    ["a method", "sum(a, b) { return a + b + c }", ["c"]],
    ["an async method with a computed name", "async ['a' + n](b) { return b }", ["n"]],
    ["switch and its scope", "(x) => { switch (x) { case 1: let y = 1; default: return y + q } }", ["q"]],
    ["parameters and a variable of one name", "(a) => { var a; return a }", []],
    ["arguments of functions inside", "() => function () { return arguments }", []],
    ["private and optional names", "() => { class A { #k; f() { return this.#k?.k ?? k } } }", ["k"]],
    ["a line comment at the end", "() => k // not a", ["k"]],
  ];
  test.each(cases)("%s", (_what, text, free) => {
    const found = read(text);
    expect(found.free).toEqual(free);
    expect(found.problems).toEqual([]);
    // Each is named with its place.
    expect(found.places).toEqual(free);
  });

  test("are told apart from globals and from those of which only the type is asked", () => {
    expect(read("() => typeof window > 'u' ? new URL(k) : __dirname")).toMatchObject({
      free: ["k"],
      assumed: ["window", "URL"],
    });
    // A method's wrapper uses some itself.
    expect(read("m() { return Math.PI }").assumed).toEqual(["Math"]);
  });

  test("are no globals because the script made them so", () => {
    Reflect.set(globalThis, "mineAlone", 1);
    expect(read("() => mineAlone").free).toEqual(["mineAlone"]);
    Reflect.deleteProperty(globalThis, "mineAlone");
  });
});

describe("What binds a function to its place", () => {
  const cases: [text: string, problems: string[]][] = [
    ["function () { return this.x }", ["this"]],
    ["() => this", ["this"]],
    ["function () { return () => this }", ["this"]],
    ["function (a = this) {}", ["this"]],
    ["m() { return super.m() }", ["super"]],
    ["() => import.meta.dir", ["import.meta"]],
    ["() => () => { class A { x = import.meta.url } }", ["import.meta"]],
    ["() => eval('k')", ["eval()"]],
    ["() => function () { return eval('k') }", ["eval()"]],
    ["() => arguments[0]", ["arguments"]],
    ["() => { class A { [this.x]() {} } }", ["this"]],
    ["() => { class A extends this.B {} }", ["this"]],
    ["() => ({ [this.k]: 1 })", ["this"]],
  ];
  test.each(cases)("%s", (text, problems) => {
    expect(read(text).problems).toEqual(problems);
  });

  const fine = [
    "() => function () { return this }",
    "() => ({ m() { return this.x + super.toString() } })",
    "() => { class A { x = this.y; static { this.z } m() { return super.m() } } }",
    "() => { class A { constructor() { this.x = new.target } } }",
    "function () { return [arguments.length, new.target] }",
    "() => (0, eval)('1')",
    "() => eval?.('1')",
    "() => ({ get x() { return this.y } })",
    "() => { const eval2 = 1; return eval2 }",
    "() => new Function('return 1')()",
  ];
  test.each(fine)("is not in %s", (text) => {
    expect(read(text)).toMatchObject({ free: [], problems: [] });
  });
});

describe("Refused with the reason is", () => {
  const getter = Object.getOwnPropertyDescriptor(
    {
      get x() {
        return 1;
      },
    },
    "x",
  )?.get;
  const cases: [what: string, text: string, reason: RegExp][] = [
    ["a built-in", String(Math.max), /built in/],
    ["a bound function", String((() => 1).bind(null)), /bind\(\)/],
    ["a getter", String(getter), /accessor/],
    ["what only sloppy code may do", "function () { with ({}) {} }", /'with' in strict mode/],
    ["new.target of the function around", "() => new.target", /new\.target/],
    ["a private method", "#p() { return 1 }", /cannot be read from its text/],
  ];
  test.each(cases)("%s", (_what, text, reason) => {
    expect(readFunctionText(text)).toMatch(reason);
  });
});

import { describe, expect, test } from "bun:test";

import { whyNotCallable, whyNotCallableInCode } from "../../src/code/callable.ts";

describe("A value can be a task's function", () => {
  test("when it is a function, async or not, bound or built in", () => {
    for (const value of [() => 1, async () => 1, function named() {}, Math.max, Math.max.bind(null)]) {
      expect(whyNotCallable(value)).toBeNull();
    }
  });

  test("but not when it is a generator, a class or no function", () => {
    expect(whyNotCallable(function* () {})).toContain("generator");
    expect(whyNotCallable(async function* () {})).toContain("generator");
    expect(whyNotCallable(class {})).toContain("a class");
    expect(whyNotCallable(undefined)).toBe("is undefined, not a function");
    expect(whyNotCallable([1])).toBe("is an array, not a function");
    expect(whyNotCallable(3n)).toBe("is a bigint, not a function");
  });
});

describe("From code alone", () => {
  const judge = (code: string) => whyNotCallableInCode(`${code}export{run};\n`, "run");

  test("what is no function is told", () => {
    expect(judge("async function*run(){}")).toContain("generator");
    expect(judge("class run{}")).toContain("a class");
    expect(judge("class run extends Base{}")).toContain("a class");
    expect(judge("var a=1,run={};")).toBe("is an object, not a function");
    expect(judge("var run=-1;")).toBe("is a number, not a function");
  });

  test("a function is not taken for something else that has its name in another scope", () => {
    expect(judge("function run(){}function f(){let run=1}")).toBeNull();
    expect(judge('var{run}=tools;var f=(a,run="x")=>run;')).toBeNull();
    expect(judge("var run=make();class A{run=1}")).toBeNull();
    expect(judge("var run=(a)=>a;if(run==1){}function*run2(){}class runner{}")).toBeNull();
  });
});

import { expect, test } from "bun:test";

import { JobxError } from "../../src/errors.ts";
import { describeOptions, option, type OptionSchema, validateOptions } from "../../src/executor/options.ts";

const schema: OptionSchema = {
  partition: option.string("Queue to submit to"),
  nice: option.number("Priority", { min: 0, max: 19, integer: true, default: 10 }),
  exclusive: option.boolean("Whole nodes"),
  wait: option.duration("How long to wait", { default: 90 }),
  scratch: option.size("Scratch space"),
  features: option.list("Node features"),
  mail: option.choice("When to mail", ["never", "end"], { default: "never" }),
};

const validate = (given: Record<string, unknown>, base?: Record<string, unknown>) =>
  validateOptions("toy", schema, given, "-o", base);

function refusal(given: Record<string, unknown>): JobxError {
  try {
    validate(given);
  } catch (error) {
    if (error instanceof JobxError) return error;
  }
  throw new Error("It was accepted");
}

test("texts become values, and defaults fill what is absent", () => {
  expect(
    validate({ nice: "5", exclusive: "yes", wait: "1h30m", scratch: "2G", features: "a, b", partition: "" }),
  ).toEqual({
    nice: 5,
    exclusive: true,
    wait: 5400,
    scratch: 2 * 1024 ** 3,
    features: ["a", "b"],
    partition: "",
    mail: "never",
  });
});

test("options that were not asked for and have no default stay absent", () => {
  expect(Object.keys(validate({ partition: undefined, scratch: null })).toSorted()).toEqual([
    "mail",
    "nice",
    "wait",
  ]);
});

test("values of a TOML file count as they are", () => {
  expect(validate({ nice: 3, exclusive: false, features: ["x,y", "z"], partition: 12 })).toMatchObject({
    nice: 3,
    exclusive: false,
    features: ["x,y", "z"],
    partition: "12",
  });
});

test("settings stand above defaults and below what is given, and are not read a second time", () => {
  const settings = validate({ wait: "2m", nice: 1 });
  expect(validate({ nice: "2" }, settings)).toMatchObject({ wait: 120, nice: 2 });
});

test("an unknown option is refused by name, with the nearest known one", () => {
  const error = refusal({ partitoin: "gpu" });
  expect(error.code).toBe("USAGE");
  expect(error.message).toBe('Unknown option "partitoin" of toy (-o)');
  expect(error.hint).toContain('Did you mean "partition"?');
  expect(refusal({ zzz: 1 }).hint).toContain("partition, nice");
  expect(refusal({ constructor: 1 }).message).toContain('"constructor"');
});

test("a bad value is shown, with what the option takes", () => {
  expect(refusal({ nice: "low" }).message).toBe(
    'Bad value "low" for option "nice" of toy (-o): it takes a number',
  );
  expect(refusal({ nice: "20" }).message).toContain("the most is 19");
  expect(refusal({ nice: "" }).message).toContain("it takes a number");
  expect(refusal({ nice: "1.5" }).message).toContain("whole number");
  expect(refusal({ exclusive: "maybe" }).message).toContain("true or false");
  expect(refusal({ mail: "ned" }).message).toContain('did you mean "end"?');
  expect(refusal({ partition: ["a"] }).message).toContain("it takes one text");
  expect(refusal({ partition: "a\0b" }).message).toContain("NUL");
  expect(refusal({ wait: "soon" }).message).toContain('"soon"');
});

test("everything wrong is listed at once", () => {
  expect(refusal({ nice: "x", partitoin: "y" }).message).toMatch(/nice.*; Unknown option "partitoin"/);
});

test("the help lists every option with its default, written as a person would", () => {
  const options = describeOptions(schema);
  expect(options).toHaveLength(7);
  expect(options[0]).toEqual(["partition=TEXT", "Queue to submit to"]);
  expect(options[3]?.[1]).toContain("(default: 1m 30s)");
  expect(options[6]?.[0]).toContain("mail=never|end");
  expect(describeOptions({})).toEqual([]);
});

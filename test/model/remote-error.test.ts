import { expect, test } from "bun:test";

import { formatRemoteError } from "../../src/model/remote-error.ts";
import { remoteErrorOf } from "../../src/worker/remote-error.ts";

test("An error's text tells the errors in its fields as errors, and indents what has several lines", () => {
  const inner = { ...remoteErrorOf(new RangeError("two\nlines")), stack: null, fields: { code: 5 } };
  const outer = remoteErrorOf(new AggregateError([], "all failed"));
  const fields = { errors: [inner, "a text"], data: { a: 1 }, last: inner };
  expect(formatRemoteError({ ...outer, stack: null, fields }).split("\n")).toEqual([
    "AggregateError: all failed",
    "  errors[0]: RangeError: two",
    "  lines",
    "    code: 5",
    '  errors[1]: "a text"',
    "  data: {",
    "    a: 1,",
    "  }",
    "  last: RangeError: two",
    "  lines",
    "    code: 5",
  ]);
});

test("A frame that names no place is left out", () => {
  const error = new SyntaxError("Expected '}'");
  error.stack = "SyntaxError: Expected '}'\n    at <parse> (:0)\n    at read (/home/me/a.ts:3:5)";
  expect(remoteErrorOf(error).stack).toBe("SyntaxError: Expected '}'\n    at read (/home/me/a.ts:3:5)");
});

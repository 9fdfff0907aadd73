import { describe, expect, test } from "bun:test";

import { codeFrame, codeFrameAt, placeOf } from "../../src/code/code-frame.ts";

const SOURCE = "one\ntwo\n\tthree(four)\nfive\nsix\n";

describe("A code frame", () => {
  test("shows the lines around a place with a marker under its column, tabs kept", () => {
    expect(codeFrame(SOURCE, 3, 8, 1)).toBe(
      ["  2 | two", "> 3 | \tthree(four)", "    | \t      ^", "  4 | five"].join("\n"),
    );
  });

  test("ends with the file's last line and is empty outside of it", () => {
    expect(codeFrame(SOURCE, 5, 1, 3).endsWith("> 5 | six\n    | ^")).toBe(true);
    expect(codeFrame(SOURCE, 99, 1)).toBe("");
  });

  test("of a file that cannot be read is empty", () => {
    expect(codeFrameAt({ file: "/nowhere/at/all.ts", line: 1, column: 1 })).toBe("");
  });
});

test("The place of a stack is its first frame in a file on disk", () => {
  const stack =
    "Error: x\n    at a (native:1:1)\n    at b (/$bunfs/root/j:1:2)\n    at c (/home/u/my file.ts:3:4)";
  expect(placeOf(stack)).toEqual({ file: "/home/u/my file.ts", line: 3, column: 4 });
  expect(placeOf("Error: x\n    at /srv/top.ts:7:1")).toEqual({ file: "/srv/top.ts", line: 7, column: 1 });
  expect(placeOf("Error: x")).toBeNull();
});

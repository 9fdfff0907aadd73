import { expect, test } from "bun:test";

import { printable } from "../../src/cli/printable.ts";
import { showRanges } from "../../src/cli/ranges.ts";
import { fit, renderTable } from "../../src/cli/table.ts";
import { showAge, showDuration, showTime } from "../../src/cli/times.ts";
import { rangesOf } from "../../src/model/ranges.ts";

test("task numbers are shown as a selector takes them", () => {
  expect(showRanges([7, 0, 1, 2, 3, 4])).toBe("0-4,7");
  expect(showRanges([])).toBe("");
  expect(showRanges([5, 5, 6])).toBe("5-6");
  expect(rangesOf([9, 8, 1])).toEqual([
    [1, 1],
    [8, 9],
  ]);
});

test("too many ranges are counted instead of shown", () => {
  expect(showRanges([0, 2, 4, 6, 7, 8], 3)).toBe("0,2,4 and 3 more");
});

test("columns are as wide as what they hold, numbers to the right", () => {
  const table = renderTable(
    [{ title: "ID", align: "right" }, { title: "NAME" }],
    [
      ["7", "a"],
      ["123", "long name"],
    ],
    { width: null },
  );
  expect(table).toBe(" ID  NAME\n  7  a\n123  long name");
});

test("wide characters and colours count as what they occupy", () => {
  const table = renderTable(
    [{ title: "NAME" }, { title: "X" }],
    [
      ["世界", "1"],
      ["\u001b[31mred\u001b[39m", "2"],
    ],
    { width: null },
  );
  expect(table.split("\n").map((line) => Bun.stringWidth(line))).toEqual([7, 7, 7]);
});

test("a column gives way to its least width only", () => {
  const columns = [{ title: "STATE" }, { title: "REASON", shrink: 11 }];
  const table = renderTable(columns, [["failed", "exit code 1, and more"]], { width: 12 });
  expect(table.split("\n")[1]).toBe("failed  exit code …");
});

test("on a narrow terminal one column gives way", () => {
  const table = renderTable(
    [{ title: "NAME", shrink: 4 }, { title: "STATE" }],
    [["a-very-long-job-name", "running"]],
    { width: 20 },
  );
  expect(table.split("\n")[1]).toBe("a-very-lon…  running");
});

test("text is padded or cut to a width", () => {
  expect(fit("ab", 4)).toBe("ab  ");
  expect(fit("ab", 4, "right")).toBe("  ab");
  expect(fit("abcdef", 4)).toBe("abc…");
});

test("names with control characters cannot move the cursor", () => {
  expect(printable("a\nb\u001b[2Jc\u009b")).toBe("a\\nb\\x1b[2Jc\\x9b");
  expect(printable("日本 ok")).toBe("日本 ok");
});

test("ages have one unit and are never negative", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  expect(showAge("2026-03-01T11:59:48Z", now)).toBe("12s");
  expect(showAge("2026-03-01T11:30:00Z", now)).toBe("30m");
  expect(showAge("2026-02-27T12:00:00Z", now)).toBe("2d");
  expect(showAge("2026-03-01T12:00:05Z", now)).toBe("0s");
  expect(showAge(null, now)).toBe("-");
});

test("what is not known is a dash", () => {
  expect(showDuration(null)).toBe("-");
  expect(showDuration(75)).toBe("1m 15s");
  expect(showTime(null)).toBe("-");
  expect(showTime("2026-03-01T12:00:00Z")).toMatch(/^2026-0[23]-\d\d \d\d:\d\d:\d\d$/);
});

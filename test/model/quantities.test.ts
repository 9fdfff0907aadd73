import { expect, test } from "bun:test";

import { formatDuration, parseDuration } from "../../src/model/durations.ts";
import { parseGpus } from "../../src/model/gpus.ts";
import { formatSize, parseSize } from "../../src/model/sizes.ts";
import { problemOf } from "./problem.ts";

test.each([
  ["90", 5400],
  ["0", 0],
  ["1h30m", 5400],
  ["1h 30m", 5400],
  ["45s", 45],
  ["4.2s", 4.2],
  ["0.1h", 360],
  ["1.5h", 5400],
  ["15min", 900],
  ["2d", 172_800],
  ["2D3H", 183_600],
  ["30:00", 1800],
  ["1:30:00", 5400],
  ["1-12", 129_600],
  ["1-12:00", 129_600],
  ["1-12:00:30", 129_630],
  [" 5 ", 300],
])("%p is a time of %p seconds", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each(["", " ", "abc", "-5", "1m1h", "5x", "1:2:3:4", "1-", "1-2:3:4:5", "1e3", "٣", "10 20", "∞"])(
  "%p is no time, and the error shows it and the forms",
  (text) => {
    const { message, hint, code } = problemOf(() => parseDuration(text));
    expect(code).toBe("USAGE");
    expect(message).toBe(`Bad time "${text}"`);
    expect(hint).toContain("1h30m");
  },
);

test.each([
  [0, "0s"],
  [-3, "0s"],
  [Number.NaN, "0s"],
  [0.0001, "1ms"],
  [0.035, "35ms"],
  [0.0996, "0.1s"],
  [4.2, "4.2s"],
  [5, "5s"],
  [9.97, "10s"],
  [59.7, "1m"],
  [90, "1m 30s"],
  [3599.6, "1h"],
  [5400, "1h 30m"],
  [5459, "1h 31m"],
  [86_399, "1d"],
  [183_600, "2d 3h"],
])("%p seconds are shown as %p", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test.each([
  ["512M", 512 * 1024 ** 2],
  ["4G", 4 * 1024 ** 3],
  ["4GiB", 4 * 1024 ** 3],
  ["4gb", 4 * 1024 ** 3],
  ["1.5T", 1.5 * 1024 ** 4],
  ["100B", 100],
  ["100", 100 * 1024 ** 2],
  ["0", 0],
  ["4 GiB", 4 * 1024 ** 3],
])("%p is a size of %p bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", "G", "-1G", "4X", "4GG", "1e3", "99999999P", "4iB"])("%p is no size", (text) => {
  expect(problemOf(() => parseSize(text)).message).toBe(`Bad size "${text}"`);
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1024 ** 2 - 1, "1.0 MiB"],
  [4 * 1024 ** 3, "4.0 GiB"],
  [2000 * 1024 ** 5, "2000.0 PiB"],
])("%p bytes are shown as %p", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test("GPUs are a number, with a type before it or not", () => {
  expect(parseGpus("2")).toEqual({ count: 2 });
  expect(parseGpus("a100:2")).toEqual({ type: "a100", count: 2 });
  expect(parseGpus("nvidia_a100-sxm4.40gb:1")).toEqual({ type: "nvidia_a100-sxm4.40gb", count: 1 });
});

test("a GPU type without a number is told how to write it", () => {
  expect(problemOf(() => parseGpus("a100")).hint).toBe("Write how many: a100:1");
  for (const bad of ["", ":2", "a:b:2", "-1", "1.5"]) {
    expect(problemOf(() => parseGpus(bad)).message).toBe(`Bad number of GPUs "${bad}"`);
  }
});

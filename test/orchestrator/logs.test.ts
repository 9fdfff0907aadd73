import { expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import type { TaskState } from "../../src/model/states.ts";
import { followLogs, type FollowOptions } from "../../src/orchestrator/follow.ts";
import { lastLinesOffset, tailText } from "../../src/orchestrator/log-tail.ts";
import { existingLogs, type LogFile, logFiles, readLog } from "../../src/orchestrator/logs.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { readSpec } from "../../src/store/jobs.ts";
import { logPath } from "../../src/store/layout.ts";
import { eventually } from "../helpers/eventually.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";

function logWith(content: string | Uint8Array): string {
  const path = join(tempDir(), "0.out");
  writeFileSync(path, content);
  return path;
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(chunks));
}

function lastLines(path: string, lines: number): string {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    return Buffer.from(Bun.mmap(path).slice(lastLinesOffset(fd, size, lines))).toString();
  } finally {
    closeSync(fd);
  }
}

test("the last lines are found from the end, with or without a final newline", () => {
  expect(lastLines(logWith("a\nb\nc\n"), 2)).toBe("b\nc\n");
  expect(lastLines(logWith("a\nb\nc"), 2)).toBe("b\nc");
  expect(lastLines(logWith("a\nb\n"), 5)).toBe("a\nb\n");
  expect(lastLines(logWith("a\n\n\n"), 2)).toBe("\n\n");
  expect(lastLines(logWith("a\nb\n"), 0)).toBe("");
});

test("the last lines may be longer than a block of reading", () => {
  const long = "x".repeat(200_000);
  expect(lastLines(logWith(`first\n${long}\nlast\n`), 2)).toBe(`${long}\nlast\n`);
});

test("a tail for messages is short, and text even where the log is none", () => {
  expect(tailText(logWith(new Uint8Array([0x61, 0xff, 0x62, 0x0a])), 5)).toBe("a\ufffdb\n");
  expect(tailText(logWith("é".repeat(5000)), 5, 101)).toBe("é".repeat(50));
  expect(tailText("/nonexistent/log", 5)).toBe("");
});

test("a log is read byte for byte", async () => {
  const raw = new Uint8Array(700_000);
  for (let at = 0; at < raw.length; at += 65_536) crypto.getRandomValues(raw.subarray(at, at + 65_536));
  expect((await all(readLog(logWith(raw)))).equals(raw)).toBe(true);
  expect((await all(readLog(logWith("one\ntwo\nthree"), 2))).toString()).toBe("two\nthree");
  expect((await all(readLog("/nonexistent/log"))).length).toBe(0);
});

test("logs are listed by task, rank and stream, and those that exist are picked", async () => {
  const services = new MemoryExecutor().services(tempDir());
  const { dir } = await submitJob(services, input(1500));
  const view = { dir, spec: readSpec(dir) };
  const files = logFiles(view, [0, 1499], null);
  expect(files.map(({ task, stream }) => `${task}.${stream}`)).toEqual([
    "0.out",
    "0.err",
    "1499.out",
    "1499.err",
  ]);
  expect(existingLogs(files)).toEqual([]);
  const path = logPath(dir, 1500, 1499, 0, "err");
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "x");
  expect(existingLogs(files).map((file) => file.path)).toEqual([path]);
  const merged = { dir, spec: { ...view.spec, run: { ...view.spec.run, mergeOutput: true } } };
  expect(logFiles(merged, [3], 0).map(({ stream }) => stream)).toEqual(["out"]);
});

/** Follows logs of tasks 0, 1, ... whose states a test changes as it goes. */
function follow(folder: string, states: TaskState[], options: Partial<FollowOptions> = {}) {
  const files = states.map((_, task): LogFile => ({
    task,
    rank: 0,
    stream: "out",
    path: join(folder, `${task}.out`),
  }));
  const seen = new Map<number, Buffer>();
  const text = (task: number) => seen.get(task)?.toString() ?? "";
  const done = (async () => {
    const stateOf = (task: number) => states[task] ?? "queued";
    for await (const chunk of followLogs(files, { lines: null, stateOf, ...options })) {
      seen.set(chunk.task, Buffer.concat([seen.get(chunk.task) ?? Buffer.alloc(0), chunk.bytes]));
    }
  })();
  return { files, text, seen, done };
}

test("following gives what comes, from logs that begin later too, until all tasks have ended", async () => {
  const folder = tempDir();
  const states: TaskState[] = ["running", "queued"];
  writeFileSync(join(folder, "0.out"), "one\n");
  const following = follow(folder, states);
  await eventually(() => following.text(0) === "one\n");
  appendFileSync(join(folder, "0.out"), new Uint8Array([0xff, 0xfe]));
  await eventually(() => following.seen.get(0)?.length === 6);
  states[0] = "succeeded";
  states[1] = "running";
  writeFileSync(join(folder, "1.out"), "late");
  await eventually(() => following.text(1) === "late");
  appendFileSync(join(folder, "1.out"), " end");
  states[1] = "failed";
  await following.done;
  expect(following.text(1)).toBe("late end");
});

test("following can begin with the last lines, which leaves out nothing of what comes", async () => {
  const folder = tempDir();
  const states: TaskState[] = ["running", "running"];
  writeFileSync(join(folder, "0.out"), "1\n2\n3\n");
  const following = follow(folder, states, { lines: 1 });
  await eventually(() => following.text(0) === "3\n");
  writeFileSync(join(folder, "1.out"), "a\nb\nc\n");
  await eventually(() => following.text(1) === "a\nb\nc\n");
  states.fill("succeeded");
  await following.done;
});

test("the end of all tasks ends the following at once, with everything read", async () => {
  const folder = tempDir();
  const ended = Promise.withResolvers<void>();
  writeFileSync(join(folder, "0.out"), "a");
  const following = follow(folder, ["running"], { ended: ended.promise });
  await eventually(() => following.text(0) === "a");
  appendFileSync(join(folder, "0.out"), "b");
  ended.resolve();
  await following.done;
  expect(following.text(0)).toBe("ab");
});

test("a log that was cut short is read from its new beginning", async () => {
  const folder = tempDir();
  const states: TaskState[] = ["running"];
  const path = join(folder, "0.out");
  writeFileSync(path, "a long first line\n");
  const following = follow(folder, states);
  await eventually(() => following.text(0) === "a long first line\n");
  truncateSync(path, 0);
  appendFileSync(path, "new\n");
  await eventually(() => following.text(0).endsWith("new\n"));
  states[0] = "succeeded";
  await following.done;
});

test("following ends with the reason of its signal", async () => {
  const stop = new AbortController();
  const following = follow(tempDir(), ["running"], { signal: stop.signal });
  stop.abort(new Error("Ctrl-C"));
  await expect(following.done).rejects.toThrow("Ctrl-C");
});

import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { JobSpec } from "../../src/model/job.ts";
import type { Verdict } from "../../src/model/records.ts";
import { noCounts } from "../../src/model/states.ts";
import { changesVersion } from "../../src/store/changes.ts";
import { ensureDir, readRecordFile, writeRecordFile } from "../../src/store/files.ts";
import {
  addCancelled,
  addHeld,
  addVerdicts,
  allocateJob,
  ensureHome,
  jobIds,
  readCancelled,
  readEnvironment,
  readHeld,
  readNative,
  readSpec,
  readSummary,
  readVerdicts,
  removeEnvironment,
  removeHeld,
  removeJob,
  writeEnvironment,
  writeNative,
  writeSpec,
  writeSummary,
} from "../../src/store/jobs.ts";
import { jobFiles, segmentPath } from "../../src/store/layout.ts";
import { writePayload } from "../../src/store/payload.ts";
import { SegmentWriter } from "../../src/store/segments.ts";
import { storeValue } from "../../src/store/values.ts";
import { RUN } from "../helpers/run-options.ts";
import { tempDir } from "../helpers/temp.ts";
import { resultRecord } from "./records.ts";

const root = tempDir();
let homes = 0;

function freshJob(): { home: string; dir: string } {
  const home = join(root, `home${homes++}`);
  ensureHome(home);
  return { home, dir: allocateJob(home).dir };
}

const spec: JobSpec = {
  id: 1,
  name: "sweep",
  executor: "local",
  token: "t",
  tasks: 5,
  entry: { kind: "command", argv: ["echo", "{x}"] },
  templated: true,
  array: false,
  indices: null,
  resources: {},
  options: {},
  run: RUN,
  cwd: "/",
  user: "u",
  host: "h",
  version: "0",
  created: "2026-01-01T00:00:00.000Z",
  runtime: ["jobx"],
  origin: null,
};

describe("ids", () => {
  test("count up from the highest job there is", () => {
    const { home } = freshJob();
    mkdirSync(join(home, "jobs", "41"));
    mkdirSync(join(home, "jobs", "not-a-job"));
    expect(allocateJob(home).id).toBe(42);
    expect(jobIds(home).sort((a, b) => a - b)).toEqual([1, 41, 42]);
    expect(jobIds(join(root, "nowhere"))).toEqual([]);
    writeFileSync(join(root, "file"), "");
    expect(() => jobIds(join(root, "file"))).toThrow("is not a folder");
  });

  test("are distinct for 50 processes at once, and none of their requests is lost", async () => {
    const { home, dir } = freshJob();
    const script = join(import.meta.dir, "fixtures/allocate.ts");
    const children = Array.from({ length: 50 }, (_, task) =>
      Bun.spawn([process.execPath, script, home, String(task)], { stdout: "pipe" }),
    );
    const texts = await Promise.all(children.map((child) => new Response(child.stdout).text()));
    const ids = texts.flatMap((text) => text.trim().split(" ").map(Number));
    expect(new Set(ids).size).toBe(100);
    const everyone = new Set(Array.from({ length: 50 }, (_, task) => task));
    expect(readCancelled(dir)).toEqual(everyone);
    expect(readHeld(dir)).toEqual(everyone);
    expect(readdirSync(dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  }, 60_000);
});

describe("the files of a job", () => {
  test("have no native ids where a crash left that file empty, and are damaged where it was cut short", () => {
    const { dir } = freshJob();
    writeNative(dir, { natives: [] }, { sync: "nothing" });
    truncateSync(join(dir, "native.msgpack"), 9);
    expect(() => readNative(dir)).toThrow("is damaged");
    truncateSync(join(dir, "native.msgpack"), 0);
    expect(readNative(dir)).toBeNull();
  });

  test("give back what was written, and null where nothing was", () => {
    const { dir } = freshJob();
    expect([
      readNative(dir),
      readSummary(dir),
      readEnvironment(dir),
      readCancelled(dir),
      readHeld(dir),
    ]).toEqual([null, null, null, null, null]);
    expect(readVerdicts(dir).size).toBe(0);
    expect(() => readSpec(dir)).toThrow("There is no job in");
    const native = { natives: [{ id: "7", cluster: null, submitted: "x", firstElement: 0, elements: 1 }] };
    const summary = { counts: noCounts(), startedAt: null, endedAt: null, seconds: null };
    writeSpec(dir, spec);
    writeNative(dir, native);
    writeSummary(dir, summary);
    writeEnvironment(dir, { PATH: "/bin", EMPTY: "" });
    expect(readSpec(dir)).toEqual(spec);
    expect(readNative(dir)).toEqual(native);
    expect(readSummary(dir)).toEqual(summary);
    expect(readEnvironment(dir)).toEqual({ PATH: "/bin", EMPTY: "" });
    removeEnvironment(dir);
    expect(readEnvironment(dir)).toBeNull();
    removeJob(dir);
    expect(() => readSpec(dir)).toThrow("There is no job in");
  });

  test("keep every request to cancel, and one for all beats them", () => {
    const { dir } = freshJob();
    const path = jobFiles.cancelled(dir);
    const before = changesVersion(path);
    addCancelled(dir, [1, 2]);
    const after = changesVersion(path);
    expect(after).not.toBe(before);
    addCancelled(dir, [2, 3]);
    addCancelled(dir, [3]);
    expect(readCancelled(dir)).toEqual(new Set([1, 2, 3]));
    expect(readdirSync(dir).sort()).toEqual(["cancelled.1.msgpack", "cancelled.msgpack"]);
    addCancelled(dir, null);
    expect(readCancelled(dir)).toBe("all");
  });

  test("hold and release some tasks or all", () => {
    const { dir } = freshJob();
    writeSpec(dir, spec);
    addHeld(dir, null);
    expect(readHeld(dir)).toBe("all");
    removeHeld(dir, [1, 2]);
    expect(readHeld(dir)).toEqual(new Set([0, 3, 4]));
    addHeld(dir, [1]);
    expect(readHeld(dir)).toEqual(new Set([0, 1, 3, 4]));
    removeHeld(dir, null);
    expect(readHeld(dir)).toBeNull();
  });

  test("keep the first verdict on a task", () => {
    const { dir } = freshJob();
    const verdict = (task: number, reason: string): Verdict => ({
      task,
      state: "lost",
      reason,
      native: null,
      node: null,
      endedAt: "x",
    });
    addVerdicts(dir, [verdict(1, "first"), verdict(2, "first")]);
    addVerdicts(dir, []);
    addVerdicts(dir, [verdict(2, "second"), verdict(3, "second")]);
    expect([...readVerdicts(dir).values()].map(({ task, reason }) => [task, reason])).toEqual([
      [1, "first"],
      [2, "first"],
      [3, "second"],
    ]);
  });

  test("with any byte flipped or cut off are an error that names the file, never another value", () => {
    const { dir } = freshJob();
    const path = join(dir, "x.msgpack");
    writeRecordFile(path, { a: "text", n: [1, 2] });
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 0xff;
      writeFileSync(path, copy);
      expect(() => readRecordFile(path)).toThrow(`${path} is damaged at byte`);
      writeFileSync(path, bytes.subarray(0, at));
      expect(() => readRecordFile(path)).toThrow(`${path} is damaged at byte`);
    }
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(1)]));
    expect(() => readRecordFile(path)).toThrow("is damaged");
  });

  test("of a newer format, or of another kind, are refused with a FORMAT error", () => {
    const { dir } = freshJob();
    writeSpec(dir, spec);
    const path = jobFiles.spec(dir);
    const bytes = readFileSync(path);
    bytes[5] = 2;
    bytes.writeUInt32LE(Bun.hash.crc32(bytes.subarray(0, 12)), 12);
    writeFileSync(path, bytes);
    expect(() => readSpec(dir)).toThrow(
      "was written by a newer jobx: its format is 2, and this one reads up to 1",
    );
    writeRecordFile(path, { some: "thing" });
    expect(() => readSpec(dir)).toThrow("holds something else than it should");
    writePayload(path, [], 1_000);
    expect(() => readSpec(dir)).toThrow("is a jobx file, but not a record file");
  });

  test("that cannot be written are a STORAGE error that leaves nothing behind", () => {
    const { dir } = freshJob();
    mkdirSync(join(dir, "folder.msgpack", "inside"), { recursive: true });
    expect(() => writeRecordFile(join(dir, "folder.msgpack"), 1)).toThrow("cannot be written");
    expect(() => writeRecordFile(join(dir, "none", "x.msgpack"), 1)).toThrow("cannot be written");
    expect(() => ensureDir("/proc/nowhere/x")).toThrow("cannot be written");
    expect(readdirSync(dir)).toEqual(["folder.msgpack"]);
  });
});

test("folders are 0700 and files 0600, whatever the umask", async () => {
  for (const umask of [0, 0o077, 0o002]) {
    const before = process.umask(umask);
    try {
      const { home, dir } = freshJob();
      writeSpec(dir, spec);
      addCancelled(dir, [1]);
      addVerdicts(dir, [{ task: 0, state: "lost", reason: "", native: null, node: null, endedAt: "" }]);
      writePayload(jobFiles.payload(dir), [], 1_000);
      await storeValue(dir, "0.0.0.bin", "x".repeat(2_000_000));
      const writer = SegmentWriter.create(segmentPath(dir, 0, 0, 0));
      await writer.append(resultRecord(0, 1));
      await writer.close();
      const names = readdirSync(home, { recursive: true, encoding: "utf8" });
      expect(names.length).toBeGreaterThan(10);
      for (const name of ["", ...names]) {
        const stat = statSync(join(home, name));
        expect([name, stat.mode & 0o777]).toEqual([name, stat.isDirectory() ? 0o700 : 0o600]);
      }
    } finally {
      process.umask(before);
    }
  }
});

test("a home with 2,000 jobs still gives ids at once", () => {
  const { home } = freshJob();
  for (let id = 2; id <= 2_000; id++) mkdirSync(join(home, "jobs", String(id)));
  const start = performance.now();
  expect(allocateJob(home).id).toBe(2_001);
  expect(performance.now() - start).toBeLessThan(200);
});

import { describe, expect, spyOn, test } from "bun:test";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { JobxError } from "../../src/errors.ts";
import { segmentPath } from "../../src/store/layout.ts";
import { readSegment } from "../../src/store/segment-reader.ts";
import { JobTail } from "../../src/store/segment-tail.ts";
import { SegmentWriter } from "../../src/store/segments.ts";
import { eventually } from "../helpers/eventually.ts";
import { fill, mountSmall } from "../helpers/small-disk.ts";
import { tempDir } from "../helpers/temp.ts";
import { resultRecord, startedRecord } from "./records.ts";

const dir = tempDir();
let files = 0;
const fresh = () => join(dir, `${files++}.seg`);

/** A finished segment whose records have these values. */
async function segmentOf(values: unknown[]): Promise<string> {
  const path = fresh();
  const writer = SegmentWriter.create(path);
  await Promise.all(values.map((value, task) => writer.append(resultRecord(task, value))));
  await writer.close();
  return path;
}

describe("a segment", () => {
  test("gives back every record in order, and says that it ended", async () => {
    const path = fresh();
    const writer = SegmentWriter.create(path);
    await writer.append(startedRecord(0), { sync: false });
    await writer.append(resultRecord(0, new Map([["k", -0]])));
    await writer.append(resultRecord(1, undefined));
    const before = readSegment(path);
    expect(before.records).toEqual([
      startedRecord(0),
      resultRecord(0, new Map([["k", -0]])),
      resultRecord(1, undefined),
    ]);
    expect([before.damage, before.ended, before.next]).toEqual([[], false, before.size]);
    await writer.close();
    const after = readSegment(path, before.next);
    expect([after.records, after.ended]).toEqual([[], true]);
  });

  test("shows a record that is not synced soon, without anyone waiting", async () => {
    const path = fresh();
    const writer = SegmentWriter.create(path);
    await writer.append(startedRecord(4), { sync: false });
    await eventually(() => readSegment(path).records.length === 1);
    await writer.close();
  });

  test("takes thousands of records a second in groups", async () => {
    const path = fresh();
    const writer = SegmentWriter.create(path);
    const start = performance.now();
    await Promise.all(Array.from({ length: 5_000 }, (_, task) => writer.append(resultRecord(task, task))));
    expect(performance.now() - start).toBeLessThan(2_500);
    await writer.close();
    expect(readSegment(path).records.length).toBe(5_000);
  });

  test("is never written over, and says so", async () => {
    const path = await segmentOf([1]);
    expect(() => SegmentWriter.create(path)).toThrow("cannot be written");
    expect(readSegment(path).records.length).toBe(1);
  });

  test("refuses a record that cannot be stored and goes on", async () => {
    const path = fresh();
    const writer = SegmentWriter.create(path);
    await expect(writer.append(resultRecord(0, () => 1))).rejects.toMatchObject({ code: "PAYLOAD" });
    await writer.append(resultRecord(1, 1));
    await writer.close();
    expect(readSegment(path).records).toEqual([resultRecord(1, 1)]);
  });

  test("that does not exist has no records", () => {
    expect(readSegment(join(dir, "none", "1.seg"))).toMatchObject({ records: [], damage: [], next: 0 });
  });

  test("of a newer format is refused", async () => {
    const path = await segmentOf([1]);
    const bytes = readFileSync(path);
    bytes[5] = 9;
    bytes.writeUInt32LE(Bun.hash.crc32(bytes.subarray(0, 12)), 12);
    writeFileSync(path, bytes);
    expect(() => readSegment(path)).toThrow(
      "was written by a newer jobx: its format is 9, and this one reads up to 1",
    );
  });
});

describe("a damaged segment", () => {
  test("cut at any byte keeps all records before the cut, and reports nothing", async () => {
    const path = await segmentOf(["a", "bb", "ccc"]);
    const bytes = readFileSync(path);
    const all = readSegment(path).records;
    const cut = fresh();
    let seen = 0;
    for (let length = 0; length <= bytes.length; length++) {
      writeFileSync(cut, bytes.subarray(0, length));
      const { records, damage, next } = readSegment(cut);
      expect(damage).toEqual([]);
      expect(records).toEqual(all.slice(0, records.length));
      expect(records.length).toBeGreaterThanOrEqual(seen);
      expect(next).toBeLessThanOrEqual(Math.max(length, 0));
      seen = records.length;
    }
    expect(seen).toBe(3);
  });

  test("with any byte flipped loses at most the record it hit, and names file and offset", async () => {
    const path = await segmentOf(["a", "bb", "ccc"]);
    const bytes = readFileSync(path);
    const all = readSegment(path).records.map((record) => JSON.stringify(record));
    const flipped = fresh();
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] ?? 0) ^ mask;
        writeFileSync(flipped, copy);
        const { records, damage } = readSegment(flipped);
        const texts = records.map((record) => JSON.stringify(record));
        expect(all).toEqual(expect.arrayContaining(texts));
        expect(texts.length).toBeGreaterThanOrEqual(at < 16 ? 3 : 2);
        expect(damage.length).toBe(1);
        expect(damage[0]?.file).toBe(flipped);
        expect(damage[0]?.offset).toBeLessThanOrEqual(at);
        expect((damage[0]?.offset ?? 0) + (damage[0]?.bytes ?? 0)).toBeGreaterThan(at);
      }
    }
  });

  test("never gives a record out of a value that looks like a segment", async () => {
    const inner = await segmentOf(["not mine", "nor this"]);
    const path = await segmentOf(["first", new Uint8Array(readFileSync(inner)), "last"]);
    const bytes = readFileSync(path);
    const start = bytes.indexOf("value 1") < 0 ? bytes.indexOf("first") : 0;
    for (let at = 16; at < start + 400 && at < bytes.length; at++) {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 0xff;
      writeFileSync(path, copy);
      for (const record of readSegment(path).records)
        expect(JSON.stringify(record)).not.toContain("not mine");
    }
    // Nor when its own preamble and first header are gone too.
    const blank = Buffer.from(bytes);
    blank.fill(0x55, 0, 36);
    writeFileSync(path, blank);
    expect(JSON.stringify(readSegment(path).records)).not.toMatch(/"value":"(not mine|nor this)"/);
  });

  test("with bytes missing, added or zeroed in its middle goes on with the next whole record or reports the rest", async () => {
    const path = await segmentOf(["a", "bb", "ccc", "dddd"]);
    const bytes = readFileSync(path);
    const second = bytes.indexOf("bb");
    const zeroed = Buffer.from(bytes).fill(0, second - 4, second + 4);
    writeFileSync(path, zeroed);
    expect(readSegment(path).records.map((record) => record.task)).toEqual([0, 2, 3]);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, second), bytes.subarray(second + 3)]));
    const missing = readSegment(path);
    expect(missing.records.map((record) => record.task)).toEqual([0]);
    expect(missing.damage.length).toBe(1);
  });

  test("with zeros at its end, as after a power cut, has only a torn tail", async () => {
    const path = await segmentOf(["a"]);
    appendFileSync(path, Buffer.alloc(4096));
    expect(readSegment(path)).toMatchObject({ records: [resultRecord(0, "a")], damage: [] });
  });
});

describe("a writer that is killed", () => {
  test("has left every record that it reported, whenever it was", async () => {
    for (let round = 0; round < 6; round++) {
      const path = fresh();
      const child = Bun.spawn([process.execPath, join(import.meta.dir, "fixtures/segment-writer.ts"), path], {
        stdout: "pipe",
      });
      let text = "";
      for await (const chunk of child.stdout) {
        text += Buffer.from(chunk).toString();
        if (text.split("\n").length > 1 + round * 3 + Math.random() * 5) break;
      }
      child.kill("SIGKILL");
      await child.exited;
      const reported = Number(text.split("\n").at(-2));
      const { records, damage } = readSegment(path);
      expect(damage).toEqual([]);
      expect(records.length).toBeGreaterThan(reported);
      expect(records).toEqual(records.map((_, task) => resultRecord(task, `value ${task}`)));
    }
  }, 30_000);
});

const mounted = mountSmall();

describe.skipIf(!mounted)("a full disk", () => {
  const folder = mounted ?? "";

  test("is waited for, and nothing is lost or torn when there is room again", async () => {
    const path = join(folder, "waits.seg");
    const told: string[] = [];
    const writer = SegmentWriter.create(path, { onRefused: (why) => told.push(why) });
    await writer.append(resultRecord(0, "before"));
    fill(join(folder, "filler"));
    const big = "x".repeat(20_000);
    const late = Array.from({ length: 8 }, (_, at) => writer.append(resultRecord(at + 1, big)));
    let settled = false;
    void Promise.allSettled(late).then(() => (settled = true));
    const probe = SegmentWriter.create(join(folder, "probe.seg"), { retryMs: 0 });
    await expect(probe.append(resultRecord(0, big))).rejects.toMatchObject({ code: "STORAGE" });
    await probe.close();
    expect(readSegment(path).records[0]).toEqual(resultRecord(0, "before"));
    expect(readSegment(path).damage).toEqual([]);
    expect(settled).toBe(false);
    await eventually(() => told.length > 0);
    expect(told).toEqual([
      expect.stringMatching(/^.*waits\.seg cannot be written: .*it is tried again for 60 s$/),
    ]);
    rmSync(join(folder, "filler"));
    await Promise.all(late);
    await writer.close();
    const { records, damage, ended } = readSegment(path);
    expect([records.length, damage, ended]).toEqual([9, [], true]);
    rmSync(path);
  });

  test("that stays full is a STORAGE error, the earlier records stay, and later ones can follow", async () => {
    const path = join(folder, "refused.seg");
    const writer = SegmentWriter.create(path, { retryMs: 150 });
    await writer.append(resultRecord(0, "before"));
    await writer.append(startedRecord(1), { sync: false });
    await eventually(() => readSegment(path).records.length === 2);
    fill(join(folder, "filler"));
    const error = await writer.append(resultRecord(1, "x".repeat(50_000))).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JobxError);
    expect(error).toMatchObject({ code: "STORAGE" });
    expect(readSegment(path)).toMatchObject({ damage: [] });
    expect(readSegment(path).records[0]).toEqual(resultRecord(0, "before"));
    rmSync(join(folder, "filler"));
    await writer.append(resultRecord(2, "after"));
    await writer.close();
    const { records, damage } = readSegment(path);
    expect(records.map((record) => record.task)).toEqual([0, 1, 2]);
    expect(damage).toEqual([]);
  });
});

describe("the tail of a job", () => {
  test("finds new records and new segments, and costs nothing when there are none", async () => {
    const job = join(dir, "tail");
    const tail = new JobTail(job);
    expect(tail.poll()).toEqual({ records: [], damage: [] });
    const first = SegmentWriter.create(segmentPath(job, 0, 0, 0));
    await first.append(resultRecord(0, 0));
    expect(tail.poll().records.length).toBe(1);
    expect(tail.poll().records.length).toBe(0);
    const second = SegmentWriter.create(segmentPath(job, 1500, 0, 0));
    await second.append(resultRecord(1500, 0));
    await first.append(resultRecord(1, 0));
    expect(tail.poll().records.map((record) => record.task)).toEqual([1, 1500]);
    await first.close();
    await second.close();
    expect(tail.poll()).toEqual({ records: [], damage: [] });
  });

  test("looks afresh where stat tells of nothing new, as that of a network file system may", async () => {
    const job = join(dir, "stale");
    const first = SegmentWriter.create(segmentPath(job, 0, 0, 0));
    await first.append(resultRecord(0, 0));
    const shard = dirname(segmentPath(job, 0, 0, 0));
    utimesSync(shard, 1, 1);
    const tail = new JobTail(job);
    expect(tail.poll().records.length).toBe(1);
    const second = SegmentWriter.create(segmentPath(job, 1, 0, 0));
    await second.append(resultRecord(1, 0));
    utimesSync(shard, 1, 1);
    // By then what had changed would have been seen.
    const later = spyOn(performance, "now").mockReturnValue(performance.now() + 60_000);
    try {
      expect(tail.poll().records.length).toBe(0);
      expect(tail.poll({ afresh: true }).records.map((record) => record.task)).toEqual([1]);
    } finally {
      later.mockRestore();
    }
    await first.close();
    await second.close();
  });

  test("reads a torn record once it is whole, and reports damage once", async () => {
    const job = join(dir, "torn");
    const whole = await segmentOf(["a", "bb", "ccc"]);
    const bytes = readFileSync(whole);
    const path = segmentPath(job, 0, 0, 0);
    mkdirSync(join(path, ".."), { recursive: true });
    const tail = new JobTail(job);
    let records = 0;
    for (let length = 0; length <= bytes.length; length += 7) {
      writeFileSync(path, bytes.subarray(0, length));
      const found = tail.poll();
      records += found.records.length;
      expect(found.damage).toEqual([]);
    }
    copyFileSync(whole, path);
    records += tail.poll().records.length;
    expect(records).toBe(3);
    truncateSync(whole, 60);
    const broken = segmentPath(job, 0, 1, 0);
    const copy = Buffer.from(bytes);
    copy[bytes.length - 40] = (copy[bytes.length - 40] ?? 0) ^ 1;
    writeFileSync(broken, copy.subarray(0, bytes.length - 20));
    expect(tail.poll().damage.length).toBe(1);
    expect(tail.poll().damage.length).toBe(0);
  });
});

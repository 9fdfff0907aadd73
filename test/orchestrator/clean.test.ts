import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { FinalState } from "../../src/model/states.ts";
import { cleanHome } from "../../src/orchestrator/clean.ts";
import type { Services } from "../../src/orchestrator/services.ts";
import { submitJob } from "../../src/orchestrator/submit.ts";
import { addVerdicts, readSpec, writeSpec } from "../../src/store/jobs.ts";
import { codeDir, homeDirs, jobDir, jobFiles } from "../../src/store/layout.ts";
import { input, MemoryExecutor } from "../helpers/executor.ts";
import { tempDir } from "../helpers/temp.ts";

const CODE = "ab".repeat(32);
const OTHER = "cd".repeat(32);

/** A job that ended `daysAgo`. */
async function endedJob(services: Services, state: FinalState = "succeeded", daysAgo = 0): Promise<number> {
  const { id, dir } = await submitJob(services, input(1));
  const endedAt = new Date(Date.now() - daysAgo * 86_400_000).toISOString();
  addVerdicts(dir, [{ task: 0, state, reason: "for this test", native: null, node: null, endedAt }]);
  const spec = readSpec(dir);
  writeSpec(dir, { ...spec, created: endedAt });
  return id;
}

function snapshot(home: string, name: string, hoursAgo: number): string {
  const folder = codeDir(home, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.js"), "x".repeat(100));
  age(folder, hoursAgo);
  return folder;
}

function age(path: string, hoursAgo: number): void {
  const time = new Date(Date.now() - hoursAgo * 3_600_000);
  utimesSync(path, time, time);
}

function refersTo(dir: string, code: string): void {
  writeSpec(dir, { ...readSpec(dir), entry: { kind: "function", file: "/f.ts", export: "f", code } });
}

describe("cleaning", () => {
  test("removes what has ended and leaves what has not", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const ended = await endedJob(services);
    const { id: waiting } = await submitJob(services, input(1));
    const report = await cleanHome(services, { dryRun: false });
    expect(report.jobs).toMatchObject([{ id: ended, name: "true", state: "succeeded" }]);
    expect(report.bytes).toBeGreaterThan(100);
    expect(existsSync(jobDir(services.home, ended))).toBe(false);
    expect(existsSync(jobDir(services.home, waiting))).toBe(true);
  });

  test("never lets a later job have the id of one that it removed", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const id = await endedJob(services);
    await cleanHome(services, { dryRun: false });
    expect((await submitJob(services, input(1))).id).toBe(id + 1);
  });

  test("only says what would go in a dry run", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const id = await endedJob(services);
    const old = snapshot(services.home, OTHER, 2);
    const report = await cleanHome(services, { dryRun: true });
    expect(report.jobs.map((job) => job.id)).toEqual([id]);
    expect(report.snapshots).toEqual([{ name: OTHER, bytes: 100 }]);
    expect(existsSync(jobDir(services.home, id)) && existsSync(old)).toBe(true);
  });

  test("keeps to the age and the states that are asked for", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const old = await endedJob(services, "failed", 40);
    const young = await endedJob(services, "failed", 2);
    const good = await endedJob(services, "succeeded", 40);
    const dryRun = true;
    const older = await cleanHome(services, { olderThanSeconds: 30 * 86_400, dryRun });
    expect(older.jobs.map((job) => job.id)).toEqual([old, good]);
    const failed = await cleanHome(services, { states: ["failed"], dryRun });
    expect(failed.jobs.map((job) => job.id)).toEqual([old, young]);
  });

  test("keeps a job that one which has not ended waits for", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const first = await endedJob(services);
    const { dir } = await submitJob(services, input(1));
    const spec = readSpec(dir);
    writeSpec(dir, { ...spec, run: { ...spec.run, after: [{ job: first, kind: "ok" }] } });
    expect((await cleanHome(services, { dryRun: false })).jobs).toEqual([]);
  });

  test("removes snapshots that no job refers to any more, unless they are young", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const used = snapshot(services.home, CODE, 5);
    const unused = snapshot(services.home, OTHER, 5);
    const young = snapshot(services.home, "ef".repeat(32), 0);
    refersTo((await submitJob(services, input(1))).dir, CODE);
    const report = await cleanHome(services, { dryRun: false });
    expect(report.snapshots).toEqual([{ name: OTHER, bytes: 100 }]);
    expect([used, unused, young].map((path) => existsSync(path))).toEqual([true, false, true]);
  });

  test("keeps the code of every function of a job", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const used = [snapshot(services.home, CODE, 5), snapshot(services.home, OTHER, 5)];
    const { dir } = await submitJob(services, input(1));
    const more = [{ file: "/g.ts", export: "g", code: OTHER }];
    const entry = { kind: "function", file: "/f.ts", export: "f", code: CODE, more } as const;
    writeSpec(dir, { ...readSpec(dir), entry });
    expect((await cleanHome(services, { dryRun: false })).snapshots).toEqual([]);
    expect(used.map((path) => existsSync(path))).toEqual([true, true]);
  });

  test("removes the code of a job together with the job", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const used = snapshot(services.home, CODE, 5);
    const id = await endedJob(services);
    refersTo(jobDir(services.home, id), CODE);
    await cleanHome(services, { dryRun: false });
    expect(existsSync(used)).toBe(false);
  });

  test("removes pinned runtimes that no job runs by", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const { dir } = await submitJob(services, input(1));
    const bin = homeDirs.bin(services.home);
    const paths = ["jobx-1-used", "jobx-0-old"].map((name) => join(bin, name));
    for (const path of paths) {
      writeFileSync(path, "x");
      age(path, 5);
    }
    writeSpec(dir, { ...readSpec(dir), runtime: [join(bin, "jobx-1-used")] });
    const report = await cleanHome(services, { dryRun: false });
    expect(report.runtimes).toEqual([{ name: "jobx-0-old", bytes: 1 }]);
    expect(paths.map((path) => existsSync(path))).toEqual([true, false]);
  });

  test("keeps all code while some job's request cannot be read", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const { dir } = await submitJob(services, input(1));
    const unused = snapshot(services.home, OTHER, 5);
    writeFileSync(jobFiles.spec(dir), "damaged beyond recognition");
    const report = await cleanHome(services, { dryRun: false });
    expect(report).toMatchObject({ jobs: [], snapshots: [] });
    expect(existsSync(unused) && existsSync(dir)).toBe(true);
    expect(services.notes.join("\n")).toContain("Snapshots are kept");
  });

  test("removes what an interrupted submission left, once it is old", async () => {
    const services = new MemoryExecutor().services(tempDir());
    const [old, young] = [jobDir(services.home, 7), jobDir(services.home, 8)];
    for (const dir of [old, young]) mkdirSync(dir, { recursive: true });
    age(old, 2);
    const report = await cleanHome(services, { dryRun: false });
    expect(report.jobs).toEqual([{ id: 7, name: null, state: null, bytes: 0 }]);
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  });
});

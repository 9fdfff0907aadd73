import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

import { takeLock } from "../../src/queue/lock.ts";
import { preparePaths, queuePaths } from "../../src/queue/paths.ts";
import { tempDir } from "../helpers/temp.ts";

describe("the queue's folder", () => {
  test("is one per user, whatever the session, and one per scheduler allocation", () => {
    expect(queuePaths({}).dir).toBe(`/tmp/jobx-${process.getuid?.()}/queue`);
    expect(queuePaths({ TMPDIR: "/scratch", XDG_RUNTIME_DIR: "/run/user/7" }).dir).toBe(queuePaths({}).dir);
    expect(queuePaths({ SLURM_JOB_ID: "4211" }).dir).toEndWith("/slurm-4211");
    expect(queuePaths({ PBS_JOBID: "7[3].server/x" }).dir).toEndWith("/pbs-7_3_.server_x");
  });

  test("is taken from the current folder where JOBX_RUNTIME_DIR is relative", () => {
    expect(queuePaths({ JOBX_RUNTIME_DIR: "run" }).dir).toBe(resolve("run", "queue"));
  });

  test("is made for the user alone", () => {
    const paths = queuePaths({ JOBX_RUNTIME_DIR: join(tempDir(), "run") });
    preparePaths(paths);
    expect(statSync(paths.dir).mode & 0o777).toBe(0o700);
  });

  test("is refused where others can write", () => {
    const base = join(tempDir(), "run");
    mkdirSync(base);
    chmodSync(base, 0o777);
    expect(() => preparePaths(queuePaths({ JOBX_RUNTIME_DIR: base }))).toThrow("others can write to it");
  });

  test("is refused where a socket's path would be too long", () => {
    const base = join(tempDir(), "x".repeat(100));
    expect(() => preparePaths(queuePaths({ JOBX_RUNTIME_DIR: base }))).toThrow("too long");
  });

  test("has a lock that one holder has at a time", () => {
    const path = join(tempDir(), "lock");
    const first = takeLock(path);
    expect(first).not.toBeNull();
    expect(takeLock(path)).toBeNull();
    first?.release();
    expect(takeLock(path)).not.toBeNull();
  });
});

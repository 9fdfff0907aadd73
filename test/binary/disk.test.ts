import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "../helpers/eventually.ts";
import { TestJobx } from "../helpers/jobx.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("SKIPPED: the tests of a full home need root, to mount a small tmpfs");

describe.skipIf(!isRoot)("a full home", () => {
  // From source the home holds no pinned binary, so a few megabytes are a whole disk either way.
  const disk = tmpfs();
  const jobx = new TestJobx({ JOBX_HOME: join(disk, "home") });
  // After the jobs have been cancelled, which the line above sees to.
  afterAll(() => {
    Bun.spawnSync(["umount", "-l", disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  test("a record waits for room, and no result is lost", async () => {
    // 200 records and 400 logs need far more room than is left.
    const script = "touch started; while ! test -e go; do sleep 0.05; done";
    const id = await jobx.submit(["--array", "0-199", "--", "sh", "-c", script]);
    await eventually(() => Bun.file(join(jobx.cwd, "started")).exists());
    const filler = join(disk, "filler");
    fill(filler);
    await jobx.file("go", "");
    await eventually(async () => (await jobx.run(["status", id])).code === 0);
    rmSync(filler);
    expect((await jobx.run(["wait", id])).err).not.toContain("failed");
    expect(await jobx.json<{ counts: unknown }>(["status", id])).toMatchObject({
      counts: { succeeded: 200 },
    });
  }, 90_000);

  test("a submission that finds no room is refused and leaves nothing", async () => {
    const before = await jobx.json<unknown[]>(["list"]);
    const filler = join(disk, "filler");
    fill(filler);
    const ran = await jobx.run(["submit", "--sweep", `x=1..2000`, "--", "echo", "{x}"]);
    rmSync(filler);
    expect(ran.code).toBe(3);
    expect(ran.err).toMatch(/full|no space/i);
    expect((await jobx.json<unknown[]>(["list"])).length).toBe(before.length);
  });

  function tmpfs(): string {
    const path = `/tmp/jobx-test-disk-${process.pid}`;
    mkdirSync(path, { recursive: true });
    const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", path]);
    if (!mounted.success) throw new Error(mounted.stderr.toString());
    return path;
  }
});

/** Writes until the file system is full. */
function fill(path: string): void {
  writeFileSync(path, "");
  const { bavail, bsize } = statfsSync(path);
  try {
    writeFileSync(path, Buffer.alloc(bavail * bsize));
  } catch {
    // Full, as wanted.
  }
}

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

  test("a result that finds no room is waited for, and the task's log says so at once", async () => {
    const file = await jobx.file(
      "large.ts",
      `export default async function large() {
  await Bun.write("asks", "");
  while (!(await Bun.file("may").exists())) await Bun.sleep(20);
  return "x".repeat(20_000_000);
}
`,
    );
    const id = await jobx.submit([file]);
    await eventually(() => Bun.file(join(jobx.cwd, "asks")).exists());
    const filler = join(disk, "filler");
    fill(filler, 5_000_000);
    await jobx.file("may", "");
    await eventually(async () => /cannot be written.*tried again for 60 s/.test(await jobx.ok(["logs", id])));
    expect(await jobx.json<{ state: string }>(["status", id])).toMatchObject({ state: "running" });
    rmSync(filler);
    expect((await jobx.run(["wait", id])).code).toBe(0);
    expect((await jobx.json<string>(["result", id])).length).toBe(20_000_000);
  }, 60_000);

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

/** Writes until the file system is full, but for so many bytes. */
function fill(path: string, left = 0): void {
  writeFileSync(path, "");
  const { bavail, bsize } = statfsSync(path);
  try {
    writeFileSync(path, Buffer.alloc(bavail * bsize - left));
  } catch {
    // Full, as wanted.
  }
}

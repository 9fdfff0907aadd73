import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { TestJobx } from "../helpers/jobx.ts";

/** Every folder and file of the home but the runtimes, as path and mode. */
function modesOf(home: string): { folders: [string, string][]; files: [string, string][] } {
  const found = { folders: [["", modeOf(home)]] as [string, string][], files: [] as [string, string][] };
  for (const path of new Bun.Glob("**").scanSync({ cwd: home, dot: true, onlyFiles: false })) {
    if (path.startsWith("bin/")) continue;
    const isFolder = statSync(join(home, path)).isDirectory();
    (isFolder ? found.folders : found.files).push([path, modeOf(join(home, path))]);
  }
  return found;
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** Runs a command and a function under a umask; the home then holds every kind of file. */
async function fill(jobx: TestJobx, env: Record<string, string>): Promise<void> {
  await jobx.file("fn.ts", "export default (row: { big: string }) => 'x'.repeat(2 ** 21) + row.big;");
  await jobx.submit(["--wait", "--array", "0-2", "--capture", "--", "sh", "-c", "echo {index}"], { env });
  await jobx.submit(["--wait", "--sweep", "big=1,2", "fn.ts"], { env });
  const held = await jobx.submit(["--", "sleep", "600"], { env });
  await jobx.until(held, ["running"]);
  await jobx.ok(["cancel", held], { env });
  await jobx.run(["wait", held], { env });
}

describe("a home", () => {
  test("is its owner's alone, whatever the umask and the folder it is put into", async () => {
    const jobx = new TestJobx();
    mkdirSync(jobx.home);
    chmodSync(jobx.home, 0o755);
    await withUmask(0, () => fill(jobx, {}));
    const { folders, files } = modesOf(jobx.home);
    expect(files.length).toBeGreaterThan(20);
    expect(folders.filter(([path, mode]) => mode !== "700" && path !== "")).toEqual([]);
    expect(files.filter(([, mode]) => mode !== "600")).toEqual([]);
  });

  test("that is shared can be read by its group, except for the environment of a job", async () => {
    const jobx = new TestJobx();
    await withUmask(0o077, () => fill(jobx, { JOBX_SHARED: "1" }));
    // What follows finds the home shared, and need not be told.
    const running = await jobx.submit(["--", "sleep", "600"]);
    await jobx.until(running, ["running"]);
    const { folders, files } = modesOf(jobx.home);
    expect(folders.filter(([, mode]) => mode !== "750")).toEqual([]);
    const closed = files.filter(([, mode]) => mode !== "640").map(([path]) => path);
    expect(closed.filter((path) => !path.startsWith("cache/"))).toEqual([
      `jobs/${running}/environment.msgpack`,
    ]);
    await jobx.ok(["cancel", running]);
    await jobx.run(["wait", running]);
  });

  test("is private again for what comes once shared is false", async () => {
    const jobx = new TestJobx();
    const first = await jobx.submit(["--wait", "--", "true"], { env: { JOBX_SHARED: "1" } });
    const second = await jobx.submit(["--wait", "--", "true"], { env: { JOBX_SHARED: "0" } });
    expect(modeOf(join(jobx.home, "jobs", first))).toBe("750");
    expect(modeOf(join(jobx.home, "jobs", second))).toBe("700");
    expect(modeOf(join(jobx.home, "jobs"))).toBe("700");
  });
});

/** Processes take over the umask of the one that starts them. */
async function withUmask(umask: number, run: () => Promise<void>): Promise<void> {
  const before = process.umask(umask);
  try {
    await run();
  } finally {
    process.umask(before);
  }
}

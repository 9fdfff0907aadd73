import { afterAll } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of 256 KiB that lasts as long as the test file; null, which is said, where it cannot be mounted. */
export function mountSmall(): string | null {
  if (process.getuid?.() !== 0 || process.platform !== "linux") return unmounted();
  const path = mkdtempSync(join(tmpdir(), "jobx-full-"));
  const made = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "jobx-test", path]);
  afterAll(() => {
    if (made.exitCode === 0) Bun.spawnSync(["umount", "-l", path]);
    rmSync(path, { recursive: true, force: true });
  });
  return made.exitCode === 0 ? path : unmounted();
}

/** Fills what is left of it by a file. */
export function fill(path: string): void {
  for (const size of [65_536, 4_096]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size));
    } catch {
      // Full, for writes of this size.
    }
  }
}

function unmounted(): null {
  console.warn("SKIPPED: tests of a full disk need root on Linux, to mount a small tmpfs");
  return null;
}

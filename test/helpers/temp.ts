import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A fresh folder that is removed when the test file has ended. */
export function tempDir(name = "jobx"): string {
  const path = mkdtempSync(join(tmpdir(), `${name}-test-`));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { basename, join } from "node:path";

import { JobxError, messageOf, usageError } from "../errors.ts";
import { ensureDir } from "../store/files.ts";
import { homeDirs } from "../store/layout.ts";

/**
 * The words that start the worker of a job submitted now. A binary is copied into the home first, once
 * per version, so that replacing jobx never breaks a queued job; run from source, the source is used.
 * A reflink where the file system has them, else a copy; never a hard link, which an overwritten
 * original would change. A bare name is left to the PATH of where the job runs. Throws USAGE where a
 * runtime of the configuration is not there, STORAGE where it cannot be copied.
 */
export function pinRuntime(home: string, runtime: string[], version: string): string[] {
  const [binary, ...rest] = runtime;
  if (!binary?.includes("/") || rest.length > 0) return runtime;
  const folder = homeDirs.bin(home);
  const pinned = join(folder, `jobx-${version}-${fingerprint(binary)}`);
  if (binary === pinned || existsSync(pinned)) {
    touch(pinned);
    return [pinned];
  }
  ensureDir(folder);
  const temporary = join(folder, `.${basename(pinned)}.${process.pid}`);
  try {
    copyFileSync(binary, temporary, constants.COPYFILE_FICLONE);
    chmodSync(temporary, 0o700);
    renameSync(temporary, pinned);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new JobxError("STORAGE", `The jobx binary cannot be copied to ${folder}: ${messageOf(error)}`, {
      hint: "Make room there, or choose another home with --home",
      cause: error,
    });
  }
  return [pinned];
}

/** A runtime that is used again counts as new, so that no cleaning removes it before its job is written. */
function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Somebody else's home: reading it is enough.
  }
}

/** Tells builds of one version apart without reading 100 MB: size, time, and the file's two ends. */
function fingerprint(binary: string): string {
  const { size, mtimeMs } = statOf(binary);
  const edge = Math.min(8192, size);
  const bytes = Buffer.alloc(edge * 2);
  const file = openSync(binary, "r");
  try {
    readSync(file, bytes, 0, edge, 0);
    readSync(file, bytes, edge, edge, size - edge);
  } finally {
    closeSync(file);
  }
  return Bun.hash(bytes, BigInt(Math.trunc(size + mtimeMs))).toString(36);
}

function statOf(binary: string) {
  try {
    return statSync(binary);
  } catch (error) {
    throw usageError(
      `The runtime ${binary} cannot be read: ${messageOf(error)}`,
      "Mend `runtime` in the configuration: jobx config says where it is set",
    );
  }
}

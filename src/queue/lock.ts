import { dlopen } from "bun:ffi";
import { closeSync, constants, openSync } from "node:fs";

import { JobxError } from "../errors.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Takes the exclusive lock of a file on local disk, for as long as this process lives; the kernel frees
 * it however the process ends. Null when another process has it. The descriptor is closed in children.
 */
export function takeLock(path: string): { release(): void } | null {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return { release: () => closeSync(fd) };
  closeSync(fd);
  return null;
}

function flock(fd: number, operation: number): number {
  for (const name of libraryNames()) {
    try {
      const { symbols } = dlopen(name, { flock: { args: ["i32", "i32"], returns: "i32" } });
      return symbols.flock(fd, operation);
    } catch {
      // Not this one: glibc, musl and darwin name it differently.
    }
  }
  throw new JobxError("STORAGE", "The C library of this system cannot be opened, so the queue cannot lock", {
    hint: "Report the system's name and version (uname -a)",
  });
}

function libraryNames(): string[] {
  if (process.platform === "darwin") return ["libSystem.B.dylib"];
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  return ["libc.so.6", `libc.musl-${machine}.so.1`, `/lib/ld-musl-${machine}.so.1`];
}
